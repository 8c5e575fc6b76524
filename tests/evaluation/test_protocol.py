import numpy as np
import pytest

from sanmodel.evaluation import pairs
from sanmodel.evaluation.measures import false_match_rate
from sanmodel.evaluation.protocol import (
    CURVE_POINTS,
    PairScores,
    attribute_metrics,
    attribute_roc,
    count_pairs,
    explain_gaps,
    true_match_name,
    verify,
    verify_scores,
)

RATES = (0.5, 0.1, 0.05, 0.01)


def all_pairs(probes, gallery, people):
    """The definition, word by word: distances of genuine and of impostor pairs."""
    genuine, impostor = [], []
    for i, probe in enumerate(probes):
        for j, reference in enumerate(gallery):
            distance = np.linalg.norm(probe - reference)
            if people[i] != people[j]:
                impostor.append(distance)
            elif i != j:
                genuine.append(distance)
    return np.array(genuine), np.array(impostor)


def test_attribute_error_counts_each_class_for_itself():
    labels = np.array([0, 0, 0, 0, 1, 1])
    scores = np.array([0.1, 0.5, 0.6, 0.2, 0.4, 0.9])
    metrics = attribute_metrics(labels, scores)
    assert metrics["error_rate"] == pytest.approx(2 / 6)
    assert metrics["error_rate_class_0"] == pytest.approx(1 / 4)
    assert metrics["error_rate_class_1"] == pytest.approx(1 / 2)
    # Of the 8 pairs of one image of each class, 2 are in the wrong order.
    assert metrics["auc"] == pytest.approx(6 / 8)


def test_one_class_alone_has_no_auc_and_no_curve():
    labels, scores = np.ones(3, dtype=np.int64), np.array([0.2, 0.7, 0.8])
    metrics = attribute_metrics(labels, scores)
    assert metrics["error_rate_class_0"] is None
    assert metrics["auc"] is None
    assert metrics["error_rate_class_1"] == pytest.approx(1 / 3)
    assert len(attribute_roc(labels, scores).x) == 0


def test_attribute_curve_is_short_and_runs_from_corner_to_corner():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 5000)
    curve = attribute_roc(labels, rng.random(5000) + 0.3 * labels)
    assert len(curve.x) <= CURVE_POINTS
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.x) >= 0).all()
    assert (np.diff(curve.y) >= 0).all()


def test_pairs_are_ordered_and_of_different_images():
    counts = count_pairs(np.array([0, 0, 0, 1, 1, 2]))
    assert (counts.genuine, counts.impostor) == (6 + 2, 36 - 9 - 4 - 1)


def test_a_true_match_rate_is_called_by_its_false_match_rate():
    names = [true_match_name(rate) for rate in (0.01, 1e-3, 0.1, 1e-5)]
    assert names == ["tmr_at_fmr_0.01", "tmr_at_fmr_0.001", "tmr_at_fmr_0.1", "tmr_at_fmr_1e-05"]
    assert [false_match_rate(name) for name in names] == [0.01, 1e-3, 0.1, 1e-5]


@pytest.mark.parametrize("seed", range(5))
def test_true_match_rate_is_the_best_that_the_false_match_rate_permits(seed):
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 6, 24)
    # Whole numbers make many equal distances.
    gallery = rng.integers(0, 4, (24, 3)).astype(float)
    probes = np.clip(gallery + rng.integers(-1, 2, (24, 3)), 0, 4)
    genuine, impostor = all_pairs(probes, gallery, people)
    result = verify(probes, gallery, people)
    assert result.impostor_pairs == len(impostor)
    for rate in RATES:
        permitted = [t for t in genuine if np.mean(impostor <= t + 1e-9) <= rate]
        expected = np.mean(genuine <= max(permitted, default=-1) + 1e-9)
        assert result.true_match_rate(rate) == pytest.approx(expected)


def test_ties_go_to_the_impostor():
    people = np.array([0, 0, 1, 1])
    everything_equal = verify(np.zeros((4, 2)), np.zeros((4, 2)), people)
    assert everything_equal.true_match_rate(0.5) == 0
    assert everything_equal.true_match_rate(1.0) == 1


def test_separable_people_always_match():
    gallery = np.array([[0.0], [0.1], [5.0], [5.1]])
    result = verify(gallery, gallery, np.array([0, 0, 1, 1]))
    assert result.true_match_rate(0.125) == 1.0


def test_probes_and_gallery_are_not_interchanged():
    gallery = np.array([[0.0], [1.0], [10.0], [11.0]])
    # Every probe lies on the gallery image of somebody else.
    probes = gallery[[2, 3, 0, 1]]
    assert verify(probes, gallery, np.array([0, 0, 1, 1])).true_match_rate(0.125) == 0.0


def test_blocks_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(1)
    people = np.repeat(np.arange(20), 5)
    gallery = rng.normal(size=(100, 8)) + people[:, None] % 7
    probes = gallery + rng.normal(size=(100, 8))
    whole = verify(probes, gallery, people)
    monkeypatch.setattr(pairs, "BLOCK_PAIRS", 730)
    blockwise = verify(probes, gallery, people)
    np.testing.assert_array_equal(whole.rivals, blockwise.rivals)


def test_matches_name_the_genuine_pairs_that_the_rate_counts():
    gallery = np.array([[0.0], [0.1], [5.0], [20.0]])
    result = verify(gallery, gallery, np.array([0, 0, 1, 1]))
    # Person 0 is nearer to itself than any impostor, person 1 farther apart than several.
    np.testing.assert_array_equal(result.matches(0.125), [True, True, False, False])
    assert result.true_match_rate(0.125) == 0.5
    assert result.matches(0.1) is None


