"""The test crops and what the trained autoencoder makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanmodel.images import Picture, decode_rgb, to_grey
from sanmodel.perturber import OUTPUTS, Perturber
from sanmodel.tables import LANDMARKS, iterate_rows, landmarks_of

VARIANTS = ("original", *OUTPUTS)
"""The grey original and its outputs."""

BOX = ("face_left", "face_top", "face_right", "face_bottom")


@dataclass(frozen=True)
class Batch:
    """Some test images.

    Attributes:
        image_ids: Name of each image, B.
        boxes: Left, top, right, bottom of each face in pixels of the crop, (B, 4).
        images: For each of ``VARIANTS`` the grey images, (B, 224, 224).
    """

    image_ids: list[str]
    boxes: NDArray[np.float64]
    images: dict[str, NDArray[np.uint8]]


def perturbed_batches(
    crops: Path, attribute: str, perturber: Perturber, batch_size: int
) -> Iterator[Batch]:
    """Yield the test side of a crops table in its order, one shard and batch in memory.

    Raises:
        SanError: If the table or an image is damaged.
    """
    columns = ["image_id", "split", attribute, *BOX, *LANDMARKS, "image"]
    rows = (row for row in iterate_rows(crops, columns) if row["split"] == "test")
    while chosen := list(islice(rows, batch_size)):
        grey = np.stack([_grey(row) for row in chosen])
        labels = [row[attribute] for row in chosen]
        landmarks = np.stack([landmarks_of(row) for row in chosen])
        outputs = perturber.outputs(grey, labels, landmarks)
        yield Batch(
            image_ids=[row["image_id"] for row in chosen],
            boxes=np.array([[row[edge] for edge in BOX] for row in chosen], dtype=np.float64),
            images={"original": grey, **outputs},
        )


def _grey(row: dict[str, Any]) -> Picture:
    return to_grey(decode_rgb(row["image"], row["image_id"]))
