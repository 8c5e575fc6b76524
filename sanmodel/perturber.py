"""The trained autoencoder in PyTorch: grey faces in, their three outputs out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes

OUTPUTS = ("SM", "NT", "OP")
"""The outputs: with the same, the neutral and the opposite prototype (paper, section 2.2.1)."""


@dataclass(frozen=True)
class ModelFiles:
    """The two files that make a model.

    Attributes:
        autoencoder: Weights of the network.
        prototypes: Prototypes that it was trained with.
    """

    autoencoder: Path
    prototypes: Path

    @classmethod
    def trained(cls, folder: Path) -> "ModelFiles":
        """Return the files that the pipeline writes to ``models``, the given folder."""
        names = Paths().autoencoder.name, Paths().prototypes.name
        return cls(*(folder / name for name in names))


class Perturber:
    """The trained autoencoder with its prototypes.

    Args:
        files: Where they lie.
        attribute: The attribute that both must be of.

    Raises:
        SanError: If a file is missing, damaged or of another attribute, or the autoencoder was
            trained with prototypes of another alignment.
    """

    def __init__(self, files: ModelFiles, attribute: str) -> None:
        self._prototypes = Prototypes.load(files.prototypes, attribute)
        align = self._prototypes.align
        self._network = load_autoencoder(files.autoencoder, attribute, align).eval()

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


def _to_uint8(X: Tensor) -> NDArray[np.uint8]:
    """Round (B, 1, 224, 224), 0 to 1, to (B, 224, 224), 0 to 255."""
    pixels: NDArray[np.uint8] = (X.squeeze(1) * 255).round().to(torch.uint8).numpy()
    return pixels
