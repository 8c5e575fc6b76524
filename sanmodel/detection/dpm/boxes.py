"""Boxes: how much they overlap, and which of many overlapping ones to keep."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""Left, top, right, bottom of several boxes, (boxes, 4)."""


def overlap(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """Return the intersection over union of a box with each of several, 0 to 1."""
    common = _intersection(box, boxes)
    return common / np.maximum(_area(box) + _area(boxes) - common, 1e-9)


def suppress(boxes: Boxes, scores: NDArray[np.float64], most: float) -> list[int]:
    """Non-maximum suppression (section 7): best first, without what better ones stand for.

    A face also answers, weakly, at a scale where it is half as small: that box holds the better
    one and is covered by it only in part. So the share is that of the smaller of the two.

    Args:
        boxes: (boxes, 4).
        scores: (boxes,).
        most: Largest share of the smaller of two boxes that may lie within the other.

    Returns:
        Indices of the boxes that are kept, best first.
    """
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        smaller = np.minimum(_area(boxes[i]), _area(boxes[kept]))
        shared = _intersection(boxes[i], boxes[kept]) / np.maximum(smaller, 1e-9)
        if not (shared > most).any():
            kept.append(int(i))
    return kept


def _intersection(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    sides = np.maximum(high - low, 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
