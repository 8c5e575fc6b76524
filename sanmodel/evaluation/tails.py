"""A sample of impostor pairs that is dense where the thresholds of small false match rates lie.

The threshold at a false match rate of 0.001 rests on the nearest thousandth of the impostor pairs.
A plain sample wastes nearly all its pairs on the rest. This one is stratified: a stratum ends at
``MARGIN`` times each rate, the last takes what is left, and of each about ``STRATUM_PAIRS`` pairs
are kept at random (all, if there are no more), each standing for as many as its stratum lost.
Weighted so, every count of impostor pairs below a distance has the right expectation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanmodel.evaluation.pairs import (
    Floats,
    Impostors,
    Integers,
    count_impostors,
    impostor_blocks,
    measured_impostors,
    random_impostors,
)

STRATUM_PAIRS = 100_000
"""Pairs of each stratum that are kept: a quarter lies below the threshold, so that the sample
errs by 0.6 % in the number of false matches that a threshold has."""

MARGIN = 4
"""How many times a rate its stratum reaches: resampled people move the threshold that far."""

PILOT_PAIRS = 200_000
"""Pairs drawn to find where the strata end."""


@dataclass(frozen=True)
class ImpostorSample:
    """Impostor pairs by ascending distance.

    Attributes:
        distances: Euclidean distances, (n,).
        probes: Number of the person whom each probe shows, (n,).
        gallery: Number of the person whom each gallery image shows, (n,).
        weights: How many impostor pairs each pair stands for, (n,), at least 1.
    """

    distances: Floats
    probes: Integers
    gallery: Integers
    weights: Floats

    def nearest(self, share: float) -> "ImpostorSample":
        """Return those of the pairs that stand for a share of all impostor pairs, the nearest."""
        counts = np.cumsum(self.weights)
        end = int(np.searchsorted(counts, share * counts[-1:].sum(), side="right"))
        return ImpostorSample(
            self.distances[:end], self.probes[:end], self.gallery[:end], self.weights[:end]
        )


def sample_impostors(
    probes: Floats, gallery: Floats, people: Integers, rates: Sequence[float], seed: int
) -> ImpostorSample:
    """Walk over the impostor pairs once and keep a sample for some false match rates.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        rates: False match rates whose thresholds the sample is to tell.
        seed: Of the draw.
    """
    pilot = random_impostors(probes, gallery, people, PILOT_PAIRS, seed).distances
    ends = _ends(pilot, rates)
    share = _share(pilot, ends, measured_impostors(people))
    rng = np.random.default_rng([seed, 1])  # apart from the draw of the pairs themselves
    kept = []
    for block in impostor_blocks(probes, gallery, people, seed):
        chances = share[np.searchsorted(ends, block.distances)]
        chosen = rng.random(len(chances)) < chances
        kept.append(Impostors(block.distances[chosen], block.cells[chosen]))
    distances = np.concatenate([np.empty(0), *(part.distances for part in kept)])
    order = np.argsort(distances)
    cells = np.concatenate([np.empty(0, dtype=np.int64), *(part.cells for part in kept)])[order]
    measured = count_impostors(people) / max(1, measured_impostors(people))
    return ImpostorSample(
        distances=distances[order],
        probes=people[cells // max(1, len(people))],
        gallery=people[cells % max(1, len(people))],
        weights=measured / share[np.searchsorted(ends, distances[order])],
    )


def _ends(pilot: Floats, rates: Sequence[float]) -> Floats:
    """Return the distances at which all strata but the last end, ascending."""
    reach = [MARGIN * rate for rate in rates if MARGIN * rate < 1]
    return np.unique(np.quantile(pilot, reach)) if len(pilot) else np.empty(0)


def _share(pilot: Floats, ends: Floats, impostors: int) -> Floats:
    """Return the share of each stratum that is kept, (strata,)."""
    counts = np.bincount(np.searchsorted(ends, pilot), minlength=len(ends) + 1)
    expected = counts / max(1, len(pilot)) * impostors
    return np.minimum(1, STRATUM_PAIRS / np.maximum(1, expected))
