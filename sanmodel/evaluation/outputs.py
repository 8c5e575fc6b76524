"""What the trained autoencoder makes of faces, kept in memory-mapped files."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.images import IMAGE_SIZE
from sanmodel.observer import Observer, observed
from sanmodel.perturber import OUTPUTS

VARIANTS = ("original", *OUTPUTS)
"""The grey original and its outputs."""

Images = NDArray[np.uint8]
"""Grey images, (N, 224, 224)."""


class Model(Protocol):
    """Makes the three outputs of a face: in PyTorch, or exported."""

    def outputs(
        self, grey: Images, labels: list[int], landmarks: NDArray[np.float32]
    ) -> dict[str, Images]:
        """See :meth:`sanmodel.perturber.Perturber.outputs`."""
        ...


PERTURBED = 8
"""Most faces per pass of the autoencoder: maps of more leave the CPU's caches, and take a half
longer for each face."""


def batches(count: int, size: int) -> list[slice]:
    """Return the places of ``count`` things in runs of ``size``."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def perturbed(
    faces: Faces, model: Model, folder: Path, batch_size: int, observer: Observer
) -> dict[str, Images]:
    """Perturb faces with every prototype.

    Args:
        faces: N faces.
        model: Perturbs them.
        folder: Where the files of outputs lie; they are written anew.
        batch_size: Faces per pass.
        observer: Hears about progress.

    Returns:
        For each of ``VARIANTS`` the images.
    """
    outputs = {output: new_images(folder / f"{output}.npy", len(faces)) for output in OUTPUTS}
    runs = batches(len(faces), min(batch_size, PERTURBED))
    for run in observed(runs, "perturb", len(runs), observer):
        some = faces.take(run)
        made = model.outputs(np.array(some.images), some.labels.tolist(), some.landmarks)
        for output, images in made.items():
            outputs[output][run] = images
    return {"original": faces.images, **outputs}


def new_images(path: Path, count: int) -> Images:
    """Return an array for so many images that lies in a file, if there are any."""
    if count == 0:
        return np.empty((0, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # an earlier one may still be mapped by another process
    return open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, IMAGE_SIZE, IMAGE_SIZE))
