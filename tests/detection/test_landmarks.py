"""The five landmarks: which point is which, and that they follow the face."""

from pathlib import Path

import numpy as np
import pytest

from sanmodel.detection import DETECTORS
from sanmodel.detection.crop import box_in_crop, crop_square, cut
from sanmodel.detection.landmarks import find_landmarks
from sanmodel.images import Picture, decode_rgb, to_grey
from sanmodel.settings import PreprocessSettings

PHOTOS = Path(__file__).parents[2] / "data/sample/photos"
Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def face() -> tuple[Picture, Box]:
    """A grey crop of a frontal face and the face's box in it."""
    settings = PreprocessSettings(detector="dlib")
    photo = decode_rgb((PHOTOS / "000000.jpg").read_bytes(), "x")
    (found,) = DETECTORS.get("dlib")(settings).detect(photo)
    square = crop_square(found, settings)
    return to_grey(cut(photo, square)), box_in_crop(found, square)


def test_the_points_come_in_their_order(face: tuple[Picture, Box]):
    points = find_landmarks(*face)
    assert (points.shape, points.dtype) == ((5, 2), np.float32)
    left_outer, left_inner, right_outer, right_inner, nose = points
    # The person's left eye is on the right of the picture.
    assert right_outer[0] < right_inner[0] < nose[0] < left_inner[0] < left_outer[0]
    assert all(nose[1] > eye[1] + 20 for eye in points[:4])


def test_the_points_follow_the_face(face: tuple[Picture, Box]):
    picture, (left, top, right, bottom) = face
    moved = np.roll(picture, (8, -12), axis=(0, 1))
    found = find_landmarks(moved, (left - 12, top + 8, right - 12, bottom + 8))
    np.testing.assert_allclose(found, find_landmarks(*face) + np.array([-12, 8]), atol=1)


def test_a_place_without_a_face_has_points_too():
    blank = np.full((224, 224), 127, dtype=np.uint8)
    points = find_landmarks(blank, (-30, -30, 300, 300))
    assert np.isfinite(points).all()
