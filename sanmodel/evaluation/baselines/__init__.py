"""Other ways to perturb the same faces: a new one is a new module here, registered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.evaluation.faces import Faces
from sanmodel.registry import Registry


class UnfitError(SanError):
    """A baseline cannot be had of these faces or for this attribute; the others can."""


@dataclass(frozen=True)
class Context:
    """What a baseline may build on.

    Attributes:
        attribute: Name of the protected attribute.
        pool: Faces of the training side of ``root``.
        seed: Of every random number.
        root: Work tree that ``pool`` comes from.
        authors: The authors' checkpoint as ``san import-authors`` writes it; None if there is none.
    """

    attribute: str
    pool: Faces
    seed: int
    root: Path
    authors: Path | None


class Baseline(Protocol):
    """Perturbs grey faces; made once per run.

    Attributes:
        variant: What tables call its outputs.
    """

    variant: str

    def __init__(self, context: Context) -> None:
        """Make it.

        Raises:
            UnfitError: If it cannot be had here.
            SanError: If a file that it needs is missing or damaged.
        """
        ...

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Perturb some faces; what comes of one depends on no other.

        Args:
            faces: B faces, at least one.
            ours: What our model makes of them with the opposite prototype, (B, 224, 224). The naive
                baselines do as much harm in PSNR to each image.

        Returns:
            Images, (B, 224, 224).

        Raises:
            SanError: If the context lacks what is needed.
        """
        ...


BASELINES: Registry[type[Baseline]] = Registry("baseline", __name__)
