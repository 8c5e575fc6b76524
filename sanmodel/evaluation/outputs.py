"""The test crops and what the trained autoencoder makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.images import Picture, decode_rgb, to_grey
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.tables import LANDMARKS, iterate_rows, landmarks_of

OUTPUTS = ("SM", "NT", "OP")
"""The outputs: with the same, the neutral and the opposite prototype (paper, section 2.2.1)."""

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


class Perturber:
    """The trained autoencoder with its prototypes.

    Args:
        autoencoder: Weights file.
        prototypes: Prototypes file.
        attribute: The attribute that both must be of.

    Raises:
        SanError: If a file is missing, damaged or of another attribute, or the autoencoder was
            trained with prototypes of another alignment.
    """

    def __init__(self, autoencoder: Path, prototypes: Path, attribute: str) -> None:
        self._prototypes = Prototypes.load(prototypes, attribute)
        align = self._prototypes.align
        self._network = load_autoencoder(autoencoder, attribute, align).eval()

    def outputs(
        self, grey: NDArray[np.uint8], labels: list[int], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.uint8]]:
        """Perturb images; as in the paper the true class chooses P_SM.

        Args:
            grey: Originals, (B, 224, 224).
            labels: Their classes, B times 0 or 1.
            landmarks: Of the faces, (B, 5, 2) in pixels.

        Returns:
            For each of ``OUTPUTS`` the images, (B, 224, 224).
        """
        X = torch.from_numpy(grey).unsqueeze(1).to(torch.float32).div_(255)
        P = self._prototypes.for_faces(torch.tensor(labels), torch.from_numpy(landmarks))
        with torch.inference_mode():
            P_SM = P.same
            perturbed = self._network(X, P_SM, [P_SM, P.neutral, P.opposite])
        return {name: _to_uint8(X) for name, X in zip(OUTPUTS, perturbed, strict=True)}


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


def _to_uint8(X: Tensor) -> NDArray[np.uint8]:
    """Round (B, 1, 224, 224), 0 to 1, to (B, 224, 224), 0 to 255."""
    pixels: NDArray[np.uint8] = (X.squeeze(1) * 255).round().to(torch.uint8).numpy()
    return pixels
