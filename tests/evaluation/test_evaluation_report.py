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
    metrics, curves = report_matching(match(descriptors, people, [0.01, 0.001], seed=0))
    assert (
        metrics["good"]["SM"]["tmr_at_fmr_0.01"] == metrics["good"]["SM"]["tmr_at_fmr_0.001"] == 1
    )
    blind = metrics["blind"]["SM"]
    assert blind["tmr_at_fmr_0.01_low"] <= blind["tmr_at_fmr_0.01"] < 0.2
    assert blind["tmr_at_fmr_0.01"] <= blind["tmr_at_fmr_0.01_high"]
    assert list(curves.columns) == ["matcher", "variant", "fmr", "tmr"]
    assert len(curves.groupby(["matcher", "variant"])) == 4


def test_nothing_measured_is_an_empty_table():
    metrics, curves = report_attribute({}, np.array([0, 1]), np.array([0, 1]), seed=0)
    assert metrics == {}
    assert list(curves.columns) == ["classifier", "variant", "fpr", "tpr"]


def test_quality_is_the_mean_over_images():
    quality = {("psnr", "SM"): np.array([20.0, 30.0]), ("ssim", "SM"): np.array([0.5, 0.7])}
    assert report_quality(quality) == {"SM": {"psnr": 25.0, "ssim": pytest.approx(0.6)}}
