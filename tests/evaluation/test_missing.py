import pytest

from sanmodel.evaluation.missing import without_answer, without_figure, without_networks

LEFT_OUT = "gender-net reads Male, not Smiling, and is left out"
OTHERS = ["the authors' checkpoint hides Male, not Smiling, and is left out", "nothing else"]


@pytest.mark.parametrize(
    ("kind", "gaps", "why"),
    [
        ("classifiers", [*OTHERS, LEFT_OUT], LEFT_OUT),
        ("classifiers", OTHERS, "evaluate.classifiers names none"),
        ("matchers", [*OTHERS, LEFT_OUT], "evaluate.matchers names none"),
    ],
)
def test_networks_are_missing_since_they_do_not_fit_or_none_was_named(kind, gaps, why):
    assert without_networks(kind, gaps) == why


@pytest.mark.parametrize(
    ("name", "figures", "why"),
    [
        ("tmr_at_fmr_0.01", {"tmr_at_fmr_0.5": 1}, "0.01 is not among evaluate.false_match_rates"),
        ("tmr_at_fmr_0.01", {"tmr_at_fmr_0.01": None}, "too few pairs were compared for a false m"),
        ("error_rate", {}, "these images were not shown to it"),
        ("error_rate", {"error_rate": None}, ""),
    ],
)
def test_a_network_s_figure_is_missing_for_a_reason(name, figures, why):
    found = without_figure(name, figures)
    assert found.startswith(why)
    assert bool(found) == bool(why)


@pytest.mark.parametrize(
    ("probe", "answer", "why"),
    [
        ("who-pays", {"net Young=0": {"images": 12}}, "figures of fewer than 30 images or pairs"),
        ("identification", {}, "evaluate.matchers names none"),
        ("recovery", {"none": {}}, LEFT_OUT),
        ("recovery", {"none": {"auc (net)": None}}, "there is no face to learn from"),
        ("ensembles", {"OP": {"error_rate": None}}, LEFT_OUT),
        ("who-pays", {}, f"{LEFT_OUT}; evaluate.matchers names none"),
        ("somebody-s", {"a": {"b": None}}, ""),
    ],
)
def test_a_probe_s_cells_are_empty_for_a_reason(probe, answer, why):
    found = without_answer(probe, answer, [LEFT_OUT])
    assert found.startswith(why)
    assert bool(found) == bool(why)
