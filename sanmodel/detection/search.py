"""Which face of a photo is meant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sanmodel.detection import Detector, Face
from sanmodel.images import Picture

MAX_SEARCHED = 4_000_000
"""Pixels to which a larger photo is shrunk before the search, so that a photo of 50 megapixels
takes neither gigabytes nor minutes."""

EQUAL_SIZE = 0.8
"""Two faces are about equal if the smaller one's area is at least this share of the larger one's.
Detectors find sizes in steps; one step of dlib's is 0.69."""


LEAST_OVERLAP = 0.1
"""Intersection over union with the source's box below which a face is not the one that is meant.
A box of the whole head has about four times the area of a detector's: that leaves 0.25."""


@dataclass(frozen=True)
class Box:
    """A box in pixels of a photo."""

    left: float
    top: float
    right: float
    bottom: float


def find_faces(detector: Detector, photo: Picture) -> list[Face]:
    """Detect the faces of a photo (height, width, 3), which is shrunk if it is very large."""
    height, width = photo.shape[:2]
    shrink = (MAX_SEARCHED / (height * width)) ** 0.5
    if shrink >= 1:
        return detector.detect(photo)
    size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
    small = Image.fromarray(photo).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    x, y = width / size[0], height / size[1]
    return [
        Face(face.left * x, face.top * y, face.right * x, face.bottom * y, face.score)
        for face in detector.detect(np.asarray(small))
    ]


def largest(faces: Sequence[Face]) -> Face:
    """Return the face of the largest area; of equal ones always the same, whatever the order."""
    return max(faces, key=lambda face: (face.area, face.score, face.left, face.top))


def of_equal_size(faces: Sequence[Face]) -> bool:
    """Say if the two largest faces are about equal, so that size tells not which one is meant."""
    areas = sorted((face.area for face in faces), reverse=True)
    return len(areas) > 1 and areas[1] >= EQUAL_SIZE * areas[0]


def nearest(faces: Sequence[Face], given: Box) -> Face | None:
    """Return the face that overlaps most with the box that the source gives.

    A face whose centre lies outside of the box, or that is far larger or smaller, is another
    person's or none.
    """
    inside = [
        face for face in faces if _centre_in(face, given) and overlap(face, given) >= LEAST_OVERLAP
    ]
    return max(inside, key=lambda face: (overlap(face, given), face.score), default=None)


def overlap(face: Face, box: Box) -> float:
    """Return intersection over union, 0 to 1."""
    width = min(face.right, box.right) - max(face.left, box.left)
    height = min(face.bottom, box.bottom) - max(face.top, box.top)
    common = max(width, 0) * max(height, 0)
    area = (box.right - box.left) * (box.bottom - box.top)
    return common / (face.area + area - common) if common else 0.0


def upright_box(box: Box, width: int, height: int, orientation: int) -> Box:
    """Turn a box of the stored photo with the photo.

    Args:
        box: In pixels of the photo as it is stored.
        width: Of the upright photo.
        height: Likewise.
        orientation: EXIF's number, see :class:`sanmodel.images.Photo`.

    Returns:
        The box in pixels of the upright photo.
    """
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if orientation >= 5:  # mirrored at the main diagonal, perhaps more
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return Box(left, top, right, bottom)


def _centre_in(face: Face, box: Box) -> bool:
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    return box.left <= x <= box.right and box.top <= y <= box.bottom
