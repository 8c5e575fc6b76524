"""The crops table as arrays: grey faces, memory-mapped, with class and identity."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from sanmodel.errors import SanError
from sanmodel.files import atomic_file, sha256_folder
from sanmodel.images import IMAGE_SIZE, decode_rgb, to_grey
from sanmodel.tables import LANDMARKS, attributes, iterate_rows, read_columns, require_attribute
from sanmodel.training.data import Examples


def load_examples(crops: Path, split: str, attribute: str, cache: Path) -> Examples:
    """Load one side of the split for training.

    The crops are decoded once into an uncompressed file under ``cache``, which is named after the
    content of the table, and memory-mapped from there.

    Args:
        crops: The table that ``preprocess`` writes.
        split: "train" or "test".
        attribute: Column of the class.
        cache: Folder of decoded crops; safe to delete.

    Returns:
        Grey images, classes, identities (numbered in the order of their names) and landmarks.

    Raises:
        SanError: If the table lacks the attribute or has no image on that side.
    """
    require_attribute(attributes(crops), attribute, crops)
    columns = read_columns(crops, ["image_id", "identity", "split", attribute, *LANDMARKS])
    chosen = columns[columns["split"] == split]
    if chosen.empty:
        raise SanError(f"{crops} has no {split} images: change preprocess.test_share")
    digest = hashlib.sha256(f"{sha256_folder(crops)}:{split}".encode()).hexdigest()
    path = cache / f"{split}-{digest[:16]}.npy"
    if not path.exists():
        _decode(crops, split, len(chosen), path)
    return Examples(
        images=np.load(path, mmap_mode="r"),
        y=chosen[attribute].to_numpy(dtype=np.int64),
        identity=pd.factorize(chosen["identity"], sort=True)[0].astype(np.int64),
        landmarks=np.array(chosen[list(LANDMARKS)], dtype=np.float32).reshape(-1, 5, 2),
        digest=digest,
    )


def _decode(crops: Path, split: str, count: int, path: Path) -> None:
    """Write the grey crops of one side to a ``.npy`` file and drop those of older tables."""
    for old in path.parent.glob(f"{split}-*.npy"):
        old.unlink()
    with atomic_file(path) as partial:
        faces = open_memmap(
            partial, mode="w+", dtype=np.uint8, shape=(count, IMAGE_SIZE, IMAGE_SIZE)
        )
        rows = iterate_rows(crops, ["image_id", "split", "image"])
        for index, row in enumerate(row for row in rows if row["split"] == split):
            faces[index] = to_grey(decode_rgb(row["image"], f"{crops}: {row['image_id']}"))
        faces.flush()
