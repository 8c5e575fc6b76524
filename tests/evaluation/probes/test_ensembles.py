from dataclasses import replace

import numpy as np
import pytest
from descriptor_studies import make_study

from sanmodel.evaluation.intervals import mean_interval
from sanmodel.evaluation.measures import names_of
from sanmodel.evaluation.probes import Answer, Study
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


def figures(answer: Answer) -> Answer:
    """The answer without the ends of intervals."""
    return {row: {name: cells[name] for name in names_of(cells)} for row, cells in answer.items()}


def test_members_are_counted_alone_and_together():
    answer = EnsemblesProbe().answer(
        study(
            a_OP=misreading(0), b_OP=misreading(0, 1), a_OP2=misreading(1, 2), b_OP2=misreading(3)
        )
    )
    assert figures(answer) == {
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
    assert figures(answer) == {"OP": {"error_rate (a)": 0.5, "error_rate (all)": 0.5}}


def test_every_error_rate_has_the_interval_over_people():
    people = np.repeat(np.arange(10), 3)
    whole = make_study(people, {})
    flags = np.random.default_rng(0).random((2, 30)) < 0.4
    scores = {
        ("a", member): np.abs(people % 2 - wrong)
        for member, wrong in zip(("OP", "OP2"), flags, strict=True)
    }
    answer = EnsemblesProbe().answer(replace(whole, scores=scores, members=("OP", "OP2")))
    shares = [*flags, flags.mean(axis=0), flags.any(axis=0)]
    for row, share in zip(answer.values(), shares, strict=True):
        interval = mean_interval(share.astype(float), people, whole.seed)
        for column in ("error_rate (a)", "error_rate (all)"):
            ends = row[f"{column}_low"], row[f"{column}_high"]
            assert ends == (interval.low, interval.high)
            assert interval.low < row[column] < interval.high


@pytest.mark.parametrize("members", [("OP",), ("OP", "OP2")])
def test_without_classifiers_there_is_nothing_to_count(members: tuple[str, ...]):
    answer = EnsemblesProbe().answer(replace(study(), members=members))
    assert answer == {member: {"error_rate": None} for member in members}
