"""Crops: geometry, borders, and the two detectors."""

from pathlib import Path

import numpy as np
import pytest

from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.crop import Square, box_in_crop, crop_square, cut
from sanmodel.images import decode_rgb
from sanmodel.settings import PreprocessSettings

SETTINGS = PreprocessSettings(crop_scale=1.7, shift_up=0.1)
PHOTOS = sorted((Path(__file__).parents[2] / "data/sample/photos").glob("*.jpg"))[:12]


def test_the_face_fills_about_60_percent_of_the_width():
    face = Face(100, 120, 200, 220, 1.0)
    square = crop_square(face, SETTINGS)
    assert square == Square(pytest.approx(65), pytest.approx(75), pytest.approx(170))
    left, top, right, bottom = box_in_crop(face, square)
    assert (right - left) / 224 == pytest.approx(1 / 1.7)
    assert left + right == pytest.approx(224)
    # The box's centre lies a tenth of its height below the crop's.
    assert (top + bottom) / 2 - 112 == pytest.approx(0.1 * (bottom - top))


def test_a_cut_keeps_what_lies_where():
    photo = np.zeros((300, 300, 3), dtype=np.uint8)
    photo[100:200, 100:200] = 255
    crop = cut(photo, Square(50, 50, 200))
    assert crop.shape == (224, 224, 3)
    assert crop[112, 112].tolist() == [255, 255, 255]
    assert crop[10, 10].tolist() == [0, 0, 0]
    inside = (crop[..., 0] > 127).sum()
    assert inside == pytest.approx(112 * 112, rel=0.03)


def test_beyond_the_border_the_edge_is_repeated():
    photo = np.full((50, 50, 3), 7, dtype=np.uint8)
    photo[:, 0] = 200
    crop = cut(photo, Square(-30.5, -10.25, 60))
    assert (crop[:, :100] == 200).all()
    assert (crop[:, 130:] == 7).all()


def test_no_detection_keeps_a_square_photo_whole():
    photo = decode_rgb(PHOTOS[0].read_bytes(), "x")
    (face,) = DETECTORS.get("none")(SETTINGS).detect(photo)
    square = crop_square(face, SETTINGS)
    assert (square.left, square.top) == (pytest.approx(0), pytest.approx(0))
    assert square.side == pytest.approx(photo.shape[0])
    assert cut(photo, square).shape == (224, 224, 3)


def test_dlib_finds_the_sample_faces_and_none_in_noise():
    detector = DETECTORS.get("dlib")(SETTINGS)
    found = [detector.detect(decode_rgb(path.read_bytes(), path.name)) for path in PHOTOS]
    assert sum(bool(faces) for faces in found) >= len(PHOTOS) - 1
    for faces in found:
        for face in faces:
            assert face.right > face.left
            assert face.area == pytest.approx((face.right - face.left) * (face.bottom - face.top))
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert detector.detect(noise) == []
