"""Six images of three people in three variants, and their export for programs elsewhere."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.exchange import export_images

PEOPLE = np.array([0, 0, 1, 1, 1, 2])
MATCHED = np.array([True, True, True, True, False, True])
IDS = np.array([f"person {p}/../{i}" for i, p in enumerate(PEOPLE)], dtype=object)
VARIANTS = ("original", "SM", "OP")


def pictures() -> dict[str, NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    shape = (len(PEOPLE), 224, 224)
    return {name: rng.integers(0, 256, shape, dtype=np.uint8) for name in VARIANTS}


def export(folder: Path, **changes: Any) -> None:
    arguments: dict[str, Any] = {
        "image_ids": IDS,
        "people": PEOPLE,
        "matched": MATCHED,
        "variants": pictures(),
        "seed": 1,
    }
    export_images(folder, **(arguments | changes))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
