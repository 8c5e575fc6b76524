import numpy as np

from sanmodel.detection.dpm.boxes import overlap, suppress


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])
    assert np.allclose(overlap(box, others), [1, 1 / 3, 0])


def test_what_a_better_box_covers_is_dropped() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [2, 2, 5, 5]])
    scores = np.array([0.5, 0.9, 0.1, 0.8])
    assert suppress(boxes, scores, most=0.4) == [1, 2]


def test_a_weaker_box_around_a_better_one_is_dropped() -> None:
    boxes = np.array([[52.0, 95, 196, 239], [0, 57, 238, 295]])  # covered to 37 % only
    assert suppress(boxes, np.array([1.66, -0.17]), most=0.4) == [0]


def test_no_box_is_no_box() -> None:
    assert suppress(np.empty((0, 4)), np.empty(0), most=0.4) == []
