import numpy as np
import pytest
from resampled_faces import answers, faces, repeated
from sklearn.metrics import roc_auc_score

from sanmodel.evaluation import intervals
from sanmodel.evaluation.identification import identify
from sanmodel.evaluation.intervals import (
    Interval,
    attribute_intervals,
    attribute_replicates,
    draw_people,
    identification_intervals,
    identification_replicates,
    mean_interval,
    mean_replicates,
    with_intervals,
)
from sanmodel.evaluation.match_intervals import true_match_intervals, true_match_replicates
from sanmodel.evaluation.protocol import attribute_metrics, verify

RATES = (0.1, 0.02)


def test_a_replicate_draws_as_many_people_as_there_are():
    draws = draw_people(np.array([7, 7, 2, 9, 2]), 4000, seed=0)
    assert draws.shape == (4000, 3)
    assert (draws.sum(axis=1) == 3).all()
    np.testing.assert_allclose(draws.mean(axis=0), 1, atol=0.05)
    # A person is missing with the probability (2/3)^3.
    np.testing.assert_allclose((draws == 0).mean(axis=0), (2 / 3) ** 3, atol=0.03)


def test_a_seed_draws_the_same_people_for_every_figure():
    first = draw_people(np.arange(30), 10, seed=3)
    np.testing.assert_array_equal(draw_people(7 * np.arange(30)[::-1], 10, seed=3), first)
    assert (draw_people(np.arange(30), 10, seed=4) != first).any()
    assert draw_people(np.empty(0, dtype=np.int64), 10, seed=3).shape == (10, 0)


