from dataclasses import replace

import numpy as np
import pytest
from descriptor_studies import make_study

from sanmodel.evaluation.probes import Study
from sanmodel.evaluation.probes.ensembles import EnsemblesProbe

RIGHT = np.array([0.1, 0.9, 0.1, 0.9])
"""Of four people, whose classes are 0, 1, 0 and 1."""


def misreading(*places: int) -> np.ndarray:
    """Scores of a classifier that is wrong at these places."""
    scores = RIGHT.copy()
    scores[list(places)] = 1 - scores[list(places)]
    return scores


def study(**scores: np.ndarray) -> Study:
    """Scores by "<classifier>_<member>"."""
    keyed = {tuple(name.split("_")): values for name, values in scores.items()}
    members = tuple(dict.fromkeys(member for _, member in keyed))
    return replace(make_study(np.arange(4), {}), scores=keyed, members=members or ("OP",))


def test_members_are_counted_alone_and_together():
    answer = EnsemblesProbe().answer(
        study(
            a_OP=misreading(0), b_OP=misreading(0, 1), a_OP2=misreading(1, 2), b_OP2=misreading(3)
        )
    )
    assert answer == {
        "OP": {"error_rate (a)": 0.25, "error_rate (b)": 0.5, "error_rate (all)": 0.25},
        "OP2": {"error_rate (a)": 0.5, "error_rate (b)": 0.25, "error_rate (all)": 0.0},
        "a member drawn for each image": {
            "error_rate (a)": 0.375,
            "error_rate (b)": 0.375,
            "error_rate (all)": 0.125,
        },
        "the best member for each image": {
            "error_rate (a)": 0.75,
            "error_rate (b)": 0.75,
            "error_rate (all)": 0.25,
        },
    }


def test_one_model_alone_is_one_row():
    answer = EnsemblesProbe().answer(study(a_OP=misreading(0, 3)))
    assert answer == {"OP": {"error_rate (a)": 0.5, "error_rate (all)": 0.5}}


@pytest.mark.parametrize("members", [("OP",), ("OP", "OP2")])
def test_without_classifiers_there_is_nothing_to_count(members: tuple[str, ...]):
    answer = EnsemblesProbe().answer(replace(study(), members=members))
    assert answer == {member: {"error_rate": None} for member in members}
