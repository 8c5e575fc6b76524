"""Where a morph moves what, beside scikit-image's warp."""

import numpy as np
import pytest
from skimage.transform import PiecewiseAffineTransform, SimilarityTransform, warp

from sanmodel.evaluation.baselines.morph import mean_shape, morph, warp_to
from sanmodel.evaluation.dense_landmarks import find_dense_landmarks
from sanmodel.evaluation.similarity import psnr

POINTS = np.array([[60.0, 70], [110, 68], [85, 100], [65, 125], [108, 128], [84, 140]])
SHAPE = POINTS + np.array([[-5.0, 4], [6, 2], [3, -7], [-4, 4], [5, 5], [0, 6]])


@pytest.fixture(scope="module")
def pair(sample):
    """Two faces of both classes and their landmarks."""
    rows = (0, 4)
    landmarks = [find_dense_landmarks(sample.images[i], sample.boxes[i]) for i in rows]
    return *(sample.images[i] for i in rows), *landmarks


def bright_dots(points: np.ndarray) -> np.ndarray:
    """Soft dots around points, (200, 160)."""
    y, x = np.mgrid[:200, :160]
    distances = [(x - px) ** 2 + (y - py) ** 2 for px, py in points]
    return (255 * np.exp(-np.min(distances, axis=0) / 8)).astype(np.uint8)


def test_landmarks_come_to_the_mean_shape():
    (warped,) = warp_to(bright_dots(POINTS)[None], POINTS[None], SHAPE)
    assert (warped.shape, warped.dtype) == ((200, 160), np.float32)
    for x, y in SHAPE.astype(int):
        assert warped[y, x] > 250
        window = warped[y - 6 : y + 7, x - 6 : x + 7]
        assert np.unravel_index(window.argmax(), window.shape) == (6, 6)


def test_the_warp_is_scikit_images():
    picture = np.random.default_rng(0).integers(0, 256, (20, 16)).repeat(10, 0).repeat(10, 1)
    picture = picture.astype(np.uint8)
    (warped,) = warp_to(picture[None], POINTS[None], SHAPE)
    frame = [(x, y) for x in (0, 79.5, 159) for y in (0, 99.5, 199) if (x, y) != (79.5, 99.5)]
    one, other = (np.concatenate([points, frame]) for points in (SHAPE, POINTS))
    expected = warp(picture, PiecewiseAffineTransform.from_estimate(one, other), order=1)
    # At the border scikit-image rounds some pixels out of the triangles.
    inside = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(warped[inside] / 255, expected[inside], atol=1e-3)


def test_the_mean_shape_stands_where_the_first_does():
    moved = SimilarityTransform(scale=1.3, rotation=0.4, translation=(30, -20))(POINTS)
    for weight in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(mean_shape(POINTS, moved, weight), POINTS, atol=1e-6)
    between = mean_shape(POINTS, SHAPE, 0.5)
    whole = mean_shape(POINTS, SHAPE, 1.0)
    np.testing.assert_allclose(between, (POINTS + whole) / 2, atol=1e-9)


def test_weight_0_leaves_the_face_as_it_is(pair):
    np.testing.assert_array_equal(morph(*pair, weight=0), pair[0])


def test_between_two_faces_lies_a_morph(pair):
    face, other, *_ = pair
    half = morph(*pair, weight=0.5)
    assert psnr(face, half) < psnr(face, morph(*pair, weight=0.25)) < 40
    assert psnr(half, other) > psnr(face, other)


def test_the_whole_picture_is_covered(pair):
    """Between two white pictures everything is white, whatever the landmarks."""
    white = np.full((224, 224), 255, np.uint8)
    far = pair[3] * 2 - 100  # reaches out of the picture
    assert far.max() > 223
    np.testing.assert_array_equal(morph(white, white, pair[2], far, 0.5), white)
