"""Where training begins: roots from upright crops, parts from the strong places of a root."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.hog import CELL, FEATURES, Features, hog
from sanmodel.detection.dpm.matching import Box
from sanmodel.detection.dpm.model import Component, Part
from sanmodel.images import Picture

FIRST_DEFORMATION = (0.1, 0.0, 0.1, 0.0)


def empty_component(root: int, margin: int) -> Component:
    """Return a component without weights: a square root whose box leaves ``margin`` cells free."""
    box = np.array([[margin], [margin], [root - margin], [root - margin]], np.float32)
    return Component(np.zeros((root, root, FEATURES), np.float32), 0.0, (), box)


def warped(component: Component, photo: Picture, box: Box) -> NDArray[np.float32]:
    """Return the features of the window around a box, stretched to the root's size.

    Returns:
        In the order of :func:`sanmodel.detection.dpm.learning.examples.parameters`.
    """
    rows, columns = component.root.shape[:2]
    # One more cell on every side, for the same normalisation as within a photo.
    left, top, right, bottom = component.box[:, 0]
    cell_x, cell_y = (box[2] - box[0]) / (right - left), (box[3] - box[1]) / (bottom - top)
    x, y = box[0] - (left + 1) * cell_x, box[1] - (top + 1) * cell_y
    size = ((columns + 2) * CELL, (rows + 2) * CELL)
    window = (x, y, x + (columns + 2) * cell_x, y + (rows + 2) * cell_y)
    scale = (window[2] - window[0]) / size[0], (window[3] - window[1]) / size[1]
    image = Image.fromarray(photo).transform(
        size,
        Image.Transform.AFFINE,
        (scale[0], 0, window[0], 0, scale[1], window[1]),
        Image.Resampling.BILINEAR,
    )
    features = hog(np.asarray(image))[1:-1, 1:-1]
    return np.append(features.ravel(), np.float32(1)).astype(np.float32)


def random_boxes(
    photo: Picture, faces: Sequence[Box], count: int, generator: np.random.Generator
) -> list[Box]:
    """Draw square boxes anywhere in a photo; those on a face are left out."""
    height, width = photo.shape[:2]
    sides = generator.uniform(0.15, 0.6, count) * min(height, width)
    lefts = generator.uniform(0, width - sides)
    tops = generator.uniform(0, height - sides)
    boxes = np.stack([lefts, tops, lefts + sides, tops + sides], axis=1)
    return [box for box in boxes if not len(faces) or overlap(box, np.stack(faces)).max() < 0.3]


def with_parts(component: Component, count: int, size: int) -> Component:
    """Give a trained root parts where its positive weights are strongest (section 5.2).

    Args:
        component: With a trained root.
        count: Number of parts.
        size: Rows and columns of a part, in cells of half a root cell.
    """
    fine = _twice(component.root)
    energy = (np.maximum(fine, 0) ** 2).sum(axis=2)
    parts = []
    for _ in range(count):
        sums = np.lib.stride_tricks.sliding_window_view(energy, (size, size)).sum(axis=(2, 3))
        row, column = np.unravel_index(int(sums.argmax()), sums.shape)
        place = np.s_[row : row + size, column : column + size]
        deformation = np.array(FIRST_DEFORMATION, np.float32)
        parts.append(Part(fine[place].copy(), (int(column), int(row)), deformation))
        energy[place] *= 0.1  # not zero: a later part may share a corner
    box = np.concatenate([component.box[:, :1], np.zeros((4, 2 * count), np.float32)], axis=1)
    return replace(component, parts=tuple(parts), box=box)


def _twice(root: Features) -> Features:
    """Return a filter at twice the resolution."""
    rows, columns = root.shape[:2]
    layers = [
        Image.fromarray(root[:, :, f]).resize((2 * columns, 2 * rows), Image.Resampling.BICUBIC)
        for f in range(root.shape[2])
    ]
    return np.stack([np.asarray(layer) for layer in layers], axis=2).astype(np.float32)
