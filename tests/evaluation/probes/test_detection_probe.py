"""Real faces that are found, and what becomes of them when they are spoilt."""

from dataclasses import replace

import numpy as np
import pytest
from attacked_study import Images, side, study, taken
from small import PROJECT

from sanmodel.evaluation.probes import PROBES, Study
from sanmodel.images import decode_rgb, to_grey


@pytest.fixture(scope="module")
def faces() -> Images:
    """Eight photos of the embedded sample."""
    photos = sorted((PROJECT / "data/sample/photos").glob("*.jpg"))[:8]
    return np.stack([to_grey(decode_rgb(photo.read_bytes(), photo.name)) for photo in photos])


def asked(faces: Images, **variants: Images) -> Study:
    test = side(np.arange(len(faces)) % 2, original=faces, **variants)
    return study(test, taken(test, slice(0)), 1)


def test_faces_that_stay_are_found_and_those_that_go_are_counted(faces: Images) -> None:
    gone = faces.copy()
    gone[:2] = 128
    answer = PROBES.get("detection")().answer(asked(faces, OP=gone))
    assert answer["SM"]["undetected"] == 0
    assert answer["OP"]["undetected"] == 0.25
    assert answer["OP"]["undetected_low"] == 0
    assert 0.25 < answer["OP"]["undetected_high"] <= 1


def test_an_original_without_a_face_counts_for_nothing(faces: Images) -> None:
    there = faces.copy()
    there[4:] = 0
    answer = PROBES.get("detection")().answer(asked(there, OP=np.zeros_like(faces)))
    assert answer["OP"]["undetected"] == 1
    nothing = asked(np.zeros_like(faces))
    assert PROBES.get("detection")().answer(nothing)["OP"] == {"undetected": None}
    nobody = replace(nothing, test=taken(nothing.test, slice(0)))
    assert PROBES.get("detection")().answer(nobody)["OP"] == {"undetected": None}
