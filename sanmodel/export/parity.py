"""The check that the ONNX file computes what the network does: the paper's what figure 2 draws."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.onnx_runtime import open_session
from sanmodel.runtime.perturber import MODES
from sanmodel.tables import LANDMARKS, iterate_rows, landmarks_of

MAX_FACES = 16

REFERENCE_BATCH = 4
"""The literal figure holds 100 MB of maps for four images."""


@dataclass(frozen=True)
class Faces:
    """Some test crops.

    Attributes:
        images: Grey, (N, 224, 224), 0 to 255.
        landmarks: Of each face, (N, 5, 2) in pixels.
    """

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]


def load_faces(crops: Path) -> Faces:
    """Return the first test crops, at most ``MAX_FACES``.

    Raises:
        SanError: If the table is missing or damaged or has no test crop.
    """
    rows = iterate_rows(crops, ["image_id", "split", *LANDMARKS, "image"])
    test = list(islice((row for row in rows if row["split"] == "test"), MAX_FACES))
    if not test:
        raise SanError(f"{crops} has no test images: change preprocess.test_share")
    images = [to_grey(decode_rgb(row["image"], f"{crops}: {row['image_id']}")) for row in test]
    return Faces(np.stack(images), np.stack([landmarks_of(row) for row in test]))


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
        The largest absolute difference of a pixel (0 to 1) of any of the three outputs.

    Raises:
        SanError: If the file cannot be opened.
    """
    session = open_session(onnx)
    names = [port.name for port in session.get_inputs()]
    X = torch.from_numpy(faces.images).unsqueeze(1).to(torch.float32).div(255)
    y = torch.arange(len(X)) % 2
    landmarks = torch.from_numpy(faces.landmarks)
    expected = _reference(autoencoder, prototypes, X, y, landmarks)
    values = {"image": X.numpy(), "attribute": y.numpy(), "landmarks": faces.landmarks}
    differences = []
    for size in sorted({1, 2, min(len(X), max_batch)}):
        for part in _slices(len(X), size):
            inputs = {name: values[name][part] for name in names}
            found = np.stack(session.run(list(MODES), inputs))
            differences.append(np.abs(found - expected[:, part]).max())
    return float(np.max(differences))


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
    """Compute all outputs, the paper's layer by layer, (3, N, 1, 224, 224) as in ``MODES``."""
    perturb = autoencoder.forward_literal if isinstance(autoencoder, Autoencoder) else autoencoder
    parts = []
    with torch.no_grad():
        for part in _slices(len(X), REFERENCE_BATCH):
            P = prototypes.for_faces(y[part], landmarks[part])
            outputs = perturb(X[part], P.same, [P.same, P.neutral, P.opposite])
            parts.append(torch.stack(outputs))
    return torch.cat(parts, dim=1).numpy()


def _slices(total: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, total, size))
