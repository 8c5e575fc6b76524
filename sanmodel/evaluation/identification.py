"""Closed-set identification: whose image in the gallery looks most like the probe?

The gallery of a probe, a perturbed image, holds the originals of all other images, never the same
photo. A person is as near to the probe as the nearest of the person's images. The rank of a probe
is the place of its own person among all people from the nearest on; where people are equally near,
its own comes last. The rank-k rate is the share of probes whose rank is at most k (ISO/IEC 19795-1:
true-positive identification rate of a closed set).
"""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from sanmodel.evaluation.pairs import BLOCK_PAIRS, Floats, Integers

RANKS = (1, 5)
"""Ranks at which the rate is reported."""


@dataclass(frozen=True)
class Identification:
    """How near its own person is to each of M probes that has another image in the gallery.

    Attributes:
        ranks: Place of the own person among all, from 1 on, (M,).
        people: Number of the person each probe shows, (M,).
        sought: Number of people in the gallery.
    """

    ranks: Integers
    people: Integers
    sought: int

    def rate(self, k: int) -> float | None:
        """Return the rank-k rate.

        None without a probe, and among no more than k people, of whom each is always found.
        """
        measurable = len(self.ranks) > 0 and self.sought > k
        return float((self.ranks <= k).mean()) if measurable else None


def identify(probes: Floats, gallery: Floats, people: Integers) -> Identification:
    """Rank all people for every probe but those of people with one image only.

    Exact for any number of images. Memory: a few blocks of ``BLOCK_PAIRS`` distances.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
    """
    _, person, images = np.unique(people, return_inverse=True, return_counts=True)
    mated = np.flatnonzero(images[person] > 1)
    order = np.argsort(person, kind="stable")
    starts = np.cumsum(images) - images
    rows = max(1, BLOCK_PAIRS // max(1, len(people)))
    ranks = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(mated), rows):
        block = mated[start : start + rows]
        distances = euclidean_distances(probes[block], gallery[order])
        distances[block[:, None] == order] = np.inf
        nearest = np.minimum.reduceat(distances, starts, axis=1)
        own = nearest[np.arange(len(block)), person[block]]
        ranks.append((nearest <= own[:, None]).sum(axis=1))
    return Identification(np.concatenate(ranks), people[mated], len(images))
