import numpy as np
import pytest
from resampled_faces import faces, repeated

from sanmodel.evaluation import match_intervals, pairs, tails
from sanmodel.evaluation.intervals import draw_people
from sanmodel.evaluation.match_intervals import (
    group_match_intervals,
    scored_match_intervals,
    true_match_intervals,
    true_match_replicates,
)
from sanmodel.evaluation.pairs import genuine_places
from sanmodel.evaluation.protocol import PairScores, verify, verify_scores

RATES = (0.1, 0.02)


def true_match_rate_of_copies(probes, gallery, people, times, rate):
    """The definition with the images literally repeated; copies of a person are not impostors."""
    places, copies = repeated(people, times)
    genuine, impostor = [], []
    for i, copy in zip(places, copies, strict=True):
        for j, other_copy in zip(places, copies, strict=True):
            distance = np.linalg.norm(probes[i] - gallery[j])
            if people[i] != people[j]:
                impostor.append(distance)
            elif i != j and copy == other_copy:
                genuine.append(distance)
    rivals = np.searchsorted(np.sort(impostor), np.array(genuine) + 1e-9, side="right")
    return np.mean(rivals <= np.floor(rate * len(impostor) + 1e-9))


@pytest.mark.parametrize("margin", [0.5, 4])
def test_true_match_replicates_are_those_of_repeated_images(monkeypatch, margin):
    # With a margin of 0.5 the strata end before the threshold, which must not change a thing.
    for module in (match_intervals, tails):
        monkeypatch.setattr(module, "MARGIN", margin)
    probes, gallery, people = faces(10, 4)
    draws = draw_people(people, 5, seed=3)
    found = true_match_replicates(probes, gallery, people, RATES, draws, seed=0)
    expected = [
        [true_match_rate_of_copies(probes, gallery, people, times, rate) for rate in RATES]
        for times in draws
    ]
    np.testing.assert_allclose(found, expected)
    assert len(np.unique(found[:, 1])) > 2


def test_a_sample_of_impostors_moves_the_true_match_rate_little(monkeypatch):
    rng = np.random.default_rng(4)
    people = np.repeat(np.arange(60), 5)
    gallery = rng.normal(size=(300, 8)) + 1.5 * rng.normal(size=(60, 8))[people]
    probes = gallery + 0.5 * rng.normal(size=gallery.shape)
    draws = draw_people(people, 30, seed=5)
    exact = true_match_replicates(probes, gallery, people, RATES, draws, seed=0)
    monkeypatch.setattr(tails, "STRATUM_PAIRS", 2000)
    sampled = true_match_replicates(probes, gallery, people, RATES, draws, seed=0)
    assert (sampled != exact).any()
    np.testing.assert_allclose(sampled, exact, atol=0.05)
    np.testing.assert_allclose(sampled.mean(axis=0), exact.mean(axis=0), atol=0.02)


def test_too_few_impostor_pairs_leave_a_rate_without_interval():
    probes, gallery, people = faces()
    found = true_match_intervals(probes, gallery, people, (0.1, 1e-4), replicates=50)
    assert found["tmr_at_fmr_0.1"] is not None
    assert found["tmr_at_fmr_0.0001"] is None
    # 3300 impostor pairs are one more than the rate needs, but most replicates have fewer.
    assert true_match_intervals(probes, gallery, people, (1 / 3300,)).popitem()[1] is None


def test_drawn_impostor_pairs_serve_very_many_images(monkeypatch):
    probes, gallery, people = faces()
    exact = true_match_intervals(probes, gallery, people, (0.1,), replicates=200)
    monkeypatch.setattr(pairs, "EXACT_IMAGES", 10)
    monkeypatch.setattr(pairs, "IMPOSTOR_SAMPLE", 3000)
    drawn = true_match_intervals(probes, gallery, people, (0.1,), replicates=200)
    assert drawn["tmr_at_fmr_0.1"] != exact["tmr_at_fmr_0.1"]
    assert drawn["tmr_at_fmr_0.1"].low == pytest.approx(exact["tmr_at_fmr_0.1"].low, abs=0.06)
    assert drawn["tmr_at_fmr_0.1"].high == pytest.approx(exact["tmr_at_fmr_0.1"].high, abs=0.06)


