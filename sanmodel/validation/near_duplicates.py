"""Pictures that look alike on both sides of the split, found by their perceptual hashes.

Comparing 160,000 training with 40,000 test pictures pair by pair would be 6.4 billion comparisons.
Two hashes that differ in at most d of 64 bits agree whole in at least one of d + 1 bands of bits
(there are more bands than differing bits), so only pairs with an equal band are compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BITS = 64
COLUMNS = (
    "distance",
    "train_image_id",
    "train_identity",
    "test_image_id",
    "test_identity",
    "same_person",
)
"""Columns of :attr:`NearDuplicates.pairs`."""

MAX_PAIRS = 100_000
"""Pairs that are listed, the closest first; all are counted."""

_CANDIDATES = 1 << 22
"""Pairs that are compared at once: some 100 MB."""

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]


@dataclass(frozen=True)
class NearDuplicates:
    """What was found.

    Attributes:
        pairs: The closest ``MAX_PAIRS`` pairs with ``COLUMNS``, ordered by distance and ids;
            ``distance`` is the number of bits in which the hashes differ.
        total: Number of all pairs within the distance.
    """

    pairs: pd.DataFrame
    total: int


def near_duplicates(crops: pd.DataFrame, distance: int) -> NearDuplicates:
    """Find pairs of a training and a test picture whose hashes differ in few bits.

    Args:
        crops: Columns ``image_id``, ``identity``, ``split`` and ``perceptual_hash`` (64 bits as
            a signed integer).
        distance: Largest number of bits in which the hashes of a pair differ.
    """
    train, test = (crops[crops["split"] == side] for side in ("train", "test"))
    found, total = close_pairs(_bits(train), _bits(test), distance)
    left, right = train.iloc[found[:, 0]], test.iloc[found[:, 1]]
    columns = (
        found[:, 2],
        left["image_id"].to_numpy(),
        left["identity"].to_numpy(),
        right["image_id"].to_numpy(),
        right["identity"].to_numpy(),
        left["identity"].to_numpy() == right["identity"].to_numpy(),
    )
    pairs = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    order = ["distance", "train_image_id", "test_image_id"]
    return NearDuplicates(pairs.sort_values(order, ignore_index=True), total)


def close_pairs(left: Hashes, right: Hashes, distance: int) -> tuple[Pairs, int]:
    """Find pairs of hashes, one of either side, that differ in at most ``distance`` bits.

    Returns:
        Position in ``left``, position in ``right`` and distance of the closest ``MAX_PAIRS``
        pairs, (pairs, 3); and the number of all pairs.
    """
    bands = _bands(distance + 1)
    kept, total = np.empty((0, 3), dtype=np.int64), 0
    for number, band in enumerate(bands):
        for one, other in _candidates(left & band, right & band):
            difference = left[one] ^ right[other]
            bits = np.bitwise_count(difference)
            # A pair with several equal bands is told at the first of them.
            new = bits <= distance
            for earlier in bands[:number]:
                new &= (difference & earlier) != 0
            total += int(new.sum())
            found = np.stack([one[new], other[new], bits[new].astype(np.int64)], axis=1)
            kept = _closest(np.concatenate([kept, found]))
    return kept, total


def _bits(crops: pd.DataFrame) -> Hashes:
    return crops["perceptual_hash"].to_numpy(dtype=np.int64).view(np.uint64)


def _bands(number: int) -> list[np.uint64]:
    """Return masks that part the 64 bits into ``number`` bands of about equal width."""
    edges = [BITS * index // number for index in range(number + 1)]
    return [np.uint64((1 << high) - (1 << low)) for low, high in pairwise(edges)]


def _candidates(left: Hashes, right: Hashes) -> Iterator[tuple[Pairs, Pairs]]:
    """Yield the positions of all pairs of equal keys, at most ``_CANDIDATES`` pairs at a time."""
    order = np.argsort(right, kind="stable")
    keys = right[order]
    first = np.searchsorted(keys, left, "left")
    count = np.searchsorted(keys, left, "right") - first
    chunk = np.cumsum(count) // _CANDIDATES
    for rows in np.split(np.arange(len(left)), np.flatnonzero(np.diff(chunk)) + 1):
        one = np.repeat(rows, count[rows])
        start = np.repeat(np.cumsum(count[rows]) - count[rows], count[rows])
        other = np.repeat(first[rows], count[rows]) + np.arange(len(one)) - start
        yield one, order[other]


def _closest(pairs: Pairs) -> Pairs:
    if len(pairs) <= MAX_PAIRS:
        return pairs
    return pairs[np.argsort(pairs[:, 2], kind="stable")[:MAX_PAIRS]]
