"""Detection: the placements that are better than their neighbours, each object once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from sanmodel.detection.dpm.boxes import suppress
from sanmodel.detection.dpm.hog import CELL
from sanmodel.detection.dpm.matching import (
    Box,
    Placement,
    part_boxes,
    placement,
    predict_box,
    score_level,
)
from sanmodel.detection.dpm.model import Mixture
from sanmodel.detection.dpm.pyramid import Pyramid
from sanmodel.images import Picture

PER_OCTAVE = 5
MOST_COVERED = 0.4
"""Share that two detections may have in common of the smaller one's box."""


@dataclass(frozen=True)
class Detection:
    """A found object.

    Attributes:
        score: Of the placement; at least the threshold that was asked for.
        box: Left, top, right, bottom in pixels of the photo; may reach over its border.
        component: Index of the view in the mixture.
        parts: Boxes of the parts in pixels of the photo, (parts, 4).
    """

    score: float
    box: Box
    component: int
    parts: NDArray[np.float64]


def pyramid_for(
    mixture: Mixture, photo: Picture, smallest: float, per_octave: int = PER_OCTAVE
) -> Pyramid:
    """Return the pyramid in which objects from ``smallest`` pixels of width to the photo's fit.

    The width of an object is that of its predicted box where no part has moved.
    """
    widths = [float(part.box[2, 0] - part.box[0, 0]) * CELL for part in mixture.components]
    has_parts = any(component.parts for component in mixture.components)
    finest = max(widths) / smallest * (2 if has_parts else 1)
    coarsest = min(widths) / min(photo.shape[:2])
    return Pyramid(photo, finest, coarsest, per_octave)


def detect(
    mixture: Mixture,
    photo: Picture,
    smallest: float,
    threshold: float | None = None,
) -> list[Detection]:
    """Find objects, best first.

    Args:
        mixture: The model.
        photo: RGB, (height, width, 3).
        smallest: Least width of an object in pixels of the photo.
        threshold: Least score; the mixture's own if not given.
    """
    pyramid = pyramid_for(mixture, photo, smallest)
    least = mixture.threshold if threshold is None else threshold
    places = find_placements(mixture, pyramid, least)
    if not places:
        return []
    boxes = np.array([predict_box(mixture.components[p.component], p, pyramid) for p in places])
    scores = np.array([place.score for place in places])
    return [
        Detection(
            places[i].score,
            boxes[i],
            places[i].component,
            part_boxes(mixture.components[places[i].component], places[i], pyramid),
        )
        for i in suppress(boxes, scores, MOST_COVERED)
    ]


def find_placements(mixture: Mixture, pyramid: Pyramid, least: float) -> list[Placement]:
    """Return the placements of a score above ``least`` that beat their neighbours on the level."""
    found = []
    for level in range(pyramid.per_octave, pyramid.levels):
        for score_map in score_level(mixture, pyramid, level):
            scores = score_map.scores
            peaks = (scores >= least) & (scores >= maximum_filter(scores, 3, mode="nearest"))
            for row, column in np.argwhere(peaks):
                found.append(placement(score_map, int(row), int(column)))
    return found