def test_few_images_are_measured_without_a_sample():
    points = np.arange(4.0)[:, None]
    result = verify(points, points, np.array([0, 0, 1, 1]), seed=3)
    assert result.sample_seed is None
    assert result.impostor_pairs == 8


def crowd():
    """200 images of 40 people of which many are near to others."""
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(40), 5)
    gallery = rng.normal(size=(200, 4)) + 1.5 * rng.normal(size=(40, 4))[people]
    return gallery + 0.5 * rng.normal(size=(200, 4)), gallery, people


def test_many_images_are_measured_by_a_sample_that_says_its_seed(monkeypatch):
    whole = verify(*crowd())
    monkeypatch.setattr(pairs, "EXACT_IMAGES", 199)
    monkeypatch.setattr(pairs, "IMPOSTOR_SAMPLE", 20_000)
    sampled = verify(*crowd(), seed=3)
    assert sampled.sample_seed == 3
    assert sampled.impostor_pairs == 20_000
    assert len(sampled.rivals) == len(whole.rivals)
    for rate in (0.1, 0.01):
        assert sampled.true_match_rate(rate) == pytest.approx(whole.true_match_rate(rate), abs=0.03)
    again, other = verify(*crowd(), seed=3), verify(*crowd(), seed=4)
    np.testing.assert_array_equal(sampled.rivals, again.rivals)
    assert (sampled.rivals != other.rivals).any()


def test_many_images_with_few_impostor_pairs_are_measured_without_a_sample(monkeypatch):
    whole = verify(*crowd())
    monkeypatch.setattr(pairs, "EXACT_IMAGES", 199)
    numbered = verify(*crowd())
    assert numbered.sample_seed is None
    assert numbered.impostor_pairs == whole.impostor_pairs
    np.testing.assert_array_equal(numbered.rivals, whole.rivals)


def test_matching_curve_agrees_with_the_true_match_rate():
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(30), 4)
    gallery = rng.normal(size=(120, 8)) + 3 * rng.normal(size=(30, 8))[people]
    result = verify(gallery + rng.normal(size=(120, 8)), gallery, people)
    curve = result.roc()
    assert len(curve.x) <= CURVE_POINTS
    assert curve.x[0] == pytest.approx(1 / result.impostor_pairs)
    assert (curve.x[-1], curve.y[-1]) == (1, 1)
    for x, y in zip(curve.x, curve.y, strict=True):
        assert y == result.true_match_rate(x)


def test_too_few_impostor_pairs_leave_a_rate_unmeasured():
    people = np.array([0, 0, 1, 1])
    result = verify(np.arange(4.0)[:, None], np.arange(4.0)[:, None], people)
    assert result.true_match_rate(1 / 8) is not None
    assert result.true_match_rate(1 / 9) is None


def test_one_image_per_person_has_no_true_match_rate():
    points = np.arange(4.0)[:, None]
    result = verify(points, points, np.arange(4))
    assert result.true_match_rate(0.5) is None
    assert len(result.roc().x) == 0


def test_gaps_are_explained_one_by_one():
    assert explain_gaps(np.array([0, 1] * 4), np.arange(8) // 2, [0.1]) == []
    gaps = explain_gaps(np.ones(4, dtype=np.int64), np.arange(4), [0.1, 0.01])
    assert len(gaps) == 3
    assert "class 0" in gaps[0]
    assert "genuine" in gaps[1]
    assert "0.01" in gaps[2]
    one_person = explain_gaps(np.array([0, 1]), np.zeros(2, dtype=np.int64), [0.1])
    assert one_person == ["0 impostor pairs are too few for a false match rate of 0.1"]


def test_a_gap_is_told_of_the_impostor_pairs_that_are_measured(monkeypatch):
    monkeypatch.setattr(pairs, "EXACT_IMAGES", 7)
    monkeypatch.setattr(pairs, "IMPOSTOR_SAMPLE", 20)
    gaps = explain_gaps(np.array([0, 1] * 4), np.arange(8) // 2, [0.04, 0.05])
    assert gaps == ["20 impostor pairs are too few for a false match rate of 0.04"]


def test_no_image_has_no_true_match_rate():
    nothing = np.empty((0, 2))
    assert verify(nothing, nothing, np.empty(0, dtype=np.int64)).true_match_rate(0.5) is None


def of_pairs(genuine, impostor):
    people = [[0, 0]] * len(genuine) + [[0, 1]] * len(impostor)
    return PairScores(np.array([*genuine, *impostor], dtype=float), np.array(people))


def test_where_scores_of_pairs_tie_the_impostor_wins():
    # No impostor reaches 3; one reaches 2 and 1.
    scored = of_pairs([3.0, 2.0, 1.0], [2.0, 0.0, 0.0, 0.0])
    rates = [verify_scores(scored).true_match_rate(rate) for rate in (0.25, 0.2, 1)]
    assert rates == [1.0, None, 1.0]
    tied = of_pairs([3.0, 2.0, 1.0], [3.0, 2.0, 0.0, 0.0])
    assert sorted(verify_scores(tied).rivals) == [1, 2, 2]
    assert verify_scores(of_pairs([], [0.0, 1.0])).true_match_rate(0.5) is None


def test_genuine_pairs_keep_their_order():
    people = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [1, 2], [2, 2], [2, 0]])
    result = verify_scores(PairScores(np.array([1.0, 3, 3, 2, 0, 2, 0]), people))
    assert result.rivals.tolist() == [2, 1, 2]
    assert result.matches(0.25).tolist() == [False, True, False]
