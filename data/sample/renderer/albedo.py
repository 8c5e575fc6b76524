"""Paints the colour of every visible point of the head, layer by layer.

Positions are those on the unmorphed head, so that the paint sticks to the face. Colours are linear
RGB in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from face_regions import beard_cover, brow_cover, is_garment, scalp_cover
from head_mesh import EYE_CENTRE, EYE_OFFSET, Bools, Floats, Ints, Part, load_head, normalised
from identity import Identity
from value_noise import bell, layered_noise, smoothstep, value_noise

_TEETH = np.array([0.66, 0.62, 0.55])
_TONGUE = np.array([0.42, 0.16, 0.15])
_SCLERA = np.array([0.66, 0.62, 0.60])
_LIP_RED = np.array([0.50, 0.13, 0.13])
# Place of the stored crop of the lips mask in the 2048 x 2048 texture it was cut from.
_TEXTURE_SIZE = 2048
_LIPS_LEFT, _LIPS_TOP = 1792, 940


@dataclass(frozen=True)
class SurfacePoints:
    """Visible points of the head.

    Attributes:
        position: Position on the unmorphed head, shape (N, 3).
        texcoord: Position in the texture, shape (N, 2), in 0..1.
        part: Part of the mesh, shape (N,).
    """

    position: Floats
    texcoord: Floats
    part: Ints

    def front(self) -> Floats:
        """1 on the face, 0 on the sides and the back of the head, shape (N,)."""
        return smoothstep(self.position[:, 2], 0.7, 1.1)


def blend(colour: Floats, layer: Floats, cover: Floats) -> Floats:
    """Lays `layer` over `colour`, both (N, 3), with coverage (N,)."""
    return colour + (layer - colour) * cover[:, None]


def paint(points: SurfacePoints, who: Identity, gaze: Floats) -> tuple[Floats, Floats]:
    """Paints all layers.

    Args:
        points: The visible points.
        who: The person.
        gaze: Direction of the eyes to the side and up, in radians.

    Returns:
        Colours, shape (N, 3), and how glossy each point is beyond bare skin, shape (N,).
    """
    colour = _skin(points, who)
    colour = _beard_shadow(colour, points, who)
    lips = lips_cover(points)
    colour = _lips(colour, points, who, lips)
    brows = brow_cover(points.position, who)
    colour = blend(colour, np.broadcast_to(who.brow, colour.shape), 0.42 * brows)
    colour = _scalp(colour, points, who)
    colour = _eyes(colour, points, who, gaze)
    colour = _mouth_inside(colour, points)
    clothed = is_garment(points.position) & (points.part == Part.BODY)
    colour[clothed] = _garment(points.position[clothed], who)
    return np.clip(colour, 0.004, 1.0), lips * (0.5 + who.make_up)


def _skin(points: SurfacePoints, who: Identity) -> Floats:
    """Base tone with blotches, blood in cheeks and nose, shade below the eyes, freckles, moles."""
    p, front, seed = points.position, points.front(), who.texture_seed
    x, y = np.abs(p[:, 0]), p[:, 1]
    roughness = 0.045 if who.is_male else 0.028
    tone = (
        1.0
        + 0.04 * layered_noise(p, 3.0, seed, 2)
        + roughness * layered_noise(p, 14.0, seed + 9, 2)
    )
    tone *= 1.0 - 0.12 * (0.6 + who.age) * bell(x, 0.31, 0.14) * bell(y, 7.13, 0.05) * front
    tone *= 1.0 - 0.25 * who.freckles * front * bell(y, 7.0, 0.25) * smoothstep(
        value_noise(p, 26.0, seed + 3), 0.45, 0.60
    )
    tone *= 1.0 - 0.5 * front * smoothstep(value_noise(p, 15.0, seed + 4), 0.945, 0.965)
    blood = 0.5 * bell(x, 0.42, 0.16) * bell(y, 6.98, 0.16)
    blood += 0.55 * bell(x, 0.0, 0.11) * bell(y, 6.98, 0.13)
    blood += 0.30 * bell(x, 0.0, 0.30) * bell(y, 6.40, 0.12)
    blood *= front * (1.0 + 0.6 * who.make_up)
    colour = who.skin * tone[:, None] * (1.0 + blood[:, None] * np.array([0.10, -0.10, -0.10]))
    lid = bell(x, 0.32, 0.17) * bell(y, 7.37, 0.045) * front
    return colour * (1.0 - (0.35 * who.make_up * lid)[:, None] * np.array([0.7, 0.8, 0.75]))


def _beard_shadow(colour: Floats, points: SurfacePoints, who: Identity) -> Floats:
    """Darkens the skin where hairs of the beard sit in it, shaved or not."""
    if who.beard == 0.0:
        return colour
    p = points.position
    dots = 0.75 + 0.25 * value_noise(p, (75.0, 50.0, 75.0), who.texture_seed + 5)
    cover = 0.72 * who.beard * beard_cover(p, who) * dots
    # Hair seen through skin looks greyer than hair.
    through_skin = 0.7 * who.brow + 0.3 * 0.5 * who.skin * np.array([0.8, 0.95, 1.05])
    return blend(colour, np.broadcast_to(through_skin, colour.shape), cover)


def lips_cover(points: SurfacePoints) -> Floats:
    """Coverage of the lips, read from the mask of the source's texture, shape (N,)."""
    mask = load_head().lips_mask
    column = points.texcoord[:, 0] * _TEXTURE_SIZE - _LIPS_LEFT
    row = (1.0 - points.texcoord[:, 1]) * _TEXTURE_SIZE - _LIPS_TOP
    height, width = mask.shape
    inside = (column >= 0) & (column < width - 1) & (row >= 0) & (row < height - 1)
    inside &= points.part == Part.BODY
    j = np.clip(column, 0, width - 2)
    i = np.clip(row, 0, height - 2)
    j0, i0 = j.astype(np.int64), i.astype(np.int64)
    u, v = j - j0, i - i0
    upper = mask[i0, j0] * (1.0 - u) + mask[i0, j0 + 1] * u
    lower = mask[i0 + 1, j0] * (1.0 - u) + mask[i0 + 1, j0 + 1] * u
    return np.where(inside, upper * (1.0 - v) + lower * v, 0.0)


