"""Where things grow on the head: scalp, brows and beard.

All regions are functions of the position on the unmorphed head, so that they follow every morph.
They return a coverage in 0..1.
"""

from __future__ import annotations

import numpy as np

from head_mesh import Bools, Floats
from identity import Identity
from value_noise import bell, smoothstep, value_noise

GARMENT_TOP = 5.62  # height of the collar at the throat
_EARS_FREE = ("crop", "side", "swept", "buzz", "receding", "tied", "bald")


def is_garment(points: Floats) -> Bools:
    """Tells which points of the body are clothed; the collar is lower at the throat."""
    return points[:, 1] < GARMENT_TOP + 0.22 * np.abs(points[:, 0]) - 0.10 * points[:, 2]


def scalp_depth(points: Floats, who: Identity) -> Floats:
    """Signed distance to the hairline, roughly, positive where hair grows, shape (N,)."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    line = 8.0 + who.hairline_lift
    front = y - (line - 0.10 * x - 0.45 * np.clip(x - 0.45, 0.0, 1.0))
    if who.hair_style == "receding":
        front -= 0.17 - 0.15 * bell(x, 0.0, 0.20) + 0.14 * bell(x, 0.42, 0.15)
    if who.hair_style == "bald":
        front -= 0.9
    temple = 0.60 - z + 0.17 * (y - 7.3)
    nape = y - 6.98 + 0.6 * np.clip(0.55 - z, 0.0, 1.0)
    depth = np.maximum(front, np.minimum(temple, nape))
    if who.hair_style in _EARS_FREE:
        ear = np.sqrt(((z - 0.30) / 0.34) ** 2 + ((y - 7.12) / 0.38) ** 2) - 1.0
        depth = np.minimum(depth, np.where(x > 0.55, 0.4 * ear, 0.3))
        depth = np.minimum(depth, np.where(z < 0.3, y - 6.72, 0.3))
    return depth


def scalp_cover(points: Floats, who: Identity) -> Floats:
    """Coverage of the scalp, with a ragged hairline."""
    ragged = 0.03 * value_noise(points, 9.0, who.texture_seed + 11)
    return smoothstep(scalp_depth(points, who) + ragged, -0.03, 0.06)


def brow_cover(points: Floats, who: Identity) -> Floats:
    """Coverage of the brows: thick near the nose, arched, and tapering outwards."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    along = np.clip((x - 0.10) / 0.46, 0.0, 1.0)
    fall = 0.20 * np.clip(along - 0.6, 0.0, 1.0) ** 1.5
    arch = 1.5 * who.brow_arch * np.sin(3.1 * along)
    middle = 7.462 + who.brow_lift + 0.035 * along - fall + arch
    half = who.brow_width * (1.25 - 0.80 * along)
    band = smoothstep(half - np.abs(y - middle), -0.016, 0.012)
    ends = smoothstep(x, 0.07, 0.14) * (1.0 - smoothstep(x, 0.50, 0.60))
    return band * ends * smoothstep(z, 0.7, 1.1)


def beard_cover(points: Floats, who: Identity) -> Floats:
    """Coverage of jaw, chin, upper lip and cheeks where a beard grows."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    edge = 6.84 - 0.26 * np.clip(0.42 - x, 0.0, 1.0) + 0.75 * np.clip(x - 0.45, 0.0, 1.0)
    ragged = 0.02 * value_noise(points, 12.0, who.texture_seed + 15)
    jaw = smoothstep(edge - y + ragged, -0.10, 0.22)
    jaw *= smoothstep(y, 5.98, 6.20) * smoothstep(z, 0.15, 0.50)
    jaw *= smoothstep(np.abs(y - 6.66) + 0.55 * x, 0.08, 0.19)  # the mouth stays free
    moustache = bell(y, 6.83, 0.045) * smoothstep(0.36 - x, 0.0, 0.10)
    return np.clip(np.maximum(jaw, moustache), 0.0, 1.0) * smoothstep(z, 0.1, 0.6)
