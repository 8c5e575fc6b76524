"""Which images are for training and which for testing."""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.settings import PreprocessSettings

TEST_PARTITION = 2
"""CelebA's number for its own test images."""


def assign_split(
    images: pd.DataFrame, attribute: str, settings: PreprocessSettings, seed: int
) -> "pd.Series[str]":
    """Assign "train" or "test" to each image.

    With ``split: test`` all are tested. Else units (people, or images with ``split: random``) are
    ranked within their class by a hash of their name and the seed, and the first ``test_share`` of
    each class are tested. The order of the table plays no part, and a unit that is added later
    moves few others.

    Args:
        images: Columns ``image_id``, ``identity``, ``partition`` and the attribute (0 or 1).
        attribute: Column of the class.
        settings: ``split`` and ``test_share``.
        seed: Chooses among the possible splits.

    Returns:
        "train" or "test" per row.

    Raises:
        SanError: If ``split: partition`` meets images without one, or one side stays empty.
    """
    if settings.split == "test":
        return pd.Series("test", index=images.index)
    if settings.split == "partition":
        test = _own_partition(images)
    else:
        unit = images["identity" if settings.split == "identity" else "image_id"]
        has_it = images.groupby(unit.to_numpy())[attribute].mean() >= 0.5
        chosen = [_choose(has_it.index[has_it == c], settings.test_share, seed) for c in (0, 1)]
        test = unit.isin(chosen[0] | chosen[1]).to_numpy()
    if test.all() or not test.any():
        raise SanError(
            f"the split {settings.split!r} leaves the {'training' if test.all() else 'test'} side"
            " empty: add people or change preprocess.test_share"
        )
    return pd.Series(["test" if tested else "train" for tested in test], index=images.index)


def _own_partition(images: pd.DataFrame) -> NDArray[np.bool_]:
    if images["partition"].isna().any():
        raise SanError(
            "the source has no partition of its own: set preprocess.split to identity or random"
        )
    return (images["partition"] == TEST_PARTITION).to_numpy()


def _choose(units: pd.Index, share: float, seed: int) -> set[str]:
    """Return the first ``share`` of the units in the order of their hashes."""
    ranked = sorted(units, key=lambda unit: hashlib.sha256(f"{seed}:{unit}".encode()).digest())
    return set(ranked[: round(share * len(ranked))])
