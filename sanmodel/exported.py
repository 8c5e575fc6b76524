"""An exported model, as production runs it: grey faces in, their three outputs out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel import runtime
from sanmodel.errors import SanError
from sanmodel.paths import Paths
from sanmodel.runtime import Mode
from sanmodel.runtime.manifest import MANIFEST

OUTPUT_OF: dict[str, Mode] = {"SM": "same", "NT": "neutral", "OP": "opposite"}
"""The paper's outputs (section 2.2.1) by the modes that make them."""


class ExportedModel:
    """The counterpart of :class:`sanmodel.perturber.Perturber` that needs no PyTorch.

    Args:
        folder: An export folder; every file is compared with its SHA-256.
        attribute: The attribute that it must be of.

    Raises:
        SanError: If a file is missing or altered, or the model is of another attribute.
    """

    def __init__(self, folder: Path, attribute: str) -> None:
        self._model = runtime.load_exact(folder)
        if self._model.attribute != attribute:
            raise SanError(f"{folder} holds a model of {self._model.attribute}, not {attribute}")

    def outputs(
        self, grey: NDArray[np.uint8], labels: list[int], landmarks: NDArray[np.float32]
    ) -> dict[str, NDArray[np.uint8]]:
        """Perturb images; as in the paper the true class chooses P_SM.

        Args:
            grey: Originals, (B, 224, 224).
            labels: Their classes, B times 0 or 1.
            landmarks: Of the faces, (B, 5, 2) in pixels.

        Returns:
            For "SM", "NT" and "OP" the images, (B, 224, 224).
        """
        made = self._model.perturb_all(grey, labels, landmarks)
        return {output: made[mode] for output, mode in OUTPUT_OF.items()}


def export_folder(folder: Path, attribute: str) -> Path:
    """Return the export folder that a user means.

    Args:
        folder: It, or ``models`` of a work tree.
        attribute: The attribute that its model must be of.

    Raises:
        SanError: If there is none, a file is missing or altered, or the model is of another
            attribute.
    """
    found = find_export(folder)
    held = runtime.load_manifest(found).attribute
    if held != attribute:
        raise SanError(f"{folder} holds a model of {held}: add --attribute {held}")
    return found


def find_export(folder: Path) -> Path:
    """Return the export folder that a user means, of whatever attribute.

    Args:
        folder: It, or ``models`` of a work tree.

    Raises:
        SanError: If there is none.
    """
    places = (folder, folder / Paths().export.name)
    found = next((place for place in places if (place / MANIFEST).is_file()), None)
    if found is None:
        raise SanError(
            f"{folder} holds no exported model: give an export folder, or models/ of a work tree"
            " after `dvc repro`"
        )
    return found
