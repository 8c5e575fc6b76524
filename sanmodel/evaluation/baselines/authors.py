"""The model that the paper's authors released."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.alignment import Straighten
from sanmodel.averaging import ClassSums
from sanmodel.errors import SanError
from sanmodel.evaluation.baselines import BASELINES, Context, UnfitError
from sanmodel.evaluation.baselines.choosing import choose
from sanmodel.evaluation.faces import Faces
from sanmodel.images import Picture, decode_rgb
from sanmodel.paths import Paths
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.prototypes import Prototypes
from sanmodel.tables import LANDMARKS, iterate_rows, landmarks_of

ATTRIBUTE = "Male"
"""The one attribute that the released model hides."""

MAX_FACES = 2000
"""Of each class in the prototypes, if they are made here: a mean of more looks the same."""


@BASELINES.register("authors")
class Authors:
    """Output with the opposite prototype.

    The model expects prototypes that are aligned to the landmarks of each face. They are those of
    the work tree if it has such (``prototypes.align: landmarks``); else they are made of the pool's
    faces in the way of that stage, in the colours that the crops table has of them.

    Raises:
        SanError: If there is no checkpoint, or the attribute is not ``Male``; or what the
            prototypes are made of is missing.
    """

    variant = "authors"

    def __init__(self, context: Context) -> None:
        if context.attribute != ATTRIBUTE:
            raise UnfitError(f"the authors' model hides {ATTRIBUTE}, not {context.attribute}")
        self._perturber = _perturber(_checkpoint(context), context)

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`sanmodel.evaluation.baselines.Baseline.perturb`."""
        outputs = self._perturber.outputs(faces.images, faces.labels.tolist(), faces.landmarks)
        return outputs["OP"]


def aligned_prototypes(context: Context) -> Prototypes:
    """Return the work tree's own prototypes if they are aligned, else such of the pool.

    Raises:
        SanError: If the pool lacks a class, or the crops table is missing or damaged or lacks the
            pool's faces.
    """
    path = Paths(context.root).prototypes
    if path.is_file():
        prototypes = Prototypes.load(path, context.attribute)
        if prototypes.landmarks is not None:
            return prototypes
    return _average(context)


def _checkpoint(context: Context) -> Path:
    if context.authors is None or not context.authors.is_file():
        found = "" if context.authors is None else f" ({context.authors} is missing)"
        raise SanError(
            f"the baseline 'authors' needs the model that the authors released{found}: make it"
            " with `san import-authors conv-autoencoder-e20.pkl`, or leave out the baseline"
        )
    return context.authors


def _perturber(checkpoint: Path, context: Context) -> Perturber:
    with TemporaryDirectory() as folder:
        prototypes = Path(folder) / "prototypes.safetensors"
        aligned_prototypes(context).save(prototypes, ATTRIBUTE)
        return Perturber(ModelFiles(checkpoint, prototypes), ATTRIBUTE)


def _average(context: Context) -> Prototypes:
    """Make prototypes of the pool's faces (paper, section 2.2.2)."""
    pool = context.pool
    places = np.concatenate([choose(context, label, MAX_FACES) for label in (0, 1)])
    labels = {str(pool.image_ids[i]): int(pool.labels[i]) for i in places}
    landmarks = torch.from_numpy(pool.landmarks[places]).mean(dim=0)
    straighten = Straighten(tuple((x, y) for x, y in landmarks.tolist()))
    total = _sums(Paths(context.root).crops, labels, straighten)
    P_0, P_1 = (_to_tensor(mean) for mean in total.means())
    return Prototypes(P_0, P_1, float(pool.labels.mean()), landmarks)


def _sums(crops: Path, labels: Mapping[str, int], straighten: Straighten) -> ClassSums:
    """Add up the named faces of a crops table."""
    total = ClassSums.zero()
    total.add(_straightened(crops, labels, straighten))
    missing = len(labels) - int(total.counts.sum())
    if missing:
        raise SanError(
            f"{crops} lacks {missing} of {len(labels)} training faces: run `dvc repro` to make it"
            " again"
        )
    return total


def _straightened(
    crops: Path, labels: Mapping[str, int], straighten: Straighten
) -> Iterator[tuple[Picture, int]]:
    """Yield the named faces of a crops table, moved, with their class."""
    for row in iterate_rows(crops, ["image_id", *LANDMARKS, "image"]):
        name = row["image_id"]
        if name in labels:
            picture = decode_rgb(row["image"], name)
            yield straighten(picture, landmarks_of(row)), labels[name]


def _to_tensor(mean: NDArray[np.float64]) -> Tensor:
    """Turn (224, 224, 3), 0 to 255 into (3, 224, 224), 0 to 1."""
    return torch.from_numpy(mean / 255).permute(2, 0, 1).to(torch.float32)
