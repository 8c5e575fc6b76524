"""Bootstrap intervals of true match rates: each replicate of the people finds its own threshold.

People drawn w and v times bring their genuine pairs w times, and their impostor pairs w times v
times; copies of one person are not each other's impostors. See
:mod:`sanmodel.evaluation.intervals`.

All genuine pairs are exact. Impostor pairs are exact as long as a stratum of
:mod:`sanmodel.evaluation.tails` has no more than ``STRATUM_PAIRS`` of them, as up to about 1,500
images at a false match rate of 0.01; beyond, a threshold rests on about 25,000 of its false
matches, drawn with the seed. Of 20,000 images of 1,000 made-up people, the sample put the true
match rates at 0.01 and 0.001 at 0.9748 and 0.8606 instead of 0.9749 and 0.8597; their intervals are
0.003 and 0.011 wide. The deviation is random, without a bias.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.intervals import (
    REPLICATES,
    Intervals,
    draw_people,
    interval_of,
    places_of,
    ratio,
)
from sanmodel.evaluation.pairs import (
    SAMPLE_SEED,
    Floats,
    Integers,
    count_impostors,
    genuine_distances,
    measured_impostors,
)
from sanmodel.evaluation.protocol import PairScores, allowed_matches, true_match_name
from sanmodel.evaluation.tails import MARGIN, ImpostorSample, sample_impostors


@dataclass(frozen=True)
class Genuine:
    """Genuine pairs.

    Attributes:
        distances: How far apart the images of each pair are, (n,).
        person: Place of the person they show, among all in the order of their numbers, (n,).
    """

    distances: Floats
    person: Integers


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
    return rate_intervals(figures, rates, measured_impostors(people), draws)


def group_match_intervals(
    probes: Floats,
    gallery: Floats,
    people: Integers,
    rate: float,
    groups: Mapping[str, NDArray[np.bool_]],
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the intervals of true match rates within groups, at the threshold of all faces.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        rate: False match rate.
        groups: By name which genuine pairs belong to it, in the order of
            :func:`sanmodel.evaluation.pairs.genuine_places`.
        seed: Of the draws of people and of impostor pairs.
        replicates: How often people are drawn.

    Returns:
        By the name of a group.
    """
    draws, person = draw_people(people, replicates, seed), places_of(people)
    sample = sample_impostors(probes, gallery, person, (rate,), seed)
    thresholds = _thresholds(sample, np.bincount(person), (rate,), draws)
    genuine = _genuine(probes, gallery, person)
    found: Intervals = {}
    for name, inside in groups.items():
        own = Genuine(genuine.distances[inside], genuine.person[inside])
        found[name] = interval_of(_match_rates(own, thresholds, draws)[:, 0], draws)
    return found


def scored_match_intervals(
    scored: PairScores,
    people: Integers,
    rates: Sequence[float],
    seed: int = SAMPLE_SEED,
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the intervals of :func:`true_match_intervals` of a matcher that gave scores only.

    Args:
        scored: Scores of all genuine pairs and of impostor pairs, which stand for all of them.
        people: Number of the person each image shows that takes part in matching, (N,).
        rates: False match rates.
        seed: Of the draws.
        replicates: How often people are drawn.
    """
    draws, numbers = draw_people(people, replicates, seed), np.unique(people)
    person = np.searchsorted(numbers, scored.people)
    same, distances = scored.genuine, -scored.scores
    order = np.flatnonzero(~same)[np.argsort(distances[~same])]
    weight = count_impostors(people) / max(1, len(order))
    of_probes, of_gallery = person[order].T
    weights = np.full(len(order), weight)
    sample = ImpostorSample(distances[order], of_probes, of_gallery, weights)
    images = np.bincount(places_of(people))
    thresholds = _thresholds(sample, images, rates, draws)
    figures = _match_rates(Genuine(distances[same], person[same, 0]), thresholds, draws)
    return rate_intervals(figures, rates, len(order), draws)


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
        draws: What :func:`sanmodel.evaluation.intervals.draw_people` drew, (R, P).
        seed: Of the draw of impostor pairs.
    """
    person = places_of(people)
    sample = sample_impostors(probes, gallery, person, rates, seed)
    thresholds = _thresholds(sample, np.bincount(person), rates, draws)
    return _match_rates(_genuine(probes, gallery, person), thresholds, draws)


def _genuine(probes: Floats, gallery: Floats, person: Integers) -> Genuine:
    """Measure all genuine pairs, in the order of their persons' places."""
    images = np.bincount(person)
    owners = np.repeat(np.arange(len(images)), images * (images - 1))
    return Genuine(genuine_distances(probes, gallery, person), owners)


def _match_rates(genuine: Genuine, thresholds: Floats, draws: Integers) -> Floats:
    """Return the share of the genuine pairs nearer than each threshold, (R, rates)."""
    order = np.argsort(genuine.person, kind="stable")
    pairs = np.bincount(genuine.person, minlength=draws.shape[1])
    own = np.split(genuine.distances[order], np.cumsum(pairs)[:-1])
    matches = np.zeros(thresholds.shape)
    for times, distances in zip(draws.T, own, strict=False):
        matches += times[:, None] * np.searchsorted(np.sort(distances), thresholds, side="left")
    rates = ratio(matches, (draws @ pairs)[:, None])
    return np.where(np.isnan(thresholds), np.nan, rates)


def _thresholds(
    sample: ImpostorSample, images: Integers, rates: Sequence[float], draws: Integers
) -> Floats:
    """Return the distance below which a pair is a match, by replicate and rate, (R, rates).

    It is the distance of the first impostor pair that is one too many: infinite where none is,
    NaN where the rate allows none.

    Args:
        sample: Impostor pairs, of people's places.
        images: Number of images of each of P people, (P,).
        rates: False match rates.
        draws: How often each replicate draws each person, (R, P).
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


def rate_intervals(
    figures: Floats, rates: Sequence[float], impostors: int, draws: Integers
) -> Intervals:
    """Return the interval of each rate's replicates, none of rates that the pairs cannot give.

    Args:
        figures: True match rates, or differences of them, by replicate, (R, rates).
        rates: False match rates.
        impostors: Number of impostor pairs that were measured.
        draws: How often each replicate draws each person, (R, P).
    """
    return {
        true_match_name(rate): interval_of(values, draws)
        if allowed_matches(rate, impostors) >= 1
        else None
        for rate, values in zip(rates, figures.T, strict=True)
    }
