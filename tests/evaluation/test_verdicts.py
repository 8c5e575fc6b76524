import pytest

from sanmodel.evaluation.verdicts import verdicts
from sanmodel.rules import Floors


def metrics(error_OP: float | None = 0.3) -> dict[str, object]:
    errors = {"original": 0.06, "SM": 0.07, "OP": error_OP}
    rates = {"original": 0.93, "SM": 0.92, "OP": 0.9}
    return {
        "classifiers": {"net": {name: {"error_rate": value} for name, value in errors.items()}},
        "matchers": {"face": {name: {"tmr_at_fmr_0.01": rate} for name, rate in rates.items()}},
        "quality": {"OP": {"psnr": 27.9, "ssim": 0.95}},
        "probes": {
            "detection": {"OP": {"undetected": 0.01}},
            "retrained": {
                "small CNN, learned from OP, OP": {"auc": 0.8},
                "residual network, learned from OP, OP": {"auc": 0.9},
                "residual network, learned from any, OP": {"auc": 0.99},
            },
        },
    }


def test_a_model_that_meets_all_rules_passes_each():
    found = verdicts(metrics(), Floors(max_attacker_auc=0.95))
    assert [one.passed for one in found] == [True] * 7
    assert found[5].sentence.endswith("in X'_OP in at most 2 % (found: 1.0 %)")
    assert found[6].sentence.endswith(
        "at most 0.95 AUC (found: 0.900 AUC, residual network, learned from OP, OP)"
    )
    assert found[0].sentence == (
        "net misreads the attribute in X'_OP in at least 25 % (found: 30.0 %, originals 6.0 %)"
    )
    assert found[1].sentence == (
        "the true match rate at 1% FMR of face falls by at most 5 points (found: 3.0 points)"
    )
    assert found[3].sentence.endswith("at least 24 dB PSNR (found: 27.9 dB PSNR)")


@pytest.mark.parametrize(
    ("rule", "limit", "place"),
    [
        ("min_error", 0.31, 0),
        ("max_match_loss", 0.02, 1),
        ("max_same_error_rise", 0.005, 2),
        ("min_psnr", 28.0, 3),
        ("min_ssim", 0.96, 4),
        ("max_undetected", 0.005, 5),
    ],
)
def test_each_rule_can_fail_alone(rule: str, limit: float, place: int):
    found = verdicts(metrics(), Floors(**{rule: limit}))
    assert [one.passed for one in found] == [number != place for number in range(6)]


@pytest.mark.parametrize(("low", "certain"), [(0.12, False), (0.26, True)])
def test_a_limit_within_the_interval_is_not_met_for_certain(low: float, certain: bool):
    told = metrics()
    told["classifiers"]["net"]["OP"] |= {"error_rate_low": low, "error_rate_high": 0.49}
    found = verdicts(told, Floors())[0]
    assert (found.passed, found.certain) == (True, certain)
    assert f"95 % interval {100 * low:.1f} to 49.0, originals 6.0 %" in found.sentence
    failed = verdicts(told, Floors(min_error=0.4))[0]
    assert (failed.passed, failed.certain) == (False, False)


def test_without_an_interval_nothing_is_certain():
    assert {one.certain for one in verdicts(metrics(), Floors())} == {False}


def test_differences_are_certain_or_not_by_their_own_intervals():
    told = metrics()
    change = {"tmr_at_fmr_0.01_change": -0.03, "tmr_at_fmr_0.01_change_low": -0.06}
    told["matchers"]["face"]["OP"] |= change | {"tmr_at_fmr_0.01_change_high": -0.01}
    rise = {"error_rate_change": 0.01, "error_rate_change_low": 0.0}
    told["classifiers"]["net"]["SM"] |= rise | {"error_rate_change_high": 0.015}
    _, loss, risen, *_ = verdicts(told, Floors())
    assert (loss.passed, loss.certain) == (True, False)
    assert loss.sentence.endswith("(found: 3.0 points, 95 % interval 1.0 to 6.0)")
    assert (risen.passed, risen.certain) == (True, True)
    assert risen.sentence.endswith("(found: 1.0 points, 95 % interval 0.0 to 1.5)")


def test_matching_is_judged_at_the_highest_rate_whatever_comes_first():
    told = metrics()
    for variant, rate in (("original", 0.8), ("OP", 0.5)):
        own = told["matchers"]["face"][variant]
        told["matchers"]["face"][variant] = {"tmr_at_fmr_0.001": rate, **own}
    found = verdicts(told, Floors())[1]
    assert found.passed
    assert found.sentence.startswith("the true match rate at 1% FMR of face")


def test_a_rule_that_is_null_is_left_out_and_what_is_not_measured_is_not_judged():
    rules = Floors(max_match_loss=None, min_psnr=None, min_ssim=None, max_undetected=None)
    first, second = verdicts(metrics(error_OP=None), rules)
    assert (first.passed, second.passed) == (None, True)
    assert first.sentence.endswith("(not measured)")


def test_a_probe_that_did_not_run_is_named():
    told = metrics() | {"probes": {}}
    *_, lost, attacker = verdicts(told, Floors(max_attacker_auc=0.9))
    assert (lost.passed, attacker.passed) == (None, None)
    assert lost.sentence.endswith("(not measured: evaluate.probes has no detection)")
    assert attacker.sentence.endswith("(not measured: evaluate.probes has no retrained)")


def test_without_networks_nothing_is_judged():
    empty = {"classifiers": {}, "matchers": {}, "quality": {}}
    found = verdicts(empty, Floors())
    assert {one.passed for one in found} == {None}
    assert found[0].sentence.endswith("(not measured: evaluate.classifiers names none)")
    assert found[1].sentence.endswith("(not measured: evaluate.matchers names none)")


def test_what_is_not_measured_has_the_reason_that_the_evaluation_gives():
    gap = "no person has two matched images: there is no genuine pair to match"
    told = metrics() | {"gaps": [gap], "matchers": {"face": {"OP": {"tmr_at_fmr_0.01": None}}}}
    assert verdicts(told, Floors())[1].sentence.endswith(f"(not measured: {gap})")
