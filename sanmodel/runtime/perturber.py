"""What every backend of the runtime offers: grey faces and classes in, perturbed faces out."""

from abc import ABC, abstractmethod
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sanmodel.errors import SanError

Mode = Literal["same", "neutral", "opposite"]

MODES: tuple[Mode, ...] = get_args(Mode)
"""Prototypes to perturb with, X'_SM, X'_NT and X'_OP of the paper: the model's outputs."""


class Perturber(ABC):
    """Perturbs faces with one model; a backend adds :meth:`_run`.

    Args:
        attribute: Name of the protected attribute.
        size: Side of the face crops in pixels.
        max_batch: Largest batch that the model takes; more images go through in parts.
    """

    def __init__(self, attribute: str, size: int, max_batch: int) -> None:
        self.attribute, self.size, self.max_batch = attribute, size, max_batch

    def perturb(
        self, images: NDArray[np.uint8], attribute: ArrayLike, mode: Mode = "opposite"
    ) -> NDArray[np.uint8]:
        """Perturb grey face crops.

        Args:
            images: (N, 224, 224), 0 to 255, N at least 0.
            attribute: Class of each image, (N,), 0 or 1.
            mode: Prototype to perturb with; "opposite" hides the attribute best.

        Returns:
            Perturbed images, (N, 224, 224), 0 to 255.

        Raises:
            SanError: If an argument has another type, shape or value.
        """
        self._check_images(images)
        y = _checked_classes(attribute, len(images))
        if mode not in MODES:
            raise SanError(f"there is no mode {mode!r}: choose one of {', '.join(MODES)}")
        perturbed = np.empty_like(images)
        for start in range(0, len(images), self.max_batch):
            part = slice(start, start + self.max_batch)
            X = images[part, None].astype(np.float32) / np.float32(255)
            perturbed[part] = np.rint(255 * self._run(X, y[part], mode)[:, 0])
        return perturbed

    @abstractmethod
    def _run(self, X: NDArray[np.float32], y: NDArray[np.int64], mode: Mode) -> NDArray[np.float32]:
        """Perturb one batch.

        Args:
            X: (B, 1, 224, 224), 0 to 1, B from 1 to ``max_batch``.
            y: Classes (B,), 0 or 1.
            mode: Prototype to perturb with.

        Returns:
            (B, 1, 224, 224), 0 to 1.
        """

    def _check_images(self, images: NDArray[np.uint8]) -> None:
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (self.size,) * 2:
            raise SanError(
                f"images are {images.dtype} of shape {images.shape}: give grey face crops,"
                f" uint8 of shape (N, {self.size}, {self.size})"
            )


def _checked_classes(attribute: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return the classes as (count,) int64."""
    y = np.asarray(attribute)
    if y.shape != (count,):
        raise SanError(f"classes have the shape {y.shape}: give one for each of {count} images")
    if not np.isin(y, (0, 1)).all():
        raise SanError("a class is neither 0 nor 1: give 1 for having the attribute, 0 otherwise")
    return y.astype(np.int64)
