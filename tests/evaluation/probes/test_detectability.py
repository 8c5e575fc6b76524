from dataclasses import replace

import numpy as np
import pytest
import torch
from attacked_study import (
    SIDE,
    classes,
    of_one_class,
    side,
    study,
    taken,
    textures,
    without_outside,
)

from sanmodel.evaluation.probes import PROBES


def faces(count, seed):
    """SM is the original, NT adds a fine chessboard and OP a faint ramp from top to bottom."""
    plain = textures(count, seed)
    board = (np.indices((SIDE, SIDE)).sum(0) % 2 * 16).astype(np.uint8)
    ramp = np.linspace(0, 60, SIDE).astype(np.uint8)[:, None]
    return side(classes(count), original=plain, SM=plain, NT=plain + board, OP=plain + ramp)


def answered(asked):
    return PROBES.get("detectability")().answer(asked)


@pytest.fixture(scope="module")
def asked():
    return study(faces(30, 1), faces(48, 2), steps=30)


@pytest.fixture(scope="module")
def answer(asked):
    return answered(asked)


def test_a_pattern_is_detected_and_equal_images_are_not(answer):
    assert list(answer) == ["SM", "NT", "OP"]
    # Whatever the detector makes of equal images, it makes of both classes.
    half = {name + end for name in ("detection_error", "auc") for end in ("", "_low", "_high")}
    assert answer["SM"] == dict.fromkeys(half, pytest.approx(0.5))
    for output in ("NT", "OP"):
        assert answer[output]["auc"] > 0.95
        assert answer[output]["detection_error"] < 0.1


def test_an_original_and_its_output_are_of_one_person(asked):
    # Two people: were their outputs counted as further people, there would be four.
    two = replace(asked, test=taken(asked.test, slice(4)), steps=1)
    assert all("auc_low" in figures for figures in answered(two).values())
    alone = replace(asked, test=taken(asked.test, slice(2)), steps=1)
    assert all(list(figures) == ["detection_error", "auc"] for figures in answered(alone).values())


def test_one_seed_gives_one_answer_and_leaves_the_random_numbers_alone(asked):
    short = replace(asked, steps=2)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]
    first = answered(short)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)
    torch.rand(1)
    assert answered(short) == first


def test_classes_do_not_matter_but_people_outside_do(asked):
    short = replace(asked, steps=1)
    one_class = replace(short, test=of_one_class(asked.test), outside=of_one_class(asked.outside))
    assert all(figures["auc"] is not None for figures in answered(one_class).values())
    nothing = {output: {"detection_error": None, "auc": None} for output in ("SM", "NT", "OP")}
    assert answered(without_outside(short)) == nothing
    assert answered(replace(short, test=taken(short.test, slice(0)))) == nothing
