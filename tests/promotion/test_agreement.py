"""Figures that were handed in are compared with those that are found."""

from copy import deepcopy
from typing import Any

from sanmodel.promotion.agreement import disagreements

TOLD: dict[str, Any] = {
    "classifiers": {"net": {"OP": {"error_rate": 0.26, "error_rate_low": 0.1, "auc": 0.8}}},
    "matchers": {"face": {"OP": {"tmr_at_fmr_0.01": 0.9, "tmr_at_fmr_0.01_change": -0.02}}},
    "quality": {"OP": {"psnr": 27.2, "ssim": 0.95}, "blur": {"psnr": 20.0}},
}


def found(**changes: float) -> dict[str, Any]:
    other = deepcopy(TOLD)
    for figures in (
        other["classifiers"]["net"]["OP"], other["matchers"]["face"]["OP"], other["quality"]["OP"]
    ):  # fmt: skip
        figures |= {name: value for name, value in changes.items() if name in figures}
    return other


def test_the_same_figures_agree() -> None:
    assert disagreements(TOLD, TOLD) == []


def test_rounding_and_what_is_not_judged_do_not_count() -> None:
    assert disagreements(TOLD, found(error_rate=0.275, psnr=27.3, error_rate_low=0.9)) == []


def test_a_figure_that_was_made_up_is_named_with_what_is_found() -> None:
    assert disagreements(found(error_rate=0.9), TOLD) == [
        "its evaluation has 90.0% as the attribute error of net on OP, found anew is 26.0%"
    ]
    assert len(disagreements(TOLD, found(psnr=20.0, **{"tmr_at_fmr_0.01": 0.5}))) == 2


def test_networks_that_only_one_has_are_left_out() -> None:
    new = deepcopy(TOLD)
    new["classifiers"] = {"newer": {"OP": {"error_rate": 0.0}}}
    assert disagreements(TOLD, new) == []


def test_of_few_faces_two_may_be_on_the_edge() -> None:
    told, other = found() | {"images": 40}, found(error_rate=0.31) | {"images": 40}
    assert disagreements(told, other) == []
    assert disagreements(told, found(error_rate=0.36) | {"images": 40}) != []
