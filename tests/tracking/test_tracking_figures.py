"""Nested figures become flat names."""

from pathlib import Path

from sanmodel.tracking.figures import flatten, read_curve, split


def test_flatten_joins_keys_and_leaves_out_none() -> None:
    nested = {"a": {"b": 1, "c": None}, "d": [2, "x"], "tmr@0.01": True}
    assert flatten(nested) == {"a.b": 1, "d.0": 2, "d.1": "x", "tmr_0.01": True}


def test_split_parts_numbers_from_texts() -> None:
    assert split({"a": 1, "b": "x", "c": True}) == ({"a": 1.0, "c": 1.0}, {"b": "x"})


def test_read_curve_names_terms_as_metrics(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("step,J_G\n1,0.5\n2,0.25\n")
    assert read_curve(path) == {1: {"loss/J_G": 0.5}, 2: {"loss/J_G": 0.25}}
    path.write_text("step\n")  # a training without steps
    assert read_curve(path) == {}
    assert read_curve(tmp_path / "missing.csv") == {}


def test_a_term_that_was_not_there_yet_is_no_metric(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("step,J_M,J_total\n1,,0.5\n2,3.0,4.0\n")
    assert read_curve(path) == {
        1: {"loss/J_total": 0.5},
        2: {"loss/J_M": 3.0, "loss/J_total": 4.0},
    }
