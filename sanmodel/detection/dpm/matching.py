"""Matching a mixture to a pyramid (section 3.2): scores of all placements, and the best ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sanmodel.detection.dpm.deformation import Map, Places, transform
from sanmodel.detection.dpm.hog import CELL, Features, pad
from sanmodel.detection.dpm.model import Component, Mixture, Part
from sanmodel.detection.dpm.pyramid import Pyramid

Box = NDArray[np.float64]
"""Left, top, right, bottom in pixels of the photo, (4,)."""

PADDING = 3
"""Root cells beyond the border of a level in which a root may still stand: cut faces."""


@dataclass(frozen=True)
class Placement:
    """Where a component stands in a pyramid.

    Attributes:
        score: The component's, bias included.
        component: Its index in the mixture.
        level: Of the root in the pyramid; the parts stand an octave below.
        root: Row and column of the root's corner in cells of its level.
        parts: Row and column of each part's corner in cells of theirs.
    """

    score: float
    component: int
    level: int
    root: tuple[int, int]
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ScoreMap:
    """Scores of one component for every root place of one level.

    Attributes:
        level: Of the root.
        component: Index in the mixture.
        scores: (rows, columns); row 0 and column 0 stand ``PADDING`` cells outside of the photo.
        moves: For each part the rows and columns of its best places, for every root.
    """

    level: int
    component: int
    scores: Map
    moves: tuple[tuple[Places, Places], ...]


def respond(features: Features, filters: Sequence[Features]) -> Map:
    """Correlate filters of one size with a map, (filters, rows, columns) of places.

    Every row of a window is contiguous in the map, so one copy of the rows and one matrix product
    per row of the filter do it.
    """
    height, width = filters[0].shape[:2]
    rows, columns = features.shape[0] - height + 1, features.shape[1] - width + 1
    if rows < 1 or columns < 1:
        return np.empty((len(filters), max(rows, 0), max(columns, 0)), np.float32)
    weights = np.stack(filters).reshape(len(filters), height, -1)
    spans = sliding_window_view(features.reshape(len(features), -1), width * features.shape[2], 1)
    runs = np.ascontiguousarray(spans[:, :: features.shape[2]])
    response = np.zeros((rows * columns, len(filters)), np.float32)
    for row in range(height):
        response += runs[row : row + rows].reshape(rows * columns, -1) @ weights[:, row].T
    return np.ascontiguousarray(response.T).reshape(len(filters), rows, columns)


def score_level(mixture: Mixture, pyramid: Pyramid, level: int) -> list[ScoreMap]:
    """Score every root place of a level for every component.

    Args:
        mixture: The model.
        pyramid: Of the photo.
        level: Of the roots, ``pyramid.per_octave`` or more if there are parts.
    """
    padded = pad(pyramid.features(level), PADDING)
    roots = _respond_all(padded, [component.root for component in mixture.components])
    parts = [part for component in mixture.components for part in component.parts]
    responses = iter(_part_responses(parts, pyramid, level))
    maps = []
    for index, (component, root) in enumerate(zip(mixture.components, roots, strict=True)):
        scores = root + np.float32(component.bias)
        places = [_add_part(scores, next(responses), part) for part in component.parts]
        maps.append(ScoreMap(level, index, scores, tuple(places)))
    return maps


def _respond_all(features: Features, filters: Sequence[Features]) -> list[Map]:
    """Correlate filters of any sizes, those of one size together."""
    responses: list[Map] = [np.empty((0, 0), np.float32)] * len(filters)
    for size in {kernel.shape for kernel in filters}:
        chosen = [i for i, kernel in enumerate(filters) if kernel.shape == size]
        for i, response in zip(
            chosen, respond(features, [filters[i] for i in chosen]), strict=True
        ):
            responses[i] = response
    return responses


def _part_responses(parts: Sequence[Part], pyramid: Pyramid, level: int) -> list[Map]:
    """Correlate parts with the level an octave below ``level``."""
    if not parts:
        return []
    finer = pad(pyramid.features(level - pyramid.per_octave), 2 * PADDING)
    return _respond_all(finer, [part.filter for part in parts])


def _add_part(scores: Map, response: Map, part: Part) -> tuple[Places, Places]:
    """Add a part at its best places to the scores of the roots.

    Returns:
        The row and the column of the best place for every root, (rows, columns).
    """
    x, y = part.anchor
    # A root without a place for the anchor cannot stand there.
    first = max(0, -(y // 2)), max(0, -(x // 2))
    anchors = [
        slice(2 * low + offset, 2 * (size - 1) + offset + 1, 2)
        for low, offset, size in zip(first, (y, x), scores.shape, strict=True)
    ]
    best, rows, columns = transform(response, part.deformation, (anchors[0], anchors[1]))
    there = np.s_[first[0] : first[0] + best.shape[0], first[1] : first[1] + best.shape[1]]
    gain = np.full_like(scores, -np.inf)
    gain[there] = best
    scores += gain
    places = np.zeros((2, *scores.shape), np.int32)
    places[0][there], places[1][there] = rows, columns
    return places[0], places[1]


def placement(score_map: ScoreMap, row: int, column: int) -> Placement:
    """Trace back where the parts of the root at a place of ``score_map.scores`` stand."""
    parts = []
    for rows, columns in score_map.moves:
        place = int(rows[row, column]), int(columns[row, column])
        parts.append((place[0] - 2 * PADDING, place[1] - 2 * PADDING))
    root = row - PADDING, column - PADDING
    score = float(score_map.scores[row, column])
    return Placement(score, score_map.component, score_map.level, root, tuple(parts))


def moves(component: Component, place: Placement) -> NDArray[np.float64]:
    """Return how far the parts stand off their anchors: dx, dy of each, in their cells."""
    y, x = place.root
    return np.array(
        [
            (column - 2 * x - part.anchor[0], row - 2 * y - part.anchor[1])
            for part, (row, column) in zip(component.parts, place.parts, strict=True)
        ]
    ).reshape(-1)


def predict_box(component: Component, place: Placement, pyramid: Pyramid) -> Box:
    """Return where the object is, from where the root and the parts are (section 7)."""
    y, x = place.root
    in_cells = component.box @ np.append(1.0, moves(component, place)) + (x, y, x, y)
    return np.asarray(in_cells * CELL / pyramid.scale(place.level))


def part_boxes(component: Component, place: Placement, pyramid: Pyramid) -> NDArray[np.float64]:
    """Return left, top, right, bottom of each part in pixels of the photo, (parts, 4)."""
    cell = CELL / pyramid.scale(place.level - pyramid.per_octave)
    boxes = [
        (column, row, column + part.filter.shape[1], row + part.filter.shape[0])
        for part, (row, column) in zip(component.parts, place.parts, strict=True)
    ]
    return np.array(boxes, np.float64).reshape(-1, 4) * cell
