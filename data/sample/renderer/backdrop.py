"""Paints a background out of focus: a gradient, large soft shapes and a few discs of light."""

from __future__ import annotations

import numpy as np

from head_mesh import Floats
from shot import Shot
from value_noise import layered_noise, smoothstep

_STREAM = 31


def paint_backdrop(shot: Shot, size: int) -> Floats:
    """Paints the background of a photo.

    Args:
        shot: The photo.
        size: Side of the picture in pixels.

    Returns:
        Linear RGB, shape (size * size, 3).
    """
    rng = np.random.default_rng([shot.noise_seed, _STREAM])
    # It is out of focus: half the resolution will do.
    half = size // 2
    row, column = (grid.ravel() / half for grid in np.mgrid[0:half, 0:half])
    angle = rng.uniform(0.0, 2.0 * np.pi)
    share = smoothstep(0.5 + (column - 0.5) * np.cos(angle) + (row - 0.5) * np.sin(angle), 0.0, 1.0)
    colour = shot.background[0] + (shot.background[1] - shot.background[0]) * share[:, None]
    place = np.stack([2.2 * column, 2.2 * row, np.full(half * half, 0.37)], axis=1)
    colour = colour * (1.0 + 0.35 * layered_noise(place, 1.0, shot.noise_seed, 2))[:, None]
    for _ in range(int(rng.integers(0, 7))):
        colour = colour * (1.0 + _disc(row, column, rng)[:, None])
    return colour.reshape(half, half, 3).repeat(2, axis=0).repeat(2, axis=1).reshape(-1, 3)


def _disc(row: Floats, column: Floats, rng: np.random.Generator) -> Floats:
    """One disc of light with a soft rim, shape (N,)."""
    centre, radius = rng.random(2), rng.uniform(0.04, 0.16)
    distance = np.sqrt((row - centre[0]) ** 2 + (column - centre[1]) ** 2)
    return rng.uniform(0.1, 0.6) * smoothstep(distance, 1.15 * radius, 0.85 * radius)
