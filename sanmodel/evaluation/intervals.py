"""How far the figures depend on who happens to stand on the test side: bootstrap intervals.

A replicate draws as many people as there are, with replacement, and each person brings all of the
person's images (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; for matching:
Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap",
2004). Images of one person are alike, so that images drawn one by one would claim too much. An
interval reaches from the 2.5th to the 97.5th percentile of a figure's replicates. The same seed
draws the same people for every classifier, matcher and variant.

A person drawn w times counts w times. Of matching see :mod:`sanmodel.evaluation.match_intervals`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sanmodel.evaluation.identification import RANKS, Identification
from sanmodel.evaluation.measures import BOUNDS
from sanmodel.evaluation.pairs import SAMPLE_SEED, Floats, Integers
from sanmodel.evaluation.protocol import THRESHOLD

REPLICATES = 1000
"""Replicates of an interval."""

PERCENTILES = (2.5, 97.5)
"""Ends of an interval that holds 95 % of the replicates."""

MOST_UNDEFINED = 0.1
"""Largest share of replicates that may leave a figure undefined: of many people a class of two is
missing in more replicates than that, one of three in fewer."""

BLOCK_WEIGHTS = 2_000_000
"""Weights of images that are in memory at a time, 16 MB."""


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


Intervals = dict[str, Interval | None]
"""By the name of a figure; None where there are fewer than two people, where the figure itself is
undefined, and where more than ``MOST_UNDEFINED`` of the replicates are."""


def with_intervals(
    figures: Mapping[str, float | None], intervals: Mapping[str, Interval | None]
) -> dict[str, float | None]:
    """Set each figure's interval, if it has one, beside it as ``<figure>_low`` and ``_high``."""
    both = dict(figures)
    for name, interval in intervals.items():
        if interval is not None:
            both |= zip(
                (name + bound for bound in BOUNDS), (interval.low, interval.high), strict=True
            )
    return both


def mean_interval(
    values: Floats, people: Integers, seed: int = SAMPLE_SEED, replicates: int = REPLICATES
) -> Interval | None:
    """Return the interval of the mean of whatever each image has a value of.

    Args:
        values: Of each image, (N,): 0 or 1 where the figure is a share; NaN of images that do not
            count.
        people: Number of the person each image shows, (N,).
        seed: Of the draws.
        replicates: How often people are drawn.

    Returns:
        None as in ``Intervals``.
    """
    draws = draw_people(people, replicates, seed)
    return interval_of(mean_replicates(values, people, draws), draws)


