import numpy as np
import pytest

from sanmodel.evaluation import pairs
from sanmodel.evaluation.pairs import (
    genuine_distances,
    genuine_places,
    impostor_blocks,
    impostor_places,
    measured_impostors,
    random_impostors,
)

PEOPLE = np.array([4, 0, 4, 2, 0, 4, 7, 2])


def descriptors():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 3)), rng.normal(size=(8, 3))


def impostor_cells():
    n = len(PEOPLE)
    return [i * n + j for i in range(n) for j in range(n) if PEOPLE[i] != PEOPLE[j]]


def expected_distances(probes, gallery, cells):
    return [np.linalg.norm(probes[cell // 8] - gallery[cell % 8]) for cell in cells]


def test_genuine_pairs_are_all_pairs_of_different_images_of_one_person():
    found = list(zip(*genuine_places(PEOPLE), strict=True))
    n = range(len(PEOPLE))
    expected = {(i, j) for i in n for j in n if PEOPLE[i] == PEOPLE[j] and i != j}
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("block_pairs", [2, 8_000_000])
def test_genuine_distances_stand_in_the_order_of_their_places(monkeypatch, block_pairs):
    monkeypatch.setattr(pairs, "BLOCK_PAIRS", block_pairs)
    probes, gallery = descriptors()
    rows, columns = genuine_places(PEOPLE)
    expected = expected_distances(probes, gallery, rows * len(PEOPLE) + columns)
    np.testing.assert_allclose(genuine_distances(probes, gallery, PEOPLE), expected)


@pytest.mark.parametrize("exact_images", [7, 8])
@pytest.mark.parametrize("block_pairs", [11, 8_000_000])
def test_every_impostor_pair_comes_once_with_its_distance(monkeypatch, exact_images, block_pairs):
    monkeypatch.setattr(pairs, "EXACT_IMAGES", exact_images)
    monkeypatch.setattr(pairs, "BLOCK_PAIRS", block_pairs)
    monkeypatch.setattr(pairs, "BLOCK_NUMBERS", block_pairs)
    monkeypatch.setattr(pairs, "BLOCK_VALUES", block_pairs)
    probes, gallery = descriptors()
    blocks = list(impostor_blocks(probes, gallery, PEOPLE, seed=0))
    cells = np.concatenate([block.cells for block in blocks])
    distances = np.concatenate([block.distances for block in blocks])
    assert sorted(cells) == impostor_cells()
    assert len(cells) == measured_impostors(PEOPLE)
    np.testing.assert_allclose(distances, expected_distances(probes, gallery, cells))


def test_each_number_is_one_impostor_pair():
    everyone = np.arange(len(impostor_cells()))
    probes, gallery = impostor_places(PEOPLE, everyone)
    assert sorted(probes * len(PEOPLE) + gallery) == impostor_cells()
    some = impostor_places(PEOPLE, everyone[[5, 0, 5]])
    np.testing.assert_array_equal(some, [probes[[5, 0, 5]], gallery[[5, 0, 5]]])


def test_drawn_impostor_pairs_are_equally_likely():
    probes, gallery = descriptors()
    drawn = random_impostors(probes, gallery, PEOPLE, 44_000, seed=1)
    cells, counts = np.unique(drawn.cells, return_counts=True)
    assert list(cells) == impostor_cells()
    assert counts == pytest.approx(np.full(len(cells), 44_000 / len(cells)), rel=0.15)
    np.testing.assert_allclose(drawn.distances, expected_distances(probes, gallery, drawn.cells))


def test_one_person_alone_has_no_impostor_pair_to_draw():
    points = np.zeros((3, 2))
    assert len(random_impostors(points, points, np.zeros(3, dtype=np.int64), 10, seed=0).cells) == 0
