"""What every runtime offers: grey faces and classes in, perturbed faces out.

Models with aligned prototypes take the landmarks of the faces as well.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sanmodel.errors import SanError

Mode = Literal["same", "neutral", "opposite"]

MODES: tuple[Mode, ...] = get_args(Mode)
"""Prototypes to perturb with, those of X'_SM, X'_NT and X'_OP of the paper."""

WEIGHTS: dict[Mode, float] = {"same": 0.0, "neutral": 0.5, "opposite": 1.0}
"""Where they lie on the way from the prototype of the face's class to that of the other."""

MAX_MODES = len(MODES)
"""Outputs of a face that a model computes at a time."""

OUTPUT = "perturbed"
"""Name of the model's output."""

Inputs = dict[str, NDArray[Any]]
"""Inputs of a model by name."""

Images = NDArray[Any]
"""Grey images, uint8 from 0 to 255 or float32 from 0 to 1."""


@dataclass(frozen=True)
class Signature:
    """What a model takes, told by its file.

    Attributes:
        attribute: Name of the protected attribute.
        size: Side of the face crops in pixels.
        max_batch: Largest batch; more images go through in parts.
        aligned: Whether it needs the landmarks of each face.
        pixels: Type of its images.
    """

    attribute: str
    size: int
    max_batch: int
    aligned: bool = False
    pixels: Literal["uint8", "float32"] = "uint8"


class Perturber(ABC):
    """Perturbs faces with one model; a runtime adds :meth:`_run`.

    Args:
        signature: What the model takes.
    """

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.attribute, self.size = signature.attribute, signature.size
        self.max_batch, self.aligned = signature.max_batch, signature.aligned

    def perturb(
        self,
        images: Images,
        attribute: ArrayLike,
        mode: Mode | float | NDArray[np.float32] = "opposite",
        landmarks: ArrayLike | None = None,
    ) -> Images:
        """Perturb grey face crops.

        Args:
            images: (N, 224, 224), uint8 from 0 to 255 or float32 from 0 to 1, N at least 0.
            attribute: Class of each image, (N,), 0 or 1.
            mode: Prototype to perturb with; "opposite" hides the attribute best. A number is a
                place between: 0 is "same", 0.5 "neutral", 1 "opposite". An array (N,) has one for
                each image.
            landmarks: Five points (x, y) of each face, (N, 5, 2) in pixels of the crop, as the
                manifest describes them; a model that is not ``aligned`` does not look at them.

        Returns:
            Perturbed images, (N, 224, 224), of the same type.

        Raises:
            SanError: If an argument has another type, shape or value, or the model needs landmarks
                and none are given.
        """
        return self._perturbed(images, attribute, _weights(mode, len(images)), landmarks)[:, 0]

    def perturb_all(
        self, images: Images, attribute: ArrayLike, landmarks: ArrayLike | None = None
    ) -> dict[Mode, Images]:
        """Perturb grey face crops with every prototype, for less than thrice the price of one.

        Args:
            images: See :meth:`perturb`.
            attribute: Likewise.
            landmarks: Likewise.

        Returns:
            Perturbed images, (N, 224, 224), by mode.

        Raises:
            SanError: See :meth:`perturb`.
        """
        weights = np.tile(np.array([WEIGHTS[mode] for mode in MODES], np.float32), (len(images), 1))
        outputs = self._perturbed(images, attribute, weights, landmarks)
        return {mode: outputs[:, place] for place, mode in enumerate(MODES)}

    def _perturbed(
        self,
        images: Images,
        attribute: ArrayLike,
        weights: NDArray[np.float32],
        landmarks: ArrayLike | None,
    ) -> Images:
        """Return (N, K, 224, 224) for weights (N, K)."""
        self._check_images(images)
        values: Inputs = {
            "image": _as_pixels(images, self.signature.pixels),
            "attribute": _checked_classes(attribute, len(images)),
            "mode": weights,
        }
        if self.aligned:
            values["landmarks"] = _checked_landmarks(landmarks, len(images))
        perturbed = np.empty((*weights.shape, *images.shape[1:]), images.dtype)
        for start in range(0, len(images), self.max_batch):
            part = slice(start, start + self.max_batch)
            outputs = self._run({name: array[part] for name, array in values.items()})
            perturbed[part] = _as_pixels(outputs, images.dtype.name)
        return perturbed

    @abstractmethod
    def _run(self, inputs: Inputs) -> Images:
        """Perturb one batch.

        Args:
            inputs: What the model takes, by name: ``image`` (B, 224, 224), of the signature's
                type, B from 1 to ``max_batch``; ``attribute``, classes (B,) int64, 0 or 1;
                ``mode``, (B, K) float32, 0 to 1; and if the model is aligned ``landmarks``,
                (B, 5, 2) float32.

        Returns:
            (B, K, 224, 224) of the type of the image; it is read before the next batch.
        """

    def _check_images(self, images: Images) -> None:
        fitting = images.ndim == 3 and images.shape[1:] == (self.size,) * 2
        if not fitting or images.dtype not in (np.uint8, np.float32):
            raise SanError(
                f"images are {images.dtype} of shape {images.shape}: give grey face crops,"
                f" uint8 (or float32 from 0 to 1) of shape (N, {self.size}, {self.size})"
            )


def _as_pixels(images: Images, kind: str) -> Images:
    """Return images in another type; from float32 to uint8 they are rounded."""
    if images.dtype.name == kind:
        return images
    if kind == "float32":
        return images.astype(np.float32) / np.float32(255)
    levels: Images = np.rint(255 * images.clip(0, 1)).astype(np.uint8)
    return levels


def _weights(mode: Mode | float | NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the place of each image's prototype, (count, 1)."""
    if isinstance(mode, str):
        if mode not in WEIGHTS:
            raise SanError(
                f"there is no mode {mode!r}: choose one of {', '.join(MODES)} or a number from 0"
                " to 1"
            )
        mode = WEIGHTS[mode]
    weights = np.asarray(mode, np.float32)
    if weights.shape not in ((), (count,)) or not ((weights >= 0) & (weights <= 1)).all():
        raise SanError(
            "a mode is no number from 0 (same class) by 0.5 (neutral) to 1 (opposite class):"
            " give one for all images, or one for each"
        )
    return np.ascontiguousarray(np.broadcast_to(weights, (count,))[:, None])


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