def _lips(colour: Floats, points: SurfacePoints, who: Identity, cover: Floats) -> Floats:
    natural = who.skin * np.array([0.86, 0.64, 0.63])
    red = _LIP_RED * (0.45 + 0.9 * who.skin.mean())
    lip = natural + (red - natural) * who.lip_tint
    wrinkles = 1.0 + 0.08 * value_noise(points.position, (60.0, 8.0, 40.0), who.texture_seed + 6)
    return blend(colour, lip * wrinkles[:, None], (0.85 if not who.is_male else 0.6) * cover)


def _scalp(colour: Floats, points: SurfacePoints, who: Identity) -> Floats:
    """Paints the roots of the hair, so that no skin shines through between the strands."""
    strength = {"bald": 0.30, "buzz": 0.80}.get(who.hair_style, 0.92)
    grain = 0.9 + 0.1 * value_noise(points.position, 50.0, who.texture_seed + 13)
    cover = strength * grain * scalp_cover(points.position, who) * (points.part == Part.BODY)
    return blend(colour, np.broadcast_to(0.7 * who.hair, colour.shape), cover)


def _eyes(colour: Floats, points: SurfacePoints, who: Identity, gaze: Floats) -> Floats:
    for part, side in ((Part.LEFT_EYE, 1.0), (Part.RIGHT_EYE, -1.0)):
        chosen = points.part == part
        centre = EYE_CENTRE * [0.0, 1.0, 1.0] + [side * EYE_OFFSET, 0.0, 0.0]
        outward = normalised(points.position[chosen] - centre)
        colour[chosen] = _eyeball(outward, who, gaze)
    return colour


def _eyeball(outward: Floats, who: Identity, gaze: Floats) -> Floats:
    """Colours an eyeball by the angle from the direction of sight, shape (N, 3)."""
    sight = normalised(np.array([np.sin(gaze[0]), np.sin(gaze[1]), 1.0]))
    angle = np.arccos(np.clip((outward * sight).sum(axis=1), -1.0, 1.0))
    around = np.arctan2(outward[:, 1] - sight[1], outward[:, 0] - sight[0])
    fibres = 0.85 + 0.3 * np.sin(23.0 * around + who.texture_seed) * np.sin(9.0 * around)
    rim = 1.1 - 0.7 * smoothstep(angle, 0.38, 0.52)
    white = _SCLERA * (1.0 - 0.3 * smoothstep(angle, 0.6, 1.1))[:, None]
    eye = blend(white, who.iris * (fibres * rim)[:, None], 1.0 - smoothstep(angle, 0.47, 0.53))
    return blend(eye, np.full_like(eye, 0.008), 1.0 - smoothstep(angle, 0.17, 0.22))


def _mouth_inside(colour: Floats, points: SurfacePoints) -> Floats:
    is_tooth: Bools = (points.part == Part.UPPER_TEETH) | (points.part == Part.LOWER_TEETH)
    colour[is_tooth] = _TEETH
    colour[points.part == Part.TONGUE] = _TONGUE
    return colour


def _garment(position: Floats, who: Identity) -> Floats:
    """Knitted cloth with a darker collar."""
    weave = 1.0 + 0.10 * value_noise(position, (40.0, 90.0, 40.0), who.texture_seed + 30)
    weave *= 1.0 + 0.08 * value_noise(position, 3.0, who.texture_seed + 31)
    return who.garment * weave[:, None]
