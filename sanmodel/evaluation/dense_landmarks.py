"""dlib's 68 landmarks of a face: jaw, brows, nose, eyes and mouth.

The model was trained on the photos of iBUG 300-W (Sagonas et al., 2016), which are for research.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import dlib
import face_recognition_models
import numpy as np
from numpy.typing import NDArray

from sanmodel.detection.landmarks import rectangle
from sanmodel.images import Picture

POINTS = 68


def find_dense_landmarks(picture: Picture, box: Iterable[float]) -> NDArray[np.float64]:
    """Find the landmarks of the face in a box; any box gives 68 points, whatever it shows.

    Args:
        picture: Grey picture (height, width).
        box: Left, top, right, bottom of the face in pixels of the picture, as a detector gives it.

    Returns:
        x and y of each point, (68, 2), in pixels of the picture, perhaps outside of it; (0, 0) is
        the middle of its first.
    """
    shape = _model()(np.ascontiguousarray(picture), rectangle(box))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)


@cache
def _model() -> Any:
    return dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
