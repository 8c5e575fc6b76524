from functools import cache

import dlib
import face_recognition_models
import numpy as np
import pytest
from PIL import Image
from skimage.transform import estimate_transform, warp

from sanmodel.evaluation.warped_chips import (
    ARCFACE_POINTS,
    ARCFACE_SIZE,
    arcface_chips,
    eye_angles,
    square_chips,
)

SIDE = 224
X = np.tile(np.arange(SIDE, dtype=np.uint8), (SIDE, 1))
RAMPS = np.stack([X, X.T])
"""Pictures whose pixels tell their x, and their y."""


@pytest.mark.parametrize("angle", [0.0, 0.3, -0.1])
def test_a_square_chip_shows_what_lies_around_the_middle_of_the_box(angle):
    box, size, margin = np.array([60.0, 80.0, 130.0, 180.0]), 96, 1.2
    x, y = square_chips(RAMPS, np.stack([box, box]), size, margin, np.full(2, angle)).astype(float)
    step = margin * 100 / size
    u, v = np.meshgrid(*2 * [step * (np.arange(size) - size / 2)])
    np.testing.assert_allclose(x, 95 + u * np.cos(angle) - v * np.sin(angle), atol=0.51)
    np.testing.assert_allclose(y, 130 + u * np.sin(angle) + v * np.cos(angle), atol=0.51)


def test_beyond_the_crop_its_edge_is_repeated():
    chips = square_chips(RAMPS, np.array([[-20.0, 150.0, 80.0, 250.0]] * 2), 50, 1.0)
    assert chips.shape == (2, 50, 50)
    assert chips.dtype == np.uint8
    assert (chips[0, :, :10] == 0).all()
    assert (chips[1, -12:] == SIDE - 1).all()


@cache
def predictor():
    return dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())


def five_points(image, box):
    """The eyes' middles, the nose and the corners of the mouth, among dlib's landmarks."""
    left, top, right, bottom = np.round(box).astype(int).tolist()
    parts = predictor()(image, dlib.rectangle(left, top, right - 1, bottom - 1)).parts()
    points = np.array([(part.x, part.y) for part in parts], dtype=float)
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.stack([*eyes, points[30], points[48], points[54]])


def test_arcface_chips_are_those_of_another_least_squares_fit_and_warp(faces):
    chips = arcface_chips(faces.images[:4], faces.boxes[:4])
    for image, box, chip in zip(faces.images, faces.boxes, chips, strict=False):
        fit = estimate_transform("similarity", five_points(image, box), np.array(ARCFACE_POINTS))
        shape = (ARCFACE_SIZE, ARCFACE_SIZE)
        expected = warp(image.astype(float), fit.inverse, output_shape=shape, mode="edge")
        assert np.abs(chip - expected).max() <= 1
    assert len(chips) == 4


def test_arcface_chips_have_the_face_where_the_network_expects_it(faces):
    chips = arcface_chips(faces.images[:4], faces.boxes[:4])
    for chip in chips:
        points = five_points(chip, np.array([16.0, 16.0, 96.0, 108.0]))
        assert np.linalg.norm(points - ARCFACE_POINTS, axis=1).max() < 8


def test_eye_angles_follow_a_turned_head(faces):
    images, boxes = faces.images[:4], faces.boxes[:4]
    turned = np.stack([np.asarray(Image.fromarray(image).rotate(-12)) for image in images])
    difference = np.degrees(eye_angles(turned, boxes) - eye_angles(images, boxes))
    np.testing.assert_allclose(difference.mean(), 12, atol=3)
