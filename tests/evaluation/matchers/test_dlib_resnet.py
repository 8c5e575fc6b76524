import dlib
import face_recognition_models
import numpy as np
import pytest

from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.matchers.dlib_resnet import PART, describe
from sanmodel.images import grey_to_rgb


@pytest.fixture(scope="module")
def descriptors(faces):
    return MATCHERS.get("dlib-resnet")().descriptors(faces.images, faces.boxes)


def test_descriptors_are_those_of_dlib_in_the_order_of_the_images(faces, descriptors):
    landmarks = face_recognition_models.pose_predictor_five_point_model_location()
    weights = face_recognition_models.face_recognition_model_location()
    predictor = dlib.shape_predictor(landmarks)
    network = dlib.face_recognition_model_v1(weights)
    assert len(faces.images) > PART
    assert descriptors.shape == (len(faces.images), 128)
    for i in (0, PART, len(faces.images) - 1):
        left, top, right, bottom = np.round(faces.boxes[i]).astype(int).tolist()
        rgb = grey_to_rgb(faces.images[i])
        shape = predictor(rgb, dlib.rectangle(left, top, right - 1, bottom - 1))
        np.testing.assert_array_equal(descriptors[i], network.compute_face_descriptor(rgb, shape))


def test_a_darker_copy_is_nearest_to_its_original(faces, descriptors):
    chosen = slice(0, None, 4)
    darker = (faces.images[chosen] * 0.9).astype(np.uint8)
    probes = describe(darker, faces.boxes[chosen])
    distances = np.linalg.norm(probes[:, None] - descriptors[None], axis=-1)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(len(faces.images))[chosen])
