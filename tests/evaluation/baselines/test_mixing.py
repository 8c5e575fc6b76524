"""Which candidate a face is mixed with, and what comes of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import procrustes

from sanmodel.errors import SanError
from sanmodel.evaluation.baselines import BASELINES
from sanmodel.evaluation.baselines import mixing as module
from sanmodel.evaluation.baselines.mixing import find_candidates
from sanmodel.evaluation.baselines.morph import morph
from sanmodel.evaluation.dense_landmarks import POINTS, find_dense_landmarks
from sanmodel.evaluation.similarity import psnr


@pytest.fixture(scope="module")
def landmarks(sample):
    return np.stack(list(map(find_dense_landmarks, sample.images, sample.boxes)))


def mixed(context, faces):
    return BASELINES.get("mixing")(context).perturb(faces, np.zeros_like(faces.images))


def test_dense_landmarks_lie_about_the_five(sample, landmarks):
    assert landmarks.shape == (len(sample), POINTS, 2)
    eye_corners_and_nose = landmarks[:, [45, 42, 36, 39, 33]]
    distances = np.linalg.norm(eye_corners_and_nose - sample.landmarks, axis=2)
    assert np.median(distances) < 4


def test_a_face_mixed_with_itself_is_nearly_itself(sample, context):
    face = sample.take(slice(0, 1))
    both = sample.take(np.zeros(2, dtype=np.int64))
    pool = replace(both, labels=np.array([0, 1]))  # the face and its twin of the other class
    (output,) = mixed(context(pool=pool), face)
    assert psnr(face.images[0], output) > 40


def test_a_face_is_mixed_with_the_nearest_of_the_other_class(sample, context, landmarks):
    faces = sample.take(slice(0, 6))
    outputs = mixed(context(), faces)
    assert (outputs.shape, outputs.dtype) == (faces.images.shape, np.uint8)
    for i, output in enumerate(outputs):
        others = np.flatnonzero(sample.labels != sample.labels[i])
        distances = [procrustes(landmarks[i], landmarks[j])[2] for j in others]
        nearest = others[np.argmin(distances)]
        pair = sample.images[i], sample.images[nearest], landmarks[i], landmarks[nearest]
        np.testing.assert_array_equal(output, morph(*pair, module.WEIGHT))


def test_batches_do_not_matter(sample, context):
    baseline = BASELINES.get("mixing")(context())
    ours = np.zeros_like(sample.images[:3])
    together = baseline.perturb(sample.take(slice(0, 3)), ours)
    one = baseline.perturb(sample.take(slice(1, 2)), ours[1:2])
    np.testing.assert_array_equal(one[0], together[1])


def test_candidates_are_few_of_one_class_and_drawn_by_the_seed(sample, context, monkeypatch):
    monkeypatch.setattr(module, "MAX_CANDIDATES", 4)
    for label in (0, 1):
        places = find_candidates(context(), label).places
        assert len(set(places)) == 4
        assert (sample.labels[places] == label).all()
        np.testing.assert_array_equal(places, find_candidates(context(), label).places)
    drawn = {tuple(find_candidates(context(seed=seed), 0).places) for seed in range(3)}
    assert len(drawn) > 1


def test_a_pool_of_one_class_is_explained(sample, context):
    men = sample.take(np.flatnonzero(sample.labels == 1))
    with pytest.raises(SanError, match="no training face of other people has Male = 0"):
        mixed(context(pool=men), men.take(slice(0, 1)))
