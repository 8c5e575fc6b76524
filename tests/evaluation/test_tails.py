import numpy as np
import pytest

from sanmodel.evaluation import pairs, tails
from sanmodel.evaluation.pairs import count_impostors, impostor_blocks
from sanmodel.evaluation.tails import sample_impostors

RATES = (0.02, 0.002)


def crowd(people_count=40, images=5):
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(people_count), images)
    gallery = rng.normal(size=(len(people), 4)) + 1.5 * rng.normal(size=(people_count, 4))[people]
    return gallery + 0.5 * rng.normal(size=gallery.shape), gallery, people


def every_impostor(probes, gallery, people):
    (block,) = impostor_blocks(probes, gallery, people, seed=0)
    order = np.argsort(block.distances)
    return block.distances[order], block.cells[order]


def test_a_small_set_is_kept_whole():
    sample = sample_impostors(*crowd(), RATES, seed=0)
    distances, cells = every_impostor(*crowd())
    people = crowd()[2]
    np.testing.assert_array_equal(sample.distances, distances)
    np.testing.assert_array_equal(sample.probes, people[cells // len(people)])
    np.testing.assert_array_equal(sample.gallery, people[cells % len(people)])
    assert (sample.weights == 1).all()


@pytest.mark.parametrize("drawn", [False, True])
def test_a_sample_stands_for_all_pairs_and_is_densest_where_it_matters(monkeypatch, drawn):
    total = count_impostors(crowd()[2])
    thresholds = [every_impostor(*crowd())[0][int(rate * total)] for rate in RATES]
    monkeypatch.setattr(tails, "STRATUM_PAIRS", 1000)
    if drawn:
        monkeypatch.setattr(pairs, "EXACT_IMAGES", 199)
        monkeypatch.setattr(pairs, "IMPOSTOR_SAMPLE", 30_000)
    sample = sample_impostors(*crowd(), RATES, seed=1)
    assert 2000 < len(sample.distances) < 3000
    assert (np.diff(sample.weights) >= 0).all()
    assert sample.weights.sum() == pytest.approx(total, rel=0.08)
    counts = np.cumsum(sample.weights)
    for rate, threshold in zip(RATES, thresholds, strict=True):
        below = counts[np.searchsorted(sample.distances, threshold) - 1]
        assert below == pytest.approx(rate * total, rel=0.25)


def test_the_nearest_pairs_stand_for_their_share(monkeypatch):
    monkeypatch.setattr(tails, "STRATUM_PAIRS", 1000)
    sample = sample_impostors(*crowd(), RATES, seed=1)
    nearest = sample.nearest(0.3)
    assert nearest.weights.sum() == pytest.approx(0.3 * sample.weights.sum(), rel=0.02)
    np.testing.assert_array_equal(nearest.distances, sample.distances[: len(nearest.distances)])
    assert len(sample.nearest(4.0).distances) == len(sample.distances)


def test_one_person_alone_has_no_impostor():
    points = np.arange(6.0).reshape(3, 2)
    sample = sample_impostors(points, points, np.zeros(3, dtype=np.int64), RATES, seed=0)
    assert len(sample.distances) == len(sample.nearest(0.1).weights) == 0
