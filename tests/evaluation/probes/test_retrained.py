from dataclasses import replace

import pytest
from attacked_study import classes, of_one_class, patched, side, study, textures, without_outside

from sanmodel.evaluation.attackers import ATTACKERS
from sanmodel.evaluation.probes import PROBES

NOTHING = {"error_rate": None, "auc": None}
LESSONS = ["original", "SM", "NT", "OP"]


def faces(count, seed):
    """Original and SM show the class by a patch, NT not at all, OP shows the other class's."""
    plain, labels = textures(count, seed), classes(count)
    patch = patched(plain, labels)
    return side(labels, original=patch, SM=patch, NT=plain, OP=patched(plain, 1 - labels))


def answered(asked):
    return PROBES.get("retrained")().answer(asked)


@pytest.fixture(scope="module")
def answer():
    return answered(study(faces(60, 1), faces(64, 2), steps=24))


def test_rows_say_who_learned_from_what_and_was_shown_what(answer):
    assert ATTACKERS.names() == ["residual network", "small CNN"]
    assert list(answer) == [
        f"{name}, learned from {lesson}"
        for name in ATTACKERS.names()
        for lesson in [*(f"{v}, {v}" for v in LESSONS), "any, SM", "any, NT", "any, OP"]
    ]


@pytest.mark.parametrize("attacker", ["residual network", "small CNN"])
def test_attackers_find_a_signal_and_only_where_there_is_one(answer, attacker):
    for held in ("original", "SM", "OP"):  # OP's is turned round, which training tells
        figures = answer[f"{attacker}, learned from {held}, {held}"]
        assert figures["error_rate"] < 0.1
        assert figures["auc"] > 0.9
    for lesson in ("NT", "any"):
        assert 0.25 < answer[f"{attacker}, learned from {lesson}, NT"]["auc"] < 0.75


def test_every_figure_has_an_interval(answer):
    for figures in answer.values():
        assert len(figures) == 6
        for name in NOTHING:
            assert 0 <= figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"] <= 1


@pytest.mark.parametrize("attacker", ["residual network", "small CNN"])
def test_who_does_not_know_the_prototype_cannot_tell_what_it_turns_round(answer, attacker):
    errors = [answer[f"{attacker}, learned from any, {v}"]["error_rate"] for v in ("SM", "OP")]
    assert sum(errors) > 0.6


def test_without_people_or_classes_to_learn_from_there_are_no_figures():
    asked = study(faces(6, 1), faces(6, 2), steps=1)
    for lacking in (without_outside(asked), replace(asked, outside=of_one_class(asked.outside))):
        answer = answered(lacking)
        assert len(answer) == 14
        assert all(figures == NOTHING for figures in answer.values())


def test_test_faces_of_one_class_have_no_auc():
    answer = answered(study(of_one_class(faces(6, 1)), faces(6, 2), steps=1))
    assert {figures["auc"] for figures in answer.values()} == {None}
    assert None not in {figures["error_rate"] for figures in answer.values()}
