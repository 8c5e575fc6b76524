"""Smooth noise from integer hashes, and the soft curves used with it.

Only the hash decides the values at the lattice points, so the noise is the same on every machine.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from head_mesh import Floats

# Large odd constants: they spread neighbouring lattice points over all 32 bits.
_AXIS_FACTORS = (0x8DA6B343, 0xD8163841, 0xCB1AB31F)
_SEED_FACTOR = 2654435761
_WORD = 0xFFFFFFFF


def smoothstep(value: ArrayLike, low: float, high: float) -> Floats:
    """Rises smoothly from 0 at `low` to 1 at `high` (falls when `high` is the smaller one)."""
    t = np.clip((np.asarray(value, dtype=np.float64) - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bell(value: Floats, centre: float, width: float) -> Floats:
    """Gaussian bump of height 1 at `centre` with standard deviation `width`."""
    return np.exp(-0.5 * ((value - centre) / width) ** 2)


def _mixed(word: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Spreads every bit of the words over all of their bits."""
    word = word ^ word >> np.uint32(13)
    word *= np.uint32(0x5BD1E995)
    word ^= word >> np.uint32(15)
    return word


def value_noise(points: Floats, frequency: ArrayLike, seed: int) -> Floats:
    """Interpolates hashed lattice values.

    Args:
        points: Positions, shape (N, 3).
        frequency: Lattice cells per unit of length, one number or one for each axis.
        seed: Number of the noise field.

    Returns:
        Values in -1..1, shape (N,).
    """
    per_axis = np.broadcast_to(np.asarray(frequency, dtype=np.float64), (3,))
    words, weights = [], []
    for axis, factor in enumerate(_AXIS_FACTORS):
        scaled = points[:, axis] * per_axis[axis]
        cell = np.floor(scaled)
        t = scaled - cell
        t *= t * (3.0 - 2.0 * t)
        lattice = cell.astype(np.int64).astype(np.uint32) * np.uint32(factor)
        words.append((lattice, lattice + np.uint32(factor)))
        weights.append((1.0 - t, t))
    start = np.uint32(seed * _SEED_FACTOR & _WORD)
    total = np.zeros(len(points))
    for x, y in product((0, 1), repeat=2):
        word, weight = words[0][x] ^ words[1][y] ^ start, weights[0][x] * weights[1][y]
        low, high = _mixed(word ^ words[2][0]), _mixed(word ^ words[2][1])
        total += weight * (low * weights[2][0] + high * weights[2][1])
    return total * (2.0 / _WORD) - 1.0


def layered_noise(points: Floats, frequency: float, seed: int, octaves: int = 3) -> Floats:
    """Adds octaves of `value_noise`, each twice as fine and half as strong as the one before."""
    total = np.zeros(len(points))
    for octave in range(octaves):
        total += value_noise(points, frequency * 2.0**octave, seed + octave) * 0.5**octave
    return total