def scored(probes, gallery, people, impostors=None):
    """What a matcher that is shown pairs would say; of the impostors a sample, if a number."""
    probe, other = np.nonzero(~np.eye(len(people), dtype=bool))
    if impostors is not None:
        strangers = np.flatnonzero(people[probe] != people[other])
        dropped = np.random.default_rng(1).permutation(strangers)[impostors:]
        probe, other = np.delete(probe, dropped), np.delete(other, dropped)
    distances = np.linalg.norm(probes[probe] - gallery[other], axis=1)
    return PairScores(5 - distances, np.stack([people[probe], people[other]], axis=1))


def test_scores_of_all_pairs_have_the_interval_of_the_descriptors():
    probes, gallery, people = faces()
    pair_scores = scored(probes, gallery, people)
    found = scored_match_intervals(pair_scores, people, RATES, seed=7, replicates=200)
    expected = true_match_intervals(probes, gallery, people, RATES, seed=7, replicates=200)
    for name, interval in expected.items():
        assert found[name].low == pytest.approx(interval.low)
        assert found[name].high == pytest.approx(interval.high)


def test_a_sample_of_impostor_scores_stands_for_all():
    probes, gallery, people = faces(20, 5)
    sample = scored(probes, gallery, people, impostors=4000)
    found = scored_match_intervals(sample, people, (0.1,), replicates=200)["tmr_at_fmr_0.1"]
    all_of_them = true_match_intervals(probes, gallery, people, (0.1,), replicates=200)
    expected = all_of_them["tmr_at_fmr_0.1"]
    assert found.low == pytest.approx(expected.low, abs=0.05)
    assert found.high == pytest.approx(expected.high, abs=0.05)
    rate = verify_scores(sample).true_match_rate(0.1)
    assert found.low < rate < found.high


def test_scores_of_too_few_impostors_leave_a_rate_without_interval():
    probes, gallery, people = faces()
    sample = scored(probes, gallery, people, impostors=20)
    found = scored_match_intervals(sample, people, RATES, replicates=50)
    assert found["tmr_at_fmr_0.1"] is not None
    assert found["tmr_at_fmr_0.02"] is verify_scores(sample).true_match_rate(0.02) is None
    alone = scored(probes[:3], gallery[:3], np.zeros(3, dtype=np.int64))
    assert set(scored_match_intervals(alone, np.zeros(3), RATES).values()) == {None}


def test_groups_are_resampled_at_the_threshold_of_all():
    probes, gallery, people = faces()
    probe, _ = genuine_places(people)
    groups = {
        "all": np.ones(len(probe), dtype=bool),
        "even": people[probe] % 2 == 0,
        "one": people[probe] == people[0],
    }
    found = group_match_intervals(probes, gallery, people, 0.1, groups, seed=7)
    expected = true_match_intervals(probes, gallery, people, (0.1,), seed=7)
    assert found["all"] == expected["tmr_at_fmr_0.1"]
    matches = verify(probes, gallery, people).matches(0.1)
    assert found["even"].low < matches[groups["even"]].mean() < found["even"].high
    assert found["one"] is None  # in a third of the replicates the only person is not there


def test_a_group_is_resampled_as_if_its_pairs_were_alone_at_that_threshold():
    probes, gallery, people = faces(10, 4)
    probe, _ = genuine_places(people)
    inside = people[probe] < 15
    numbers = np.unique(people)
    draws = draw_people(people, 40, seed=3)
    rates = []
    for times in draws:
        distances = {"genuine": [], "impostor": []}
        places, _ = repeated(people, times)
        for i in places:
            for j in places[people[places] != people[i]]:
                distances["impostor"].append(np.linalg.norm(probes[i] - gallery[j]))
        impostors = np.sort(distances["impostor"])
        threshold = impostors[int(0.1 * len(impostors))]
        for person, count in zip(numbers, times, strict=True):
            own = np.flatnonzero(people == person) if person < 15 else []
            near = [np.linalg.norm(probes[i] - gallery[j]) for i in own for j in own if i != j]
            distances["genuine"] += near * count
        rates.append(np.mean(np.array(distances["genuine"]) < threshold - 1e-9))
    found = group_match_intervals(probes, gallery, people, 0.1, {"low": inside}, 3, 40)["low"]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(rates, (2.5, 97.5))))
