"""The check that the ONNX file computes what the network does: the paper's what figure 2 draws."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.perturber import MODES, OUTPUT, WEIGHTS
from sanmodel.runtime.runtimes.onnx_cpu import open_session
from sanmodel.tables import LANDMARKS, iterate_rows, landmarks_of

MAX_FACES = 16

HALF_A_LEVEL = 0.5
"""By so much a rounded grey level may lie from the value."""

REFERENCE_BATCH = 4
"""The literal figure holds 100 MB of maps for four images."""


@dataclass(frozen=True)
class Faces:
    """Some crops.

    Attributes:
        images: Grey, (N, 224, 224), 0 to 255.
        labels: Class of each, (N,) int64, 0 or 1.
        landmarks: Of each face, (N, 5, 2) in pixels.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    landmarks: NDArray[np.float32]


def load_faces(crops: Path, split: str, attribute: str, count: int = MAX_FACES) -> Faces:
    """Return the first crops of one side, at most ``count``.

    Raises:
        SanError: If the table is missing or damaged or has no crop on that side.
    """
    rows = iterate_rows(crops, ["image_id", "split", attribute, *LANDMARKS, "image"])
    side = list(islice((row for row in rows if row["split"] == split), count))
    if not side:
        raise SanError(f"{crops} has no {split} images: change preprocess.test_share")
    images = [to_grey(decode_rgb(row["image"], f"{crops}: {row['image_id']}")) for row in side]
    labels = np.array([row[attribute] for row in side], np.int64)
    return Faces(np.stack(images), labels, np.stack([landmarks_of(row) for row in side]))


def largest_difference(
    onnx: Path,
    autoencoder: nn.Module,
    prototypes: Prototypes,
    faces: Faces,
    max_batch: int,
) -> float:
    """Compare ONNX Runtime with PyTorch.

    The faces are perturbed as members of class 0 and class 1 by turns, whatever they show, in
    batches of 1, of 2 and of as many as there are and the file takes.

    Args:
        onnx: The exported file.
        autoencoder: The weights that it was made from.
        prototypes: Likewise.
        faces: What to perturb.
        max_batch: Largest batch that the file takes.

    Returns:
        The largest absolute difference of a pixel (0 to 1) of any of the three outputs, beyond what
        rounding to grey levels explains.

    Raises:
        SanError: If the file cannot be opened.
    """
    session = open_session(onnx)
    ports = [port.name for port in session.get_inputs()]
    X = torch.from_numpy(faces.images).unsqueeze(1).to(torch.float32).div(255)
    y = torch.arange(len(X)) % 2
    landmarks = torch.from_numpy(faces.landmarks)
    expected = _reference(autoencoder, prototypes, X, y, landmarks)
    values = {
        "image": _images_for(session, faces.images),
        "attribute": y.numpy(),
        "mode": np.tile(np.array([WEIGHTS[mode] for mode in MODES], np.float32), (len(X), 1)),
        "landmarks": faces.landmarks,
    }
    differences = []
    for size in sorted({1, 2, min(len(X), max_batch)}):
        for part in slices(len(X), size):
            inputs = {name: values[name][part] for name in ports}
            (found,) = session.run([OUTPUT], inputs)
            differences.append(_difference(found, expected[part]))
    return float(np.max(differences))


def _images_for(session: Any, images: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the images in the type that a file takes."""
    kind = next(port.type for port in session.get_inputs() if port.name == "image")
    return images / np.float32(255) if kind == "tensor(float)" else images


def _difference(found: NDArray[Any], expected: NDArray[np.float32]) -> float:
    """Return how far images, grey levels or 0 to 1, are from where they should be, 0 to 1."""
    if found.dtype != np.uint8:
        return float(np.abs(found - expected).max())
    levels = np.abs(found - 255 * expected).max()
    return max(0.0, float(levels) - HALF_A_LEVEL) / 255


def require_parity(difference: float, tolerance: float, onnx: Path) -> None:
    """Refuse a file that computes something else than the weights do.

    Raises:
        SanError: If the difference is above the tolerance (or not a number).
    """
    if not difference <= tolerance:
        raise SanError(
            f"{onnx.name} differs from PyTorch by up to {difference:.1e} of a pixel's range,"
            f" allowed is {tolerance:.1e}: raise export.tolerance or try another export.opset"
        )


def _reference(
    autoencoder: nn.Module, prototypes: Prototypes, X: Tensor, y: Tensor, landmarks: Tensor
) -> NDArray[np.float32]:
    """Compute all outputs, the paper's layer by layer, (N, 3, 224, 224) as in ``MODES``."""
    perturb = autoencoder.forward_literal if isinstance(autoencoder, Autoencoder) else autoencoder
    parts = []
    with torch.no_grad():
        for part in slices(len(X), REFERENCE_BATCH):
            P = prototypes.for_faces(y[part], landmarks[part])
            outputs = perturb(X[part], P.same, [P.same, P.neutral, P.opposite])
            parts.append(torch.cat(outputs, dim=1))
    return torch.cat(parts).numpy()


def slices(total: int, size: int) -> Iterator[slice]:
    """Return the places of so many things, a few at a time."""
    return (slice(start, start + size) for start in range(0, total, size))
