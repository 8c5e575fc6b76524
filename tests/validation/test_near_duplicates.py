"""Look-alikes across the split: the same pairs as comparing all with all."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from sanmodel.validation import near_duplicates as module
from sanmodel.validation.near_duplicates import close_pairs, near_duplicates


def hashes(number: int, seed: int) -> NDArray[np.uint64]:
    """Random hashes of which each has a look-alike in the other lists, 0 to 9 bits away."""
    random = np.random.default_rng(seed)
    found = np.random.default_rng(0).integers(0, 2**64, number, dtype=np.uint64)
    for index in range(number):
        for bit in random.choice(64, random.integers(0, 10), replace=False):
            found[index] ^= np.uint64(1) << np.uint64(bit)
    return found


def all_with_all(
    left: NDArray[np.uint64], right: NDArray[np.uint64], distance: int
) -> set[tuple[int, int, int]]:
    bits = np.bitwise_count(left[:, None] ^ right[None, :])
    return {(i, j, int(bits[i, j])) for i, j in np.argwhere(bits <= distance).tolist()}


@pytest.mark.parametrize("distance", [0, 1, 4, 7, 10])
def test_each_close_pair_is_found_once(distance: int) -> None:
    left, right = hashes(300, 1), hashes(250, 2)
    # Equal in every band: found five times over by a distance of 4, counted once.
    right[:20] = left[100]

    pairs, total = close_pairs(left, right, distance)

    expected = all_with_all(left, right, distance)
    assert len(expected) >= 20
    assert total == len(pairs) == len(expected)
    assert set(map(tuple, pairs.tolist())) == expected


def test_many_pairs_are_compared_in_parts_and_the_closest_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_CANDIDATES", 50)
    monkeypatch.setattr(module, "MAX_PAIRS", 30)
    left, right = hashes(200, 1), hashes(200, 2)

    pairs, total = close_pairs(left, right, 10)

    expected = all_with_all(left, right, 10)
    assert total == len(expected) > 30
    closest = sorted(distance for _, _, distance in expected)[:30]
    assert sorted(pairs[:, 2].tolist()) == closest
    assert set(map(tuple, pairs.tolist())) <= expected


def test_no_picture_on_one_side_is_no_pair() -> None:
    nothing = np.empty(0, dtype=np.uint64)
    assert close_pairs(nothing, hashes(5, 1), 4)[1] == 0
    assert close_pairs(hashes(5, 1), nothing, 4)[1] == 0


def test_pairs_are_named_and_only_across_the_split() -> None:
    crops = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d", "e"],
            "identity": ["p", "p", "q", "p", "q"],
            "split": ["train", "train", "test", "test", "train"],
            "perceptual_hash": [-1, -1, -2, -1, 0],
        }
    )

    found = near_duplicates(crops, 4)

    assert found.total == 4
    assert found.pairs.to_dict("split")["data"] == [
        [0, "a", "p", "d", "p", True],
        [0, "b", "p", "d", "p", True],
        [1, "a", "p", "c", "q", False],
        [1, "b", "p", "c", "q", False],
    ]


def test_two_hundred_thousand_hashes_take_seconds() -> None:
    every = np.random.default_rng(3).integers(0, 2**64, 200_000, dtype=np.uint64)
    left, right = every[:160_000], every[160_000:].copy()
    right[:100] = left[:100] ^ np.uint64(0b1011)

    pairs, total = close_pairs(left, right, 4)

    assert total == 100
    assert (pairs[:, 2] == 3).all()
