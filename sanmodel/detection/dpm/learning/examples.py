"""Examples: what a component sees at a placement, as a vector to learn from (section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.detect import find_placements, pyramid_for
from sanmodel.detection.dpm.hog import CELL, Features, pad
from sanmodel.detection.dpm.matching import (
    PADDING,
    Box,
    Placement,
    ScoreMap,
    moves,
    placement,
    predict_box,
    score_level,
)
from sanmodel.detection.dpm.model import Component, Mixture
from sanmodel.detection.dpm.pyramid import Pyramid
from sanmodel.images import Picture

Vector = NDArray[np.float32]

CONTEXT = 2.5
"""Side of the part of a photo around a face that is searched, in sides of its box."""
MOST_SHARED = 0.3
"""Overlap with a face up to which a placement is no face."""


@dataclass(frozen=True)
class Example:
    """A placement as the component saw it.

    Attributes:
        component: Index in the mixture.
        vector: Its score is the product with the component's parameters.
        moves: See :func:`sanmodel.detection.dpm.matching.moves`.
        box: The face box in root cells from the root's corner, (4,); zeros for a non-face.
    """

    component: int
    vector: Vector
    moves: NDArray[np.float64]
    box: NDArray[np.float64]


def parameters(component: Component) -> Vector:
    """Return all weights of a component: root, bias, then filter and deformation of each part."""
    parts = [a for part in component.parts for a in (part.filter.ravel(), part.deformation)]
    bias = np.array([component.bias], np.float32)
    return np.concatenate([component.root.ravel(), bias, *parts])


def with_parameters(component: Component, vector: Vector) -> Component:
    """Return the component with other weights; the inverse of :func:`parameters`."""
    size = component.root.size
    root, bias, at = vector[:size].reshape(component.root.shape), float(vector[size]), size + 1
    parts = []
    for part in component.parts:
        filters, at = vector[at : at + part.filter.size], at + part.filter.size
        deformation, at = vector[at : at + 4], at + 4
        parts.append(
            replace(part, filter=filters.reshape(part.filter.shape), deformation=deformation)
        )
    return replace(component, root=root, bias=bias, parts=tuple(parts))


def see(component: Component, place: Placement, pyramid: Pyramid) -> Vector:
    """Return what a component sees at a placement, in the order of :func:`parameters`."""
    seen = [_patch(pyramid, place.level, place.root, component.root), np.ones(1, np.float32)]
    steps = moves(component, place).reshape(-1, 2)
    for part, corner, (dx, dy) in zip(component.parts, place.parts, steps, strict=True):
        seen.append(_patch(pyramid, place.level - pyramid.per_octave, corner, part.filter))
        seen.append(-np.array([dx * dx, dx, dy * dy, dy], np.float32))
    return np.concatenate(seen)


def _patch(pyramid: Pyramid, level: int, corner: tuple[int, int], like: Features) -> Vector:
    """Cut what lies under a filter, which may reach over the border."""
    border = 2 * PADDING
    row, column = corner[0] + border, corner[1] + border
    padded = pad(pyramid.features(level), border)
    return padded[row : row + like.shape[0], column : column + like.shape[1]].ravel()


def best_on_face(
    mixture: Mixture, component: int, photo: Picture, box: Box, least_overlap: float
) -> Example | None:
    """Find a component's best placement on a face, whose box gives the place only roughly.

    Args:
        mixture: The model as it is now.
        component: Index of the view that the face shows.
        photo: RGB, (height, width, 3).
        box: The face.
        least_overlap: Of the unmoved component's box with the face.

    Returns:
        The example, or nothing where no placement overlaps enough.
    """
    photo, box = _around(photo, box)
    view = mixture.components[component]
    width = float(view.box[2, 0] - view.box[0, 0]) * CELL
    matched = width / (box[2] - box[0])
    # Roots from 0.3 octaves above to 0.3 octaves below the face's own size.
    pyramid = Pyramid(photo, 2 * matched * 2**0.3, matched * 2**-0.31, per_octave=5)
    best: Placement | None = None
    alone = Mixture((view,), mixture.threshold)
    for level in range(pyramid.per_octave, pyramid.levels):
        (score_map,) = score_level(alone, pyramid, level)
        found = _best_near(alone, score_map, pyramid, box, least_overlap)
        if found and (best is None or found.score > best.score):
            best = found
    if best is None:
        return None
    return _example(mixture, replace(best, component=component), pyramid, box)


def _around(photo: Picture, box: Box) -> tuple[Picture, Box]:
    """Cut the face and its surroundings out of a photo."""
    centre, side = (box[:2] + box[2:]) / 2, CONTEXT * (box[2] - box[0])
    left, top = np.maximum(np.floor(centre - side / 2), 0).astype(int)
    right, bottom = np.ceil(centre + side / 2).astype(int)
    return photo[top:bottom, left:right], box - (left, top, left, top)


def _best_near(
    mixture: Mixture, score_map: ScoreMap, pyramid: Pyramid, box: Box, least_overlap: float
) -> Placement | None:
    """Return the best placement of a level among those that overlap enough with a box."""
    component = mixture.components[score_map.component]
    rows, columns = np.indices(score_map.scores.shape)
    corners = np.stack([columns, rows, columns, rows], axis=-1).reshape(-1, 4) - PADDING
    unmoved = component.box[:, 0].astype(np.float64)
    boxes = (corners + unmoved) * CELL / pyramid.scale(score_map.level)
    near = overlap(box, boxes).reshape(rows.shape) >= least_overlap
    scores = np.where(near, score_map.scores, -np.inf)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    if not np.isfinite(scores[row, column]):
        return None
    return placement(score_map, int(row), int(column))


def _example(mixture: Mixture, place: Placement, pyramid: Pyramid, box: Box) -> Example:
    component = mixture.components[place.component]
    y, x = place.root
    in_cells = box * pyramid.scale(place.level) / CELL - (x, y, x, y)
    vector = see(component, place, pyramid)
    return Example(place.component, vector, moves(component, place), in_cells)


def hard_negatives(
    mixture: Mixture, photo: Picture, faces: Sequence[Box], smallest: float, most: int
) -> list[Example]:
    """Find placements off all faces that score above the margin, -1, worst first.

    Args:
        mixture: The model as it is now.
        photo: RGB, (height, width, 3).
        faces: Boxes of all faces in the photo.
        smallest: Least width of an object in pixels.
        most: Return at most as many.
    """
    pyramid = pyramid_for(mixture, photo, smallest, per_octave=3)
    places = sorted(find_placements(mixture, pyramid, -1.0), key=lambda place: -place.score)
    negatives: list[Example] = []
    for place in places:
        component = mixture.components[place.component]
        box = predict_box(component, place, pyramid)
        if len(faces) and overlap(box, np.stack(faces)).max() > MOST_SHARED:
            continue
        vector = see(component, place, pyramid)
        negatives.append(Example(place.component, vector, moves(component, place), np.zeros(4)))
        if len(negatives) == most:
            break
    return negatives