def attribute_intervals(
    labels: Integers,
    scores: Floats,
    people: Integers,
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the intervals of :func:`sanmodel.evaluation.protocol.attribute_metrics`.

    Args:
        labels: True classes, (N,), 0 or 1.
        scores: Probabilities of class 1, (N,).
        people: Number of the person each image shows, (N,).
        seed: Of the draws.
        replicates: How often people are drawn.
    """
    draws = draw_people(people, replicates, seed)
    figures = attribute_replicates(labels, scores, people, draws)
    return {name: interval_of(values, draws) for name, values in figures.items()}


def error_change_interval(
    labels: Integers,
    before: Floats,
    after: Floats,
    people: Integers,
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Interval | None:
    """Return the interval of how much more images are read wrongly after than before.

    The same people are drawn for both, so that what is hard about a person counts for neither.

    Args:
        labels: True classes, (N,), 0 or 1.
        before: Probabilities of class 1 of one variant, (N,).
        after: Those of another.
        people: Number of the person each image shows, (N,).
        seed: Of the draws.
        replicates: How often people are drawn.
    """
    draws = draw_people(people, replicates, seed)
    wrong = [((scores > THRESHOLD) != labels).astype(np.float64) for scores in (before, after)]
    return interval_of(mean_replicates(wrong[1] - wrong[0], people, draws), draws)


def identification_intervals(
    result: Identification,
    ranks: Sequence[int] = RANKS,
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the intervals of the rates ``rank_<k>``.

    The people of the probes are drawn; the gallery stays whole. A replicate lacks a third of the
    people, and among fewer it is easier to be the first.

    Args:
        result: The ranks of M probes.
        ranks: Ranks k.
        seed: Of the draws.
        replicates: How often people are drawn.
    """
    draws = draw_people(result.people, replicates, seed)
    figures = identification_replicates(result, ranks, draws)
    return {
        f"rank_{k}": interval_of(values, draws) if result.rate(k) is not None else None
        for k, values in zip(ranks, figures.T, strict=True)
    }


def draw_people(people: Integers, replicates: int, seed: int) -> Integers:
    """Draw as many people as there are, with replacement.

    Returns:
        How often each replicate draws each of P people, in the order of their numbers, (R, P);
        read-only.
    """
    count = len(np.unique(people))
    return _draws(count, replicates, seed) if count else np.zeros((replicates, 0), dtype=np.int64)


@lru_cache(maxsize=2)  # of all people and of those with several images, for every table
def _draws(count: int, replicates: int, seed: int) -> Integers:
    chances = np.full(count, 1 / count)
    drawn = np.random.default_rng(seed).multinomial(count, chances, size=replicates)
    draws: Integers = drawn.astype(np.int64)
    draws.flags.writeable = False
    return draws


def mean_replicates(values: Floats, people: Integers, draws: Integers) -> Floats:
    """Return the mean of the images' values in each replicate, (R,), NaN where it has no image.

    Args:
        values: Of each image, (N,); NaN of images that do not count.
        people: Number of the person each image shows, (N,).
        draws: What :func:`draw_people` drew, (R, P).
    """
    counted = ~np.isnan(values)
    person = places_of(people)[counted]
    sums = np.bincount(person, values[counted], draws.shape[1]).astype(np.float64)
    return ratio(draws @ sums, _drawn(person, draws))


def attribute_replicates(
    labels: Integers, scores: Floats, people: Integers, draws: Integers
) -> dict[str, Floats]:
    """Return the attribute's figures in each replicate, (R,), NaN where undefined.

    Args:
        labels: True classes, (N,), 0 or 1.
        scores: Probabilities of class 1, (N,).
        people: Number of the person each image shows, (N,).
        draws: What :func:`draw_people` drew, (R, P).
    """
    person = places_of(people)
    wrong = (scores > THRESHOLD) != labels
    classes = {"error_rate": labels >= 0}
    classes |= {f"error_rate_class_{label}": labels == label for label in (0, 1)}
    figures = {
        name: ratio(
            _drawn(person[chosen & wrong], draws),
            _drawn(person[chosen], draws),
        )
        for name, chosen in classes.items()
    }
    return {**figures, "auc": _auc(labels, scores, person, draws)}


def identification_replicates(
    result: Identification, ranks: Sequence[int], draws: Integers
) -> Floats:
    """Return the rank-k rates in each replicate, (R, ranks), NaN where undefined.

    Args:
        result: The ranks of M probes.
        ranks: Ranks k.
        draws: What :func:`draw_people` drew of the people of the probes, (R, P).
    """
    person = places_of(result.people)
    probes = _drawn(person, draws)
    found = [_drawn(person[result.ranks <= k], draws) for k in ranks]
    return np.stack([ratio(hits, probes) for hits in found], axis=1)


def _auc(labels: Integers, scores: Floats, person: Integers, draws: Integers) -> Floats:
    """Return the area under the ROC curve in each replicate, (R,).

    It is the share of pairs of one image of each class that are in order, where pairs of equal
    scores count half (Hanley and McNeil, "The meaning and use of the area under a receiver
    operating characteristic curve", 1982).
    """
    order = np.argsort(scores)
    _, starts = np.unique(scores[order], return_index=True)
    positive = labels[order] == 1
    rows = max(1, BLOCK_WEIGHTS // max(1, len(scores)))
    areas = []
    for start in range(0, len(draws), rows):
        weights = draws[start : start + rows, person[order]].astype(np.float64)
        ones = np.add.reduceat(weights * positive, starts, axis=1)
        zeros = np.add.reduceat(weights * ~positive, starts, axis=1)
        below = np.cumsum(zeros, axis=1) - zeros / 2
        areas.append(ratio((ones * below).sum(axis=1), ones.sum(axis=1) * zeros.sum(axis=1)))
    return np.concatenate(areas)


def places_of(people: Integers) -> Integers:
    """Return each image's place of its person in the order of their numbers, (N,)."""
    return np.asarray(np.unique(people, return_inverse=True)[1], dtype=np.int64)


def _drawn(person: Integers, draws: Integers) -> Floats:
    """Return how many of some images, (n,) by their persons' places, each replicate has, (R,)."""
    images = np.bincount(person, minlength=draws.shape[1])
    return (draws @ images).astype(np.float64)


def ratio(part: Floats, whole: Floats | Integers) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    ratio: Floats = np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)
    return ratio


def interval_of(values: Floats, draws: Integers) -> Interval | None:
    """Return the interval of a figure's replicates, (R,); see ``Intervals``."""
    defined = values[~np.isnan(values)]
    if draws.shape[1] < 2 or len(defined) < (1 - MOST_UNDEFINED) * len(values):
        return None
    low, high = np.percentile(defined, PERCENTILES)
    return Interval(float(low), float(high))
