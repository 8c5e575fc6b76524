import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from example_report import example_metrics

from sanmodel.errors import SanError
from sanmodel.evaluation.comparison import Difference, compare, read_metrics, warnings

ERROR = ("", "gender-net", "OP", "error_rate")


def changed(error, low, high):
    metrics = copy.deepcopy(example_metrics())
    ends = {"error_rate_low": low, "error_rate_high": high}
    metrics["classifiers"]["gender-net"]["OP"] |= {"error_rate": error, **ends}
    return metrics


def differences(a, b):
    return {line.key: line.difference for line in compare(a, b)}


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ((0.30, 0.21, 0.39), Difference.EXCEEDS),  # ours is 0.15 to 0.20
        ((0.05, 0.01, 0.149), Difference.EXCEEDS),
        ((0.30, 0.199, 0.39), Difference.WITHIN),
        ((0.18, 0.01, 0.99), Difference.WITHIN),
        ((0.30, None, None), Difference.NO_INTERVAL),
        ((0.05 + 0.04 * 3, 0.1, 0.2), Difference.SAME),
        ((None, None, None), Difference.ONLY_A),
    ],
)
def test_a_difference_counts_where_the_intervals_do_not_overlap(other, difference):
    assert differences(example_metrics(), changed(*other))[ERROR] is difference


def test_an_interval_in_one_of_them_alone_is_no_interval():
    without = changed(0.3, None, None)
    assert differences(without, example_metrics())[ERROR] is Difference.NO_INTERVAL


def test_every_figure_of_every_set_is_compared_once():
    found = differences(example_metrics(), example_metrics())
    assert set(found.values()) == {Difference.SAME, Difference.NEITHER}
    # 9 variants of 4 figures by classifier and 2 by matcher, quality of 8; probes of 3, 4 and 15.
    assert len(found) == 2 * (9 * 4 + 9 * 2 + 8 * 2 + 3 + 4 + 15)
    assert ("lfw", "attack", "trained on OP", "auc") in found


def test_what_only_one_has_is_said():
    less = copy.deepcopy(example_metrics())
    del less["matchers"]["face-net"], less["sets"]["lfw"]
    found = differences(less, example_metrics())
    assert found["", "face-net", "OP", "tmr_at_fmr_0.01"] is Difference.ONLY_B
    assert found["lfw", "image quality", "SM", "psnr"] is Difference.ONLY_B
    assert (
        differences(example_metrics(), less)["", "face-net", "OP", "tmr_at_fmr_0.01"]
        is Difference.ONLY_A
    )


def test_evaluations_of_other_faces_are_told_apart():
    other = example_metrics() | {"attribute": "Young", "images": 3}
    assert warnings(example_metrics(), other) == [
        "the attribute is Male in A and Young in B",
        "the number of images is 952 in A and 3 in B",
    ]
    assert warnings(example_metrics(), example_metrics()) == []


def test_a_report_s_folder_or_its_file_is_read(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(example_metrics()))
    assert read_metrics(tmp_path) == read_metrics(path) == example_metrics()


EMPTY = '{"classifiers": {}, "matchers": {}, "quality": {}, '
ODD = (
    EMPTY + '"probes": null}',
    EMPTY + '"sets": []}',
    EMPTY + '"sets": {"lfw": {}}}',
    '{"classifiers": {"g": {"error_rate": 0.3}}, "matchers": {}, "quality": {}}',
    '{"classifiers": {"g": {"OP": {"error_rate": "0.3"}}}, "matchers": {}, "quality": {}}',
)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b'{"classifiers": 1}', b"# title", b"\xff", *(odd.encode() for odd in ODD)],
)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(SanError, match=r"a\.json holds no evaluation: give what"):
        read_metrics(path)


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "3f2a"):
        with pytest.raises(SanError, match=r"is no file of metrics: give a metrics\.json, or a"):
            read_metrics(path)


def test_san_compare_shows_both_side_by_side(tmp_path):
    for name, metrics in (("a", example_metrics()), ("b", changed(0.3, 0.25, 0.35))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
    san = Path(sys.executable).parent / "san"
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    shown = subprocess.run(
        [san, "compare", "a", "b/metrics.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout
    different = [line for line in shown.splitlines() if "differs" in line]
    assert len(different) == 1
    for words in ("gender-net", "OP", "17.0% (15.0 to 20.0%)", "30.0% (25.0 to 35.0%)"):
        assert words in different[0]
    assert "face-net (lfw)" in shown
