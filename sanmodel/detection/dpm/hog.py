"""Histograms of oriented gradients (Felzenszwalb et al., PAMI 2010, section 6).

A picture becomes a map of cells of 8x8 pixels. Each cell has 32 features:

====== =========================================================================
 0-17  contrast-sensitive histogram: 18 directions of the gradient over 360 degrees
18-26  contrast-insensitive histogram: 9 orientations over 180 degrees
27-30  texture: how much gradient there is beside each of four neighbourhoods
   31  truncation: 1 outside of the picture, where all others are 0
====== =========================================================================
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sanmodel.images import Picture

CELL = 8
"""Side of a cell in pixels."""

DIRECTIONS = 18
FEATURES = 32
TRUNCATION = 31

_CLIP = 0.2  # largest normalised entry (Dalal and Triggs)
_TEXTURE_SCALE = 0.2357  # 1 / sqrt(18): keeps the texture features in the range of the others
_EPSILON = 1e-7
_ONE = np.float32(1)
_PER_LEVEL = np.float32(1 / 255)

# Features of a cell that is seen in a mirror, in terms of the cell's own.
_MIRRORED = np.array(
    [(9 - o) % 18 for o in range(18)] + [18 + (9 - o) % 9 for o in range(9)] + [28, 27, 30, 29, 31]
)

Features = NDArray[np.float32]
"""A map of cells or a filter on it, (rows, columns, 32)."""


def hog(picture: Picture) -> Features:
    """Return the features of an RGB picture (height, width, 3) as (rows, columns, 32).

    The last row or column may be a cut cell, if at least half of it lies in the picture.
    """
    histograms = _histograms(np.ascontiguousarray(picture), _DIRECTION)
    return np.asarray(_normalise(histograms))


def mirror(features: Features) -> Features:
    """Return the features of the picture that a mirror shows."""
    return np.ascontiguousarray(features[:, ::-1, _MIRRORED])


def pad(features: Features, cells: int) -> Features:
    """Surround a map with ``cells`` cells that lie outside of the picture."""
    padded = np.pad(features, ((cells, cells), (cells, cells), (0, 0)))
    outside = np.ones(padded.shape[:2], bool)
    outside[cells : padded.shape[0] - cells, cells : padded.shape[1] - cells] = False
    padded[outside, TRUNCATION] = 1
    return padded


def _gradient_directions() -> NDArray[np.float32]:
    """Return the direction of all gradients (dy, dx) + 255, 0 to 18 for the whole turn."""
    steps = np.arange(-255, 256, dtype=np.float64)
    dy, dx = np.meshgrid(steps, steps, indexing="ij")
    turn = np.arctan2(dy, dx) * DIRECTIONS / (2 * np.pi) % DIRECTIONS
    # Rounding must not make a whole turn of the last little before it.
    return np.minimum(turn, np.nextafter(np.float32(DIRECTIONS), 0)).astype(np.float32)


_DIRECTION = _gradient_directions()


@njit(cache=True)
def _histograms(picture: Any, directions: Any) -> Any:
    """Vote each pixel's gradient into the four nearest cells, (rows + 2, columns + 2, 18).

    The gradient is that of the colour channel where it is steepest. A border of one cell takes
    the votes that fall outside.
    """
    height, width = picture.shape[:2]
    rows, columns = (height + CELL // 2) // CELL, (width + CELL // 2) // CELL
    votes = np.zeros((rows + 2, columns + 2, DIRECTIONS), np.float32)
    for y in range(min(height, rows * CELL)):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        cell_y = (y + 0.5) / CELL + 0.5
        top = int(cell_y)
        down = np.float32(cell_y - top)
        for x in range(min(width, columns * CELL)):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            steepest, best_dy, best_dx = np.int32(-1), np.int32(0), np.int32(0)
            for channel in range(3):
                dy = np.int32(picture[below, x, channel]) - np.int32(picture[above, x, channel])
                dx = np.int32(picture[y, right, channel]) - np.int32(picture[y, left, channel])
                if dy * dy + dx * dx > steepest:
                    steepest, best_dy, best_dx = dy * dy + dx * dx, dy, dx
            direction = directions[best_dy + 255, best_dx + 255]
            first = int(direction)
            second = first + 1 if first < DIRECTIONS - 1 else 0
            magnitude = np.sqrt(np.float32(steepest)) * _PER_LEVEL
            to_second = magnitude * (direction - np.float32(first))
            to_first = magnitude - to_second
            cell_x = (x + 0.5) / CELL + 0.5
            side = int(cell_x)
            across = np.float32(cell_x - side)
            for i, weight_y in ((top, _ONE - down), (top + 1, down)):
                for j, weight_x in ((side, _ONE - across), (side + 1, across)):
                    votes[i, j, first] += weight_y * weight_x * to_first
                    votes[i, j, second] += weight_y * weight_x * to_second
    return votes


@njit(cache=True)
def _normalise(votes: Any) -> Any:
    """Turn votes with their border into features: four normalisations of each histogram."""
    rows, columns = votes.shape[0] - 2, votes.shape[1] - 2
    energy = np.zeros(votes.shape[:2], np.float32)
    for i in range(rows + 2):
        for j in range(columns + 2):
            for o in range(9):
                energy[i, j] += (votes[i, j, o] + votes[i, j, o + 9]) ** 2
    features = np.zeros((rows, columns, FEATURES), np.float32)
    factors = np.empty(4, np.float32)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            block = 0
            for di in (-1, 1):
                for dj in (-1, 1):
                    total = energy[i, j] + energy[i + di, j]
                    total += energy[i, j + dj] + energy[i + di, j + dj]
                    factors[block] = 1 / np.sqrt(total + _EPSILON)
                    block += 1
            cell = features[i - 1, j - 1]
            for o in range(DIRECTIONS):
                for block in range(4):
                    entry = min(votes[i, j, o] * factors[block], _CLIP)
                    cell[o] += 0.5 * entry
                    cell[27 + block] += _TEXTURE_SCALE * entry
            for o in range(9):
                either = votes[i, j, o] + votes[i, j, o + 9]
                for block in range(4):
                    cell[DIRECTIONS + o] += 0.5 * min(either * factors[block], _CLIP)
    return features
