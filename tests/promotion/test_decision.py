"""Each rule can refuse alone; chance does not promote; what was not measured is no pass."""

from dataclasses import replace
from typing import Any

import pytest

from sanmodel.promotion.assessment import Assessment, Difference
from sanmodel.promotion.decision import decide, figures, markdown
from sanmodel.rules import AgainstChampion, Floors, Rules

RULES = Rules()


def metrics(error: float = 0.3, psnr: float = 28.0) -> dict[str, Any]:
    errors = {"original": 0.06, "SM": 0.07, "OP": error}
    rates = {"original": 0.93, "SM": 0.92, "OP": 0.9}
    return {
        "classifiers": {"net": {name: {"error_rate": value} for name, value in errors.items()}},
        "matchers": {"face": {name: {"tmr_at_fmr_0.01": rate} for name, rate in rates.items()}},
        "quality": {"OP": {"psnr": psnr, "ssim": 0.95}},
        "probes": {"detection": {"OP": {"undetected": 0.0}}},
        "sets": {},
    }


BETTER = {
    "error": Difference(0.05, 0.01, 0.09, "net"),
    "match": Difference(-0.005, -0.02, 0.01, "face"),
    "psnr": Difference(-0.5, -0.6, -0.4),
}


def beside(**changes: Difference) -> Assessment:
    models = {"challenger": metrics(), "champion": metrics(error=0.25)}
    return Assessment({}, models, BETTER | changes)


def first(**changes: float) -> Assessment:
    return Assessment({}, {"challenger": metrics(**changes)}, {})


def test_a_first_model_passes_by_the_floors_alone() -> None:
    decision = decide(first(), 0.02, RULES)
    assert decision.accepted
    assert decision.reasons == ["it meets all 7 rules"]
    assert decision.verdicts[-1].sentence == (
        "the exported model takes at most 500 ms for a face (found: 20 ms, on this machine)"
    )


def test_a_first_model_that_misses_a_floor_is_refused_with_the_reason() -> None:
    decision = decide(first(error=0.2), 0.02, RULES)
    assert not decision.accepted
    (reason,) = decision.reasons
    assert reason.startswith("net misreads the attribute in X'_OP in at least 25 % (found: 20.0 %")
    slow = decide(first(), 0.7, RULES)
    assert slow.reasons == [
        "the exported model takes at most 500 ms for a face (found: 700 ms, on this machine)"
    ]


def test_a_challenger_that_protects_better_for_certain_passes() -> None:
    decision = decide(beside(), 0.02, RULES)
    assert decision.accepted
    assert decision.verdicts[7].sentence == (
        "net misreads the attribute in X'_OP more often than with the champion, by 0 points or more"
        " and for certain (found: 5.0 points, 95 % interval 1.0 to 9.0)"
    )
    assert decision.verdicts[8].sentence.endswith(
        "falls below the champion's by at most 1 points (found: 0.5 points, 95 % interval -1.0 to"
        " 2.0)"
    )
    assert [one.certain for one in decision.verdicts[8:]] == [False, True]


@pytest.mark.parametrize(
    ("name", "difference", "words"),
    [
        ("error", Difference(0.05, -0.01, 0.09, "net"), "more often than with the champion"),
        ("error", Difference(-0.05, -0.09, -0.01, "net"), "found: -5.0 points"),
        ("error", Difference(0.05, None, None, "net"), "found: 5.0 points"),
        ("error", Difference(None, None, None), "not measured"),
        ("match", Difference(-0.02, -0.03, -0.01, "face"), "found: 2.0 points"),
        ("match", Difference(None, None, None), "not measured"),
        ("psnr", Difference(-1.5, -1.6, -1.4), "found: 1.5 dB"),
    ],
)
def test_each_comparison_can_refuse_alone(name: str, difference: Difference, words: str) -> None:
    decision = decide(beside(**{name: difference}), 0.02, RULES)
    (reason,) = decision.reasons
    assert words in reason
    assert not decision.accepted


def test_the_margin_is_a_rule_of_its_own() -> None:
    rules = replace_champion(min_error_gain=0.06)
    assert not decide(beside(), 0.02, rules).accepted


def test_rules_that_are_null_are_dropped() -> None:
    rules = replace_champion(min_error_gain=None, max_match_fall=None, max_psnr_fall=None)
    worse = beside(error=Difference(-0.2, -0.3, -0.1, "net"))
    assert decide(worse, 0.02, rules).accepted
    floors = Rules(floors=Floors(max_latency=None))
    assert len(decide(first(), 9.0, floors).verdicts) == 6


def replace_champion(**limits: float | None) -> Rules:
    return Rules(champion=AgainstChampion(**limits))


def test_what_was_not_measured_is_no_pass() -> None:
    told = metrics()
    told["probes"] = {}
    decision = decide(Assessment({}, {"challenger": told}, {}), 0.02, RULES)
    assert not decision.accepted
    assert "evaluate.probes has no detection" in decision.reasons[0]


def test_a_problem_refuses_whatever_the_figures_are() -> None:
    decision = decide(first(), 0.02, RULES, ["the figures were altered"])
    assert not decision.accepted
    assert decision.reasons == ["the figures were altered"]


def test_the_decision_is_told_with_signs_words_and_figures() -> None:
    found = beside(psnr=Difference(-1.5, -1.6, -1.4))
    told = markdown("san-male, version 3", decide(found, 0.02, RULES), found)
    assert told.startswith("## san-male, version 3: refused\n\n- the PSNR of X'_OP falls below")
    assert "| ✗ not met | the PSNR" in told
    assert "| ≈ met, not certain | the true match rate of face" in told
    assert "| attribute error of net, OP | 30.0% | 25.0% |" in told


def test_further_sets_have_rows_of_their_own() -> None:
    one = first()
    models = {"challenger": {**one.models["challenger"], "sets": {"lfw": metrics(error=0.4)}}}
    assert "| attribute error of net, OP (lfw) | 40.0% |" in figures(replace(one, models=models))
