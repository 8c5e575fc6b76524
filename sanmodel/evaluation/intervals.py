"""How far the figures depend on who happens to stand on the test side: bootstrap intervals.

A replicate draws as many people as there are, with replacement, and each person brings all of the
person's images (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; for matching:
Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap",
2004). Images of one person are alike, so that images drawn one by one would claim too much. An
interval reaches from the 2.5th to the 97.5th percentile of a figure's replicates. The same seed
draws the same people for every classifier, matcher and variant.

A person drawn w times counts w times: images and genuine pairs w times, impostor pairs of people
drawn w and v times w v times; copies of one person are not each other's impostors. Each replicate
finds its own threshold.

Exact are the attribute's figures, identification, and all genuine pairs. Impostor pairs are
exact as long as a stratum of :mod:`sanmodel.evaluation.tails` has no more than ``STRATUM_PAIRS``
of them, as up to about 1,500 images at a false match rate of 0.01; beyond, a threshold rests on
about 25,000 of its false matches, drawn with the seed. Of 20,000 images of 1,000 made-up people,
the sample put the true match rates at 0.01 and 0.001 at 0.9748 and 0.8606 instead of 0.9749 and
0.8597; their intervals are 0.003 and 0.011 wide. The deviation is random, without a bias.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sanmodel.evaluation.identification import RANKS, Identification
from sanmodel.evaluation.measures import BOUNDS
from sanmodel.evaluation.pairs import (
    SAMPLE_SEED,
    Floats,
    Integers,
    genuine_distances,
    measured_impostors,
)
from sanmodel.evaluation.protocol import THRESHOLD, allowed_matches, true_match_name
from sanmodel.evaluation.tails import MARGIN, ImpostorSample, sample_impostors

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
    return _interval(mean_replicates(values, people, draws), draws)


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
    return {name: _interval(values, draws) for name, values in figures.items()}


def true_match_intervals(
    probes: Floats,
    gallery: Floats,
    people: Integers,
    rates: Sequence[float],
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the intervals of the true match rates ``tmr_at_fmr_<rate>``.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        rates: False match rates.
        seed: Of the draws of people and of impostor pairs.
        replicates: How often people are drawn.
    """
    draws = draw_people(people, replicates, seed)
    figures = true_match_replicates(probes, gallery, people, rates, draws, seed)
    impostors = measured_impostors(people)
    return {
        true_match_name(rate): _interval(values, draws)
        if allowed_matches(rate, impostors) >= 1
        else None
        for rate, values in zip(rates, figures.T, strict=True)
    }


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
        f"rank_{k}": _interval(values, draws) for k, values in zip(ranks, figures.T, strict=True)
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
    person = _places(people)[counted]
    sums = np.bincount(person, values[counted], draws.shape[1]).astype(np.float64)
    return _ratio(draws @ sums, _drawn(person, draws))


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
    person = _places(people)
    wrong = (scores > THRESHOLD) != labels
    classes = {"error_rate": labels >= 0}
    classes |= {f"error_rate_class_{label}": labels == label for label in (0, 1)}
    figures = {
        name: _ratio(
            _drawn(person[chosen & wrong], draws),
            _drawn(person[chosen], draws),
        )
        for name, chosen in classes.items()
    }
    return {**figures, "auc": _auc(labels, scores, person, draws)}


def true_match_replicates(
    probes: Floats,
    gallery: Floats,
    people: Integers,
    rates: Sequence[float],
    draws: Integers,
    seed: int,
) -> Floats:
    """Return the true match rates in each replicate, (R, rates), NaN where undefined.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        rates: False match rates.
        draws: What :func:`draw_people` drew, (R, P).
        seed: Of the draw of impostor pairs.
    """
    person = _places(people)
    images = np.bincount(person)
    pairs = images * (images - 1)
    sample = sample_impostors(probes, gallery, person, rates, seed)
    thresholds = _thresholds(sample, images, rates, draws)
    genuine = np.split(genuine_distances(probes, gallery, person), np.cumsum(pairs)[:-1])
    matches = np.zeros(thresholds.shape)
    for times, distances in zip(draws.T, genuine, strict=False):
        matches += times[:, None] * np.searchsorted(np.sort(distances), thresholds, side="left")
    tmr = _ratio(matches, (draws @ pairs)[:, None])
    return np.where(np.isnan(thresholds), np.nan, tmr)


def identification_replicates(
    result: Identification, ranks: Sequence[int], draws: Integers
) -> Floats:
    """Return the rank-k rates in each replicate, (R, ranks), NaN where undefined.

    Args:
        result: The ranks of M probes.
        ranks: Ranks k.
        draws: What :func:`draw_people` drew of the people of the probes, (R, P).
    """
    person = _places(result.people)
    probes = _drawn(person, draws)
    found = [_drawn(person[result.ranks <= k], draws) for k in ranks]
    return np.stack([_ratio(hits, probes) for hits in found], axis=1)


def _thresholds(
    sample: ImpostorSample, images: Integers, rates: Sequence[float], draws: Integers
) -> Floats:
    """Return the distance below which a pair is a match, by replicate and rate, (R, rates).

    It is the distance of the first impostor pair that is one too many: infinite where none is,
    NaN where the rate allows none.
    """
    thresholds = np.empty((len(draws), len(rates)))
    distances = np.append(sample.distances, np.inf)
    nearest = sample.nearest(MARGIN * max(rates, default=0))  # enough for nearly every replicate
    for row, times in zip(thresholds, draws.astype(np.float64), strict=True):
        present = times * images
        impostors = int(present.sum() ** 2 - (present**2).sum())
        allowed = np.array([allowed_matches(rate, impostors) for rate in rates])
        false_matches = _false_matches(nearest, times)
        if len(false_matches) == 0 or false_matches[-1] <= allowed.max(initial=0):
            false_matches = _false_matches(sample, times)
        row[:] = distances[np.searchsorted(false_matches, allowed, side="right")]
        row[allowed < 1] = np.nan
    return thresholds


def _false_matches(sample: ImpostorSample, times: Floats) -> Floats:
    """Count the impostor pairs up to each of the sample's, person p being there times[p] times."""
    return np.cumsum(sample.weights * times[sample.probes] * times[sample.gallery])


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
        areas.append(_ratio((ones * below).sum(axis=1), ones.sum(axis=1) * zeros.sum(axis=1)))
    return np.concatenate(areas)


def _places(people: Integers) -> Integers:
    """Return each image's place of its person in the order of their numbers, (N,)."""
    return np.asarray(np.unique(people, return_inverse=True)[1], dtype=np.int64)


def _drawn(person: Integers, draws: Integers) -> Floats:
    """Return how many of some images, (n,) by their persons' places, each replicate has, (R,)."""
    images = np.bincount(person, minlength=draws.shape[1])
    return (draws @ images).astype(np.float64)


def _ratio(part: Floats, whole: Floats | Integers) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    ratio: Floats = np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)
    return ratio


def _interval(values: Floats, draws: Integers) -> Interval | None:
    """Return the interval of a figure's replicates, (R,); see ``Intervals``."""
    defined = values[~np.isnan(values)]
    if draws.shape[1] < 2 or len(defined) < (1 - MOST_UNDEFINED) * len(values):
        return None
    low, high = np.percentile(defined, PERCENTILES)
    return Interval(float(low), float(high))
