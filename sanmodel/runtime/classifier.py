"""What an export folder knows of faces besides perturbing them: which class each is of."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.runtime.manifest import read_manifest, verify
from sanmodel.runtime.runtimes.onnx_cpu import open_session

INPUT, OUTPUT = "image", "probability"
KIND = "classifier"


class AttributeReader:
    """The auxiliary classifiers of a training: they tell which class a face is of.

    They are no judges of a model, which was trained to mislead them.

    Args:
        folder: An export folder.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If the folder has none, or the file is missing, altered or damaged.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        manifest = read_manifest(folder)
        if KIND not in {file.kind for file in manifest.files}:
            raise SanError(
                f"{folder} has no classifier to tell the class of a face: say it with --attribute"
            )
        file = manifest.file(KIND)
        self._max_batch = file.max_batch or 1
        self._session = open_session(verify(folder, file), threads)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return each face's probability of having the attribute, (N,).

        Args:
            images: Grey crops, (N, 224, 224).
        """
        parts = [
            self._session.run([OUTPUT], {INPUT: images[start : start + self._max_batch]})[0]
            for start in range(0, len(images), self._max_batch)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)
