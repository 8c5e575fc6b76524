import numpy as np
import pytest

from sanmodel.evaluation import identification
from sanmodel.evaluation.identification import identify
from sanmodel.evaluation.intervals import identification_intervals


def ranks_by_definition(probes, gallery, people):
    """Word by word: how many people lie at least as near as the probe's own, itself included."""
    ranks = []
    for i, probe in enumerate(probes):
        others = [j for j in range(len(people)) if j != i]
        if not any(people[j] == people[i] for j in others):
            continue
        nearest = {}
        for j in others:
            distance = np.linalg.norm(probe - gallery[j])
            nearest[people[j]] = min(distance, nearest.get(people[j], np.inf))
        ranks.append(sum(value <= nearest[people[i]] + 1e-9 for value in nearest.values()))
    return ranks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("block_pairs", [70, 8_000_000])
def test_ranks_are_those_of_the_definition(monkeypatch, seed, block_pairs):
    monkeypatch.setattr(identification, "BLOCK_PAIRS", block_pairs)
    rng = np.random.default_rng(seed)
    people = 3 * rng.integers(0, 12, 30)
    # Whole numbers make many equal distances.
    gallery = rng.integers(0, 4, (30, 3)).astype(float)
    probes = np.clip(gallery + rng.integers(-1, 2, (30, 3)), 0, 4)
    result = identify(probes, gallery, people)
    expected = ranks_by_definition(probes, gallery, people)
    assert list(result.ranks) == expected
    for k in (1, 3):
        assert result.rate(k) == pytest.approx(np.mean(np.array(expected) <= k))


def test_the_same_photo_is_never_in_the_gallery():
    # Each photo is itself at no distance, but the other photo of its person is the farthest.
    gallery = np.array([[0.0], [10.0], [1.0], [9.0]])
    result = identify(gallery, gallery, np.array([0, 0, 1, 1]))
    assert list(result.ranks) == [2, 2, 2, 2]


def test_people_count_once_however_many_images_they_have():
    gallery = np.array([[0.0], [3.0], [1.0], [1.1], [1.2], [1.3]])
    result = identify(gallery, gallery, np.array([0, 0, 1, 1, 1, 1]))
    assert result.ranks[0] == 2


def test_people_with_one_image_are_only_sought_in_vain():
    gallery = np.array([[0.0], [2.0], [0.5]])
    result = identify(gallery, gallery, np.array([5, 5, 7]))
    assert list(result.people) == [5, 5]
    assert list(result.ranks) == [2, 2]
    alone = identify(gallery, gallery, np.array([1, 2, 3]))
    assert alone.rate(1) is None


def test_one_person_alone_is_always_first_which_says_nothing():
    gallery = np.array([[0.0], [1.0], [5.0]])
    assert identify(gallery, gallery, np.array([4, 4, 4])).rate(1) is None
    assert identify(gallery, gallery, np.array([4, 4, 9])).rate(1) == 1


def test_a_rank_that_takes_in_everybody_says_nothing():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(5), 2)
    gallery = rng.normal(size=(10, 2))
    result = identify(gallery, gallery, people)
    assert result.rate(5) is None
    assert result.rate(4) is not None
    assert identification_intervals(result, (1, 5))["rank_5"] is None


def test_no_image_has_no_rate():
    nothing = np.empty((0, 2))
    assert identify(nothing, nothing, np.empty(0, dtype=np.int64)).rate(1) is None
