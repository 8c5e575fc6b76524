import dataclasses

import numpy as np
import pytest
from descriptor_studies import make_study

from sanmodel.evaluation.intervals import attribute_intervals
from sanmodel.evaluation.match_intervals import true_match_intervals
from sanmodel.evaluation.measures import names_of
from sanmodel.evaluation.probes import PROBES
from sanmodel.evaluation.protocol import attribute_metrics, verify

PEOPLE = np.repeat(np.arange(40), 6)
SMILING = np.where(np.arange(240) % 7 == 0, -1, np.arange(240) // 2 % 2)
BALD = (np.arange(240) < 20).astype(np.int64)
GROUPS = {"Smiling": SMILING, "Bald": BALD}
COLUMNS = [
    "images",
    "error_rate_original",
    "error_rate_OP",
    "auc_original",
    "auc_OP",
    "tmr_at_fmr_0.02_original",
    "tmr_at_fmr_0.02_OP",
    "tmr_at_fmr_0.001_original",
    "tmr_at_fmr_0.001_OP",
    "psnr_OP",
    "ssim_OP",
]


def answer_to(study):
    return PROBES.get("who-pays")().answer(study)


def matches_by_definition(study, variant, inside, rate):
    """True matches among the genuine pairs within a group, at the threshold of all impostors."""
    probes, gallery = (
        study.descriptors["matcher", variant],
        study.descriptors["matcher", "original"],
    )
    distances = np.linalg.norm(probes[:, None] - gallery, axis=2)
    people = study.test.faces.people
    same = people[:, None] == people
    impostors = np.sort(distances[~same])
    threshold = impostors[int(rate * len(impostors))]
    genuine = same & ~np.eye(len(people), dtype=bool) & np.outer(inside, inside)
    return np.mean(distances[genuine] < threshold)


def worst_of(answer, network):
    """The group in the name of the last row of a network, and the row."""
    (row,) = (row for row in answer if row.startswith(f"{network} worst"))
    return row.removeprefix(f"{network} worst: "), answer[row]


def test_the_table_has_a_row_for_each_group_and_the_worst():
    answer = answer_to(make_study(PEOPLE, GROUPS))
    names = ["all", "Male=1", "Male=0", "Smiling=1", "Smiling=0", "Bald=1", "Bald=0"]
    rows = []
    for network in ("reader", "matcher", "likeness"):
        worst = f"worst: {worst_of(answer, network)[0]}"
        rows += [f"{network} {group}" for group in [*names, worst]]
    assert list(answer) == rows
    for figures in answer.values():
        assert names_of(figures) == COLUMNS


@pytest.mark.parametrize("variant", ["original", "OP"])
def test_errors_of_the_classes_are_told_apart(variant):
    study = make_study(PEOPLE, GROUPS)
    answer, column = answer_to(study), f"error_rate_{variant}"
    metrics = attribute_metrics(study.test.faces.labels, study.scores["reader", variant])
    assert answer["reader all"][column] == metrics["error_rate"]
    assert answer["reader Male=1"][column] == metrics["error_rate_class_1"]
    assert answer["reader Male=0"][column] == metrics["error_rate_class_0"]
    smiling = study.test.faces.labels[SMILING == 1], study.scores["reader", variant][SMILING == 1]
    assert answer["reader Smiling=1"][column] == attribute_metrics(*smiling)["error_rate"]
    assert answer["reader Smiling=1"]["images"] == (SMILING == 1).sum()


@pytest.mark.parametrize("variant", ["original", "OP"])
def test_errors_of_groups_have_the_intervals_of_the_classes(variant):
    study = make_study(PEOPLE, GROUPS)
    answer, column = answer_to(study), f"error_rate_{variant}"
    labels, scores = study.test.faces.labels, study.scores["reader", variant]
    intervals = attribute_intervals(labels, scores, PEOPLE, study.seed)
    for group, name in (("all", ""), ("Male=0", "_class_0"), ("Male=1", "_class_1")):
        row, interval = answer[f"reader {group}"], intervals[f"error_rate{name}"]
        assert (row[f"{column}_low"], row[f"{column}_high"]) == (interval.low, interval.high)
    smiling = answer["reader Smiling=1"]
    assert smiling[f"{column}_low"] <= smiling[column] <= smiling[f"{column}_high"]
    assert f"{column}_low" not in answer["reader Bald=1"]


def test_the_auc_is_that_within_a_group_and_none_within_a_class():
    study = make_study(PEOPLE, GROUPS)
    answer = answer_to(study)
    labels, scores = study.test.faces.labels, study.scores["reader", "OP"]
    smiling = SMILING == 1
    row = answer["reader Smiling=1"]
    assert row["auc_OP"] == attribute_metrics(labels[smiling], scores[smiling])["auc"]
    assert row["auc_OP_low"] < row["auc_OP"] < row["auc_OP_high"]
    assert answer["reader Male=1"]["auc_OP"] is None
    assert answer["reader Male=1"]["error_rate_OP"] is not None


def test_how_much_the_images_of_a_group_change_is_told_too():
    study = make_study(PEOPLE, GROUPS)
    answer = answer_to(study)
    for measure in ("psnr", "ssim"):
        values = study.quality[measure, "OP"]
        column = f"{measure}_OP"
        assert answer["likeness all"][column] == values.mean()
        assert answer["likeness Smiling=1"][column] == values[SMILING == 1].mean()
        row = answer["likeness Male=0"]
        assert row[f"{column}_low"] < row[column] < row[f"{column}_high"]
        assert answer["likeness Bald=1"][column] is None
    assert answer_to(dataclasses.replace(study, quality={})).keys() < answer.keys()


@pytest.mark.parametrize("variant", ["original", "OP"])
def test_a_group_is_matched_at_the_threshold_of_all(variant):
    study = make_study(PEOPLE, GROUPS)
    answer, column = answer_to(study), f"tmr_at_fmr_0.02_{variant}"
    descriptors = [study.descriptors["matcher", v] for v in (variant, "original")]
    assert answer["matcher all"][column] == verify(*descriptors, PEOPLE).true_match_rate(0.02)
    for name, inside in (("Smiling=0", SMILING == 0), ("Male=1", PEOPLE % 2 == 1)):
        expected = matches_by_definition(study, variant, inside, 0.02)
        assert answer[f"matcher {name}"][column] == pytest.approx(expected)


def test_true_match_rates_of_groups_have_intervals():
    study = make_study(PEOPLE, GROUPS)
    answer, column = answer_to(study), "tmr_at_fmr_0.02_OP"
    descriptors = [study.descriptors["matcher", v] for v in ("OP", "original")]
    interval = true_match_intervals(*descriptors, PEOPLE, (0.02,), study.seed)["tmr_at_fmr_0.02"]
    row = answer["matcher all"]
    assert (row[f"{column}_low"], row[f"{column}_high"]) == (interval.low, interval.high)
    for group in ("Male=1", "Male=0", "Smiling=0"):
        row = answer[f"matcher {group}"]
        assert row[f"{column}_low"] < row[column] < row[f"{column}_high"]
    assert f"{column}_low" not in answer["matcher Bald=1"]


def test_small_groups_have_no_figures_and_are_not_the_worst():
    answer = answer_to(make_study(PEOPLE, GROUPS))
    for network in ("reader", "matcher"):
        small = answer[f"{network} Bald=1"]
        assert small.pop("images") == 20
        assert set(small.values()) == {None}


def test_a_group_without_enough_pairs_has_no_true_match_rate():
    # One image of each person: 40 images, no pair.
    answer = answer_to(make_study(PEOPLE, {"First": (np.arange(240) % 6 == 0).astype(np.int64)}))
    assert answer["matcher First=1"]["images"] == 40
    assert answer["matcher First=1"]["tmr_at_fmr_0.02_OP"] is None
    assert answer["reader First=1"]["error_rate_OP"] is not None


def test_the_worst_row_repeats_the_group_that_fares_worst_on_op():
    answer = answer_to(make_study(PEOPLE, GROUPS))
    for network, column in (("reader", "error_rate_OP"), ("matcher", "tmr_at_fmr_0.02_OP")):
        group, worst = worst_of(answer, network)
        assert worst == answer[f"{network} {group}"]
        rows = [f for row, f in answer.items() if row.startswith(network) and "all" not in row]
        assert worst[column] == min(f[column] for f in rows if f[column] is not None)


def test_the_question_says_why_small_groups_have_no_figures():
    assert "fewer than 30 images" in PROBES.get("who-pays").question


def test_faces_that_are_not_matched_count_for_the_attribute_only():
    hidden = np.arange(240) % 6 == 0
    answer = answer_to(make_study(PEOPLE, GROUPS, hidden))
    assert answer["reader all"]["images"] == 240
    assert answer["matcher all"]["images"] == 200
    study = make_study(PEOPLE, GROUPS)
    shown = [study.descriptors["matcher", v][~hidden] for v in ("OP", "original")]
    expected = verify(*shown, PEOPLE[~hidden]).true_match_rate(0.02)
    assert answer["matcher all"]["tmr_at_fmr_0.02_OP"] == expected


def test_few_faces_have_rows_without_figures():
    answer = answer_to(make_study(np.arange(6) // 2, {}))
    assert answer["reader all"] == {**dict.fromkeys(COLUMNS), "images": 6}
    assert answer["matcher worst"] == dict.fromkeys(COLUMNS)


def test_without_a_false_match_rate_only_the_attribute_is_reported():
    study = dataclasses.replace(make_study(PEOPLE, GROUPS), false_match_rates=())
    answer = answer_to(study)
    assert names_of(answer["reader all"]) == [*COLUMNS[:5], *COLUMNS[-2:]]
    assert not any(row.startswith("matcher") for row in answer)
