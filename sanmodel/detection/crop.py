"""From a face box to the 224x224 crop that every network takes."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sanmodel.detection import Face
from sanmodel.detection.landmarks import find_landmarks
from sanmodel.images import IMAGE_SIZE, Picture, to_grey
from sanmodel.settings import PreprocessSettings


@dataclass(frozen=True)
class Square:
    """A square in pixels of the photo; it may reach over the border."""

    left: float
    top: float
    side: float


@dataclass(frozen=True)
class FaceCrop:
    """A face as every network takes it, and where it lies.

    Attributes:
        picture: RGB, (224, 224, 3).
        square: Where the picture lies in the photo.
        box: Left, top, right, bottom of the face in pixels of the picture.
        landmarks: Of the face in the grey picture, (5, 2) in pixels.
    """

    picture: Picture
    square: Square
    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]


def crop_face(photo: Picture, face: Face, settings: PreprocessSettings) -> FaceCrop:
    """Cut a face out of an upright RGB photo (height, width, 3) and find its landmarks."""
    square = crop_square(face, settings)
    picture, box = cut(photo, square), box_in_crop(face, square)
    return FaceCrop(picture, square, box, find_landmarks(to_grey(picture), box))


def crop_square(face: Face, settings: PreprocessSettings) -> Square:
    """Return the square around a face: ``crop_scale`` box widths, moved up by ``shift_up``."""
    width, height = face.right - face.left, face.bottom - face.top
    side = settings.crop_scale * width
    x = (face.left + face.right) / 2
    y = (face.top + face.bottom) / 2 - settings.shift_up * height
    return Square(x - side / 2, y - side / 2, side)


def cut(photo: Picture, square: Square) -> Picture:
    """Cut a square out of a photo and resample it to (224, 224, 3).

    Where the square reaches over the border the photo's edge pixels are repeated.
    """
    height, width = photo.shape[:2]
    left, top = floor(square.left), floor(square.top)
    right, bottom = ceil(square.left + square.side), ceil(square.top + square.side)
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    region = Image.fromarray(photo[np.ix_(rows, columns)])
    x, y = square.left - left, square.top - top
    box = (x, y, min(x + square.side, region.width), min(y + square.side, region.height))
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.asarray(region.resize(size, Image.Resampling.LANCZOS, box=box))


def box_in_crop(face: Face, square: Square) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of the face in pixels of the crop."""
    scale = IMAGE_SIZE / square.side
    return (
        (face.left - square.left) * scale,
        (face.top - square.top) * scale,
        (face.right - square.left) * scale,
        (face.bottom - square.top) * scale,
    )
