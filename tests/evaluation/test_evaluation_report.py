import numpy as np
import pytest

from sanmodel.evaluation.report import (
    match,
    report_attribute,
    report_matching,
    report_quality,
)


def test_attribute_report_has_a_row_of_figures_and_a_curve_per_variant():
    labels = np.array([0, 0, 1, 1])
    scores = {
        ("net", "original"): np.array([0.1, 0.2, 0.8, 0.9]),
        ("net", "OP"): np.array([0.9, 0.8, 0.2, 0.1]),
    }
    metrics, curves = report_attribute(scores, labels, np.arange(4), seed=0)
    assert metrics["net"]["original"]["error_rate"] == 0
    figures = {"error_rate": 1, "error_rate_class_0": 1, "error_rate_class_1": 1, "auc": 0}
    ends = {f"{name}_{end}": 1 for name in ("error_rate",) for end in ("low", "high")}
    assert {**figures, **ends}.items() <= metrics["net"]["OP"].items()
    assert list(curves.columns) == ["classifier", "variant", "fpr", "tpr"]
    assert set(curves["variant"]) == {"original", "OP"}


def assert_each_has_an_interval(metrics, figures):
    """Each figure stands within its own interval, and no other figure is there."""
    assert metrics.keys() == {name + end for name in figures for end in ("", "_low", "_high")}
    for name in figures:
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
        assert metrics[f"{name}_low"] < metrics[f"{name}_high"]


def test_error_rates_and_auc_have_intervals():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(20), 3)
    labels = people % 2
    scores = {("net", "OP"): np.clip(0.3 * labels + 0.7 * rng.random(60), 0, 1)}
    metrics, _ = report_attribute(scores, labels, people, seed=0)
    figures = ["error_rate", "error_rate_class_0", "error_rate_class_1", "auc"]
    assert_each_has_an_interval(metrics["net"]["OP"], figures)


def test_matching_report_compares_with_the_originals_of_the_same_matcher():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(10), 4)
    clusters = 50 * rng.normal(size=(10, 8))[people] + rng.normal(size=(40, 8))
    descriptors = {
        ("good", "original"): clusters,
        ("good", "SM"): clusters + 0.1,
        ("blind", "original"): rng.normal(size=(40, 8)),
        ("blind", "SM"): rng.normal(size=(40, 8)),
    }
    metrics, curves = report_matching(match(descriptors, people, [0.1, 0.01], seed=0))
    assert metrics["good"]["SM"]["tmr_at_fmr_0.1"] == metrics["good"]["SM"]["tmr_at_fmr_0.01"] == 1
    blind = metrics["blind"]["SM"]
    assert blind["tmr_at_fmr_0.1"] < 0.3
    rates = ["tmr_at_fmr_0.1", "tmr_at_fmr_0.01"]
    assert_each_has_an_interval(blind, [*rates, *(f"{rate}_change" for rate in rates)])
    assert list(curves.columns) == ["matcher", "variant", "fmr", "tmr"]
    assert len(curves.groupby(["matcher", "variant"])) == 4


def test_nothing_measured_is_an_empty_table():
    metrics, curves = report_attribute({}, np.array([0, 1]), np.array([0, 1]), seed=0)
    assert metrics == {}
    assert list(curves.columns) == ["classifier", "variant", "fpr", "tpr"]


def test_quality_is_the_mean_over_images_with_an_interval_over_people():
    psnr, ssim = np.linspace(20, 30, 60), np.linspace(0.5, 0.7, 60)
    quality = {("psnr", "SM"): psnr, ("ssim", "SM"): ssim, ("psnr", "OP"): psnr - 5}
    found = report_quality(quality, np.repeat(np.arange(20), 3), seed=0)
    assert found["SM"]["psnr"] == pytest.approx(25)
    assert found["OP"]["psnr"] == pytest.approx(20)
    assert_each_has_an_interval(found["SM"], ["psnr", "ssim"])


def test_the_quality_of_one_persons_images_has_no_interval():
    quality = {("psnr", "SM"): np.array([20.0, 30.0])}
    assert report_quality(quality, np.array([3, 3]), seed=0) == {"SM": {"psnr": 25.0}}


def test_changes_are_those_of_the_same_people():
    rng = np.random.default_rng(3)
    people = np.repeat(np.arange(30), 6)
    labels = people % 2
    hard = rng.random(30)[people]  # some people are read wrongly whatever is done
    scores = {
        ("net", "original"): np.where(hard < 0.3, 1 - labels, labels).astype(float),
        ("net", "OP"): np.where(hard < 0.3, 1 - labels, labels).astype(float),
    }
    scores["net", "OP"][::10] = 1 - labels[::10]
    figures = report_attribute(scores, labels, people, 1)[0]["net"]
    change = figures["OP"]["error_rate"] - figures["original"]["error_rate"]
    assert figures["OP"]["error_rate_change"] == pytest.approx(change)
    assert (
        figures["OP"]["error_rate_change_low"] <= change <= figures["OP"]["error_rate_change_high"]
    )
    own = figures["OP"]["error_rate_high"] - figures["OP"]["error_rate_low"]
    both = figures["OP"]["error_rate_change_high"] - figures["OP"]["error_rate_change_low"]
    assert both < own / 2
    assert "error_rate_change" not in figures["original"]

    original = 2 * rng.normal(size=(30, 6))[people] + rng.normal(size=(180, 6))
    descriptors = {("face", "original"): original}
    descriptors["face", "OP"] = original + 0.5 * rng.normal(size=original.shape)
    matched = match(descriptors, people, (0.1,), seed=1)
    before, after = (matched["face", v].rates for v in ("original", "OP"))
    moved = after["tmr_at_fmr_0.1"] - before["tmr_at_fmr_0.1"]
    assert after["tmr_at_fmr_0.1_change"] == pytest.approx(moved)
    assert after["tmr_at_fmr_0.1_change_low"] <= moved <= after["tmr_at_fmr_0.1_change_high"]
    assert "tmr_at_fmr_0.1_change" not in before