def test_attribute_replicates_are_the_metrics_of_repeated_images():
    people = faces()[2]
    labels, scores = answers(people)
    draws = draw_people(people, 20, seed=1)
    found = attribute_replicates(labels, scores, people, draws)
    for r, times in enumerate(draws):
        places, _ = repeated(people, times)
        expected = attribute_metrics(labels[places], scores[places])
        assert {name: values[r] for name, values in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize("block_weights", [100, 2_000_000])
def test_the_auc_of_a_replicate_is_that_of_weighted_images(monkeypatch, block_weights):
    monkeypatch.setattr(intervals, "BLOCK_WEIGHTS", block_weights)
    people = faces()[2]
    labels, scores = answers(people)
    draws = draw_people(people, 20, seed=2)
    person = np.searchsorted(np.unique(people), people)
    expected = [roc_auc_score(labels, scores, sample_weight=times[person]) for times in draws]
    found = attribute_replicates(labels, scores, people, draws)["auc"]
    np.testing.assert_allclose(found, expected)


def test_mean_replicates_are_the_means_of_repeated_images():
    people = faces()[2]
    values = np.random.default_rng(9).normal(size=len(people))
    draws = draw_people(people, 20, seed=1)
    found = mean_replicates(values, people, draws)
    expected = [values[repeated(people, times)[0]].mean() for times in draws]
    np.testing.assert_allclose(found, expected)


def test_the_mean_of_flags_has_the_interval_of_the_error_rate():
    people = faces()[2]
    labels, scores = answers(people)
    wrong = ((scores > 0.5) != labels).astype(float)
    by_metrics = attribute_intervals(labels, scores, people, seed=7)
    assert mean_interval(wrong, people, seed=7) == by_metrics["error_rate"]
    of_class = np.where(labels == 1, wrong, np.nan)
    assert mean_interval(of_class, people, seed=7) == by_metrics["error_rate_class_1"]
    assert mean_interval(wrong, np.zeros_like(people)) is None
    assert mean_interval(np.full(len(people), np.nan), people) is None
    assert mean_interval(wrong[:0], people[:0]) is None


def test_intervals_stand_beside_the_figures_that_have_one():
    figures = {"auc": 0.5, "rank_1": 0.2, "psnr": None}
    found = with_intervals(figures, {"auc": Interval(0.4, 0.7), "rank_1": None})
    assert found == {**figures, "auc_low": 0.4, "auc_high": 0.7}


def test_everybody_once_gives_the_figures_themselves():
    probes, gallery, people = faces()
    once = np.ones((1, 12), dtype=np.int64)
    result = verify(probes, gallery, people)
    (rates,) = true_match_replicates(probes, gallery, people, RATES, once, seed=0)
    assert list(rates) == [result.true_match_rate(rate) for rate in RATES]
    ranks = identify(probes, gallery, people)
    (found,) = identification_replicates(ranks, (1, 5), once)
    assert list(found) == [ranks.rate(1), ranks.rate(5)]


def test_identification_replicates_count_a_person_as_often_as_drawn():
    result = identify(*faces())
    draws = draw_people(result.people, 10, seed=6)
    found = identification_replicates(result, (1, 2), draws)
    for row, times in zip(found, draws, strict=True):
        places, _ = repeated(result.people, times)
        expected = [np.mean(result.ranks[places] <= k) for k in (1, 2)]
        np.testing.assert_allclose(row, expected)


def test_an_interval_holds_the_figure_and_repeats_with_its_seed():
    probes, gallery, people = faces()
    labels, scores = answers(people)
    metrics = attribute_metrics(labels, scores)
    found = attribute_intervals(labels, scores, people, seed=7)
    assert found.keys() == metrics.keys()
    for name, interval in found.items():
        assert interval.low < metrics[name] < interval.high
    matching = true_match_intervals(probes, gallery, people, RATES, seed=7, replicates=200)
    assert list(matching) == ["tmr_at_fmr_0.1", "tmr_at_fmr_0.02"]
    for rate, interval in zip(RATES, matching.values(), strict=True):
        tmr = verify(probes, gallery, people).true_match_rate(rate)
        assert interval.low < tmr < interval.high
    again = true_match_intervals(probes, gallery, people, RATES, seed=7, replicates=200)
    other = true_match_intervals(probes, gallery, people, RATES, seed=8, replicates=200)
    assert matching == again != other
    ranks = identification_intervals(identify(probes, gallery, people), seed=7)
    assert list(ranks) == ["rank_1", "rank_5"]
    assert ranks["rank_1"].low < identify(probes, gallery, people).rate(1) < ranks["rank_1"].high


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # Each of 40 people has an error probability of its own, 0.3 on average, and 10 images.
    rng = np.random.default_rng(8)
    people = np.repeat(np.arange(40), 10)
    labels = np.zeros(400, dtype=np.int64)
    held, naive = 0, 0
    for trial in range(100):
        wrong = rng.random(400) < rng.beta(0.6, 1.4, 40)[people]
        args = (labels, wrong.astype(float))
        by_person = attribute_intervals(*args, people, trial, 100)["error_rate"]
        by_image = attribute_intervals(*args, np.arange(400), trial, 100)["error_rate"]
        held += by_person.low <= 0.3 <= by_person.high
        naive += by_image.low <= 0.3 <= by_image.high
    assert 0.88 <= held / 100 <= 0.99
    assert naive / 100 < 0.8


def test_one_person_alone_has_no_interval():
    probes, gallery, _ = faces()
    people = np.zeros(len(probes), dtype=np.int64)
    labels, scores = answers(faces()[2])
    assert set(attribute_intervals(labels, scores, people).values()) == {None}
    assert set(true_match_intervals(probes, gallery, people, RATES).values()) == {None}
    result = identify(probes, gallery, people)
    assert set(identification_intervals(result).values()) == {None}


def test_a_class_of_one_person_has_no_interval_of_its_own():
    people = faces()[2]
    scores = answers(people)[1]
    found = attribute_intervals((people == 0).astype(np.int64), scores, people)
    assert found["error_rate_class_1"] is found["auc"] is None
    assert found["error_rate"] is not None
    assert found["error_rate_class_0"] is not None


def test_images_without_mates_have_no_interval():
    points = np.arange(8.0)[:, None]
    people = np.arange(8)
    found = true_match_intervals(points, points, people, (0.1,), replicates=50)
    assert found == {"tmr_at_fmr_0.1": None}
    assert identification_intervals(identify(points, points, people))["rank_1"] is None


def test_no_image_has_no_interval():
    nothing, nobody = np.empty((0, 2)), np.empty(0, dtype=np.int64)
    assert set(attribute_intervals(nobody, np.empty(0), nobody).values()) == {None}
    assert true_match_intervals(nothing, nothing, nobody, (0.1,)) == {"tmr_at_fmr_0.1": None}
