"""Aligned face chips: what dlib's networks are shown of a crop."""

import dlib
import numpy as np
from numpy.typing import NDArray

from sanmodel.detection.landmarks import rectangle
from sanmodel.images import grey_to_rgb


def face_chips(
    images: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    predictor: dlib.shape_predictor,
    size: int,
    padding: float,
) -> NDArray[np.uint8]:
    """Cut upright faces of one size out of crops, each by the landmarks found in itself.

    Args:
        images: Grey crops, (N, height, width).
        boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).
        predictor: dlib's five-point landmark model.
        size: Side of a chip in pixels.
        padding: Margin around the face in parts of its size.

    Returns:
        Grey chips in three equal channels, (N, size, size, 3).
    """
    chips = []
    for image, box in zip(images, boxes, strict=True):
        landmarks = predictor(image, rectangle(box))
        details = dlib.get_face_chip_details(landmarks, size, padding)
        chips.append(dlib.extract_image_chip(image, details))
    return grey_to_rgb(np.stack(chips))
