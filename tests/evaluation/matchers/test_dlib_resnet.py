import dlib
import face_recognition_models
import numpy as np
import pytest

from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.images import grey_to_rgb

TOLERANCE = 2e-6
"""Faces of one person lie closer than 0.6."""


@pytest.fixture(scope="module")
def matcher():
    return MATCHERS.get("dlib-resnet")()


@pytest.fixture(scope="module")
def descriptors(faces, matcher):
    return matcher.descriptors(faces.images, faces.boxes)


def test_descriptors_are_those_of_dlib_in_the_order_of_the_images(faces, descriptors):
    landmarks = face_recognition_models.pose_predictor_five_point_model_location()
    weights = face_recognition_models.face_recognition_model_location()
    predictor = dlib.shape_predictor(landmarks)
    network = dlib.face_recognition_model_v1(weights)
    assert descriptors.shape == (len(faces.images), 128)
    assert descriptors.dtype == np.float64
    for i in range(0, len(faces.images), 3):
        left, top, right, bottom = np.round(faces.boxes[i]).astype(int).tolist()
        rgb = grey_to_rgb(faces.images[i])
        shape = predictor(rgb, dlib.rectangle(left, top, right - 1, bottom - 1))
        expected = network.compute_face_descriptor(rgb, shape)
        np.testing.assert_allclose(descriptors[i], expected, rtol=0, atol=TOLERANCE)


def test_a_descriptor_hardly_depends_on_the_batch(faces, matcher, descriptors):
    alone = matcher.descriptors(faces.images[2:3], faces.boxes[2:3])
    np.testing.assert_allclose(alone, descriptors[2:3], rtol=0, atol=TOLERANCE)


def test_a_darker_copy_is_nearest_to_its_original(faces, matcher, descriptors):
    chosen = slice(0, None, 4)
    darker = (faces.images[chosen] * 0.9).astype(np.uint8)
    probes = matcher.descriptors(darker, faces.boxes[chosen])
    distances = np.linalg.norm(probes[:, None] - descriptors[None], axis=-1)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(len(faces.images))[chosen])
