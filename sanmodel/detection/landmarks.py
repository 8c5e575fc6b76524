"""dlib's five landmarks of a face: the corners of the eyes and the base of the nose."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import dlib
import face_recognition_models
import numpy as np
from numpy.typing import NDArray

from sanmodel.images import Picture


def find_landmarks(picture: Picture, box: Iterable[float]) -> NDArray[np.float32]:
    """Find the landmarks of the face in a box; any box gives five points, whatever it shows.

    Args:
        picture: Grey or RGB; of a face crop the grey one, which is what the networks are shown.
        box: Left, top, right, bottom of the face in pixels of the picture, as a detector gives it.

    Returns:
        x and y of each point, (5, 2), in pixels of the picture; (0, 0) is the middle of its first.
        They are the outer and inner corner of the left eye, of the right eye, and the base of the
        nose. The left eye is the person's, on the right of the picture.
    """
    shape = _model()(picture, rectangle(box))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)


def rectangle(box: Iterable[float]) -> dlib.rectangle:
    """Round a box to whole pixels; dlib counts the last row and column in."""
    left, top, right, bottom = (round(float(edge)) for edge in box)
    return dlib.rectangle(left, top, right - 1, bottom - 1)


@cache
def _model() -> Any:
    return dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
