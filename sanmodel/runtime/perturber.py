"""What every backend of the runtime offers: grey faces and classes in, perturbed faces out.

Models with aligned prototypes take the landmarks of the faces as well.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sanmodel.errors import SanError

Mode = Literal["same", "neutral", "opposite"]

MODES: tuple[Mode, ...] = get_args(Mode)
"""Prototypes to perturb with, X'_SM, X'_NT and X'_OP of the paper: the model's outputs."""


Inputs = dict[str, NDArray[Any]]
"""Inputs of a model by name."""


class Perturber(ABC):
    """Perturbs faces with one model; a backend adds :meth:`_run`.

    Args:
        attribute: Name of the protected attribute.
        size: Side of the face crops in pixels.
        max_batch: Largest batch that the model takes; more images go through in parts.
        aligned: Whether the model needs the landmarks of each face.
    """

    def __init__(self, attribute: str, size: int, max_batch: int, aligned: bool = False) -> None:
        self.attribute, self.size, self.max_batch = attribute, size, max_batch
        self.aligned = aligned

    def perturb(
        self,
        images: NDArray[np.uint8],
        attribute: ArrayLike,
        mode: Mode = "opposite",
        landmarks: ArrayLike | None = None,
    ) -> NDArray[np.uint8]:
        """Perturb grey face crops.

        Args:
            images: (N, 224, 224), 0 to 255, N at least 0.
            attribute: Class of each image, (N,), 0 or 1.
            mode: Prototype to perturb with; "opposite" hides the attribute best.
            landmarks: Five points (x, y) of each face, (N, 5, 2) in pixels of the crop, as the
                manifest describes them; a model that is not ``aligned`` does not look at them.

        Returns:
            Perturbed images, (N, 224, 224), 0 to 255.

        Raises:
            SanError: If an argument has another type, shape or value, or the model needs landmarks
                and none are given.
        """
        if mode not in MODES:
            raise SanError(f"there is no mode {mode!r}: choose one of {', '.join(MODES)}")
        return self._perturbed(images, attribute, (mode,), landmarks)[mode]

    def perturb_all(
        self, images: NDArray[np.uint8], attribute: ArrayLike, landmarks: ArrayLike | None = None
    ) -> dict[Mode, NDArray[np.uint8]]:
        """Perturb grey face crops with every prototype, for little more than the price of one.

        Args:
            images: See :meth:`perturb`.
            attribute: Likewise.
            landmarks: Likewise.

        Returns:
            Perturbed images, (N, 224, 224), 0 to 255, by mode.

        Raises:
            SanError: See :meth:`perturb`.
        """
        return self._perturbed(images, attribute, MODES, landmarks)

    def _perturbed(
        self,
        images: NDArray[np.uint8],
        attribute: ArrayLike,
        modes: tuple[Mode, ...],
        landmarks: ArrayLike | None,
    ) -> dict[Mode, NDArray[np.uint8]]:
        self._check_images(images)
        inputs: Inputs = {"attribute": _checked_classes(attribute, len(images))}
        if self.aligned:
            inputs["landmarks"] = _checked_landmarks(landmarks, len(images))
        perturbed = {mode: np.empty_like(images) for mode in modes}
        for start in range(0, len(images), self.max_batch):
            part = slice(start, start + self.max_batch)
            X = images[part, None].astype(np.float32) / np.float32(255)
            batch = {"image": X, **{name: values[part] for name, values in inputs.items()}}
            for mode, output in zip(modes, self._run(batch, modes), strict=True):
                perturbed[mode][part] = np.rint(255 * output[:, 0])
        return perturbed

    @abstractmethod
    def _run(self, inputs: Inputs, modes: Sequence[Mode]) -> list[NDArray[np.float32]]:
        """Perturb one batch.

        Args:
            inputs: What the model takes, by name: ``image``, X (B, 1, 224, 224) float32, 0 to 1,
                B from 1 to ``max_batch``; ``attribute``, classes (B,) int64, 0 or 1; and if the
                model is aligned ``landmarks``, (B, 5, 2) float32.
            modes: Prototypes to perturb with.

        Returns:
            For each of them (B, 1, 224, 224), 0 to 1.
        """

    def _check_images(self, images: NDArray[np.uint8]) -> None:
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (self.size,) * 2:
            raise SanError(
                f"images are {images.dtype} of shape {images.shape}: give grey face crops,"
                f" uint8 of shape (N, {self.size}, {self.size})"
            )


def _checked_landmarks(landmarks: ArrayLike | None, count: int) -> NDArray[np.float32]:
    """Return the landmarks as (count, 5, 2) float32."""
    if landmarks is None:
        raise SanError(
            "this model lays its prototypes over each face: give the landmarks of every image, as"
            " preprocess finds them (sanmodel.detection.landmarks)"
        )
    points = np.asarray(landmarks)
    if points.shape != (count, 5, 2) or points.dtype.kind not in "fiu":
        raise SanError(
            f"landmarks are {points.dtype} of shape {points.shape}: give five points (x, y) for"
            f" each image, numbers of shape ({count}, 5, 2)"
        )
    if not (np.isfinite(points).all() and np.ptp(points, axis=1).any(axis=1).all()):
        raise SanError(
            "the landmarks of a face are not finite or all at one place: find them again"
        )
    return points.astype(np.float32)


def _checked_classes(attribute: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return the classes as (count,) int64."""
    y = np.asarray(attribute)
    if y.shape != (count,):
        raise SanError(f"classes have the shape {y.shape}: give one for each of {count} images")
    if not np.isin(y, (0, 1)).all():
        raise SanError("a class is neither 0 nor 1: give 1 for having the attribute, 0 otherwise")
    return y.astype(np.int64)
