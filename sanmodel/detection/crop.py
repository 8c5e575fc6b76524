"""From a face box to the 224x224 crop that every network takes."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from PIL import Image

from sanmodel.detection import Face
from sanmodel.images import IMAGE_SIZE, Picture
from sanmodel.settings import PreprocessSettings


@dataclass(frozen=True)
class Square:
    """A square in pixels of the photo; it may reach over the border."""

    left: float
    top: float
    side: float


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
