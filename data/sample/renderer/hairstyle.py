"""Grows the hair on the head: strands leave the scalp, follow a comb and fall around the skull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from face_regions import scalp_cover
from head_mesh import Floats, Ints, load_head, normalised, vertex_normals
from identity import Identity
from strands import Strands, head_faces, scatter
from value_noise import bell, smoothstep

_STREAM = 22
_SKULL_CENTRE = np.array([0.0, 7.45, 0.25])
_KNOT = np.array([0.0, 8.02, -0.62])  # middle of a bun
_KNOT_RADIUS = 0.24
_DOWN = np.array([0.0, -1.0, 0.0])
_BACK = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class Style:
    """How the hair of a style grows.

    Attributes:
        comb: Function from points, roots and the parting to the combed direction, all (N, 3).
        length: Length of the strands at the top of the head.
        side_length: Length at the sides and the nape, as a share of `length`.
        thickness: Height of the hair above the skull at the top.
        lift: How much the strands keep the direction in which they leave the skin.
        joints: Number of points of a strand.
        count: Number of strands tried, before the thinning by the hairline.
        curl: Radius of the curls.
        clumping: How much neighbouring strands join to locks, 0..1.
        width: Thickness of the strands in pixels of the supersampled picture.
        covers_ears: Whether the hair hangs over the ears and beside the face.
        slack: How far the strands may stand off their layer of the hair.
    """

    comb: Callable[[Floats, Floats, float], Floats]
    length: float
    side_length: float
    thickness: float
    lift: float
    joints: int
    count: int
    curl: float = 0.0
    clumping: float = 0.5
    width: int = 2
    covers_ears: bool = False
    slack: float = 5.0


def _comb_hanging(points: Floats, roots: Floats, part: float) -> Floats:
    """From the parting to both sides, a little back, then down."""
    side = np.tanh((roots[:, 0] - part) / 0.05)
    steep = smoothstep(8.35 - points[:, 1], 0.0, 0.9)
    out = (1.0 - steep) * side
    back = 0.45 * smoothstep(points[:, 2], -0.2, 0.9) + 0.05
    return np.stack([out, -0.25 - 1.1 * steep, -back * (1.0 - 0.6 * steep)], axis=1)


def _comb_fringed(points: Floats, roots: Floats, part: float) -> Floats:
    """As hanging, but the hair above the forehead falls forward over it."""
    hanging = _comb_hanging(points, roots, part)
    is_fringe = _is_fringe(roots)[:, None]
    forward = np.stack(
        [0.25 * roots[:, 0], np.full(len(roots), -0.9), np.full(len(roots), 0.35)], 1
    )
    return hanging + is_fringe * (forward - hanging)


def _is_fringe(roots: Floats) -> Floats:
    """1 for roots above the forehead, shape (N,)."""
    return smoothstep(roots[:, 2], 0.50, 0.56) * smoothstep(np.abs(roots[:, 0]), 0.60, 0.54)


def _comb_crop(points: Floats, roots: Floats, part: float) -> Floats:
    """Forward and to one side on top, down and back at the sides."""
    top = smoothstep(points[:, 1], 7.7, 8.2)[:, None]
    forward = np.array([0.35 if part > 0.0 else -0.35, 0.05, 0.75])
    return top * forward + (1.0 - top) * np.array([0.0, -0.8, -0.45])


def _comb_side(points: Floats, roots: Floats, part: float) -> Floats:
    """Across the head from a parting at one side."""
    to_left = np.tanh((roots[:, 0] - (0.45 if part > 0.0 else -0.45)) / 0.08)
    top = smoothstep(points[:, 1], 7.7, 8.2)
    return np.stack([to_left * top, -0.9 * (1.0 - top) - 0.1, 0.25 * top - 0.4 * (1.0 - top)], 1)


def _comb_back(points: Floats, roots: Floats, part: float) -> Floats:
    """Straight back, falling at the nape."""
    top = smoothstep(points[:, 1], 7.5, 8.1)
    return np.stack(
        [0.1 * points[:, 0], 0.15 * top - 0.7 * (1.0 - top), np.full(len(top), -1.0)], 1
    )


def _comb_to_knot(points: Floats, roots: Floats, part: float) -> Floats:
    """Towards the bun, and around it once there."""
    to_knot = _KNOT - points
    distance = np.sqrt((to_knot**2).sum(axis=1))[:, None]
    around = np.cross(to_knot, normalised(np.sin(37.0 * roots + [0.0, 1.0, 2.0])))
    inside = smoothstep(distance, 1.5 * _KNOT_RADIUS, 0.9 * _KNOT_RADIUS)
    hold = normalised(to_knot) * np.clip((distance - _KNOT_RADIUS) / _KNOT_RADIUS, -1.0, 1.0)
    return (1.0 - inside) * normalised(to_knot) + inside * (normalised(around) + 1.5 * hold)


def _comb_outward(points: Floats, roots: Floats, part: float) -> Floats:
    """Away from the head."""
    return normalised(points - _SKULL_CENTRE)


STYLES = {
    "crop": Style(_comb_crop, 0.36, 0.30, 0.11, 0.45, 8, 15_000, 0.012, 0.6),
    "side": Style(_comb_side, 0.75, 0.28, 0.15, 0.45, 12, 15_000, 0.008, 0.6, slack=0.05),
    "swept": Style(_comb_back, 0.80, 0.35, 0.16, 0.45, 12, 15_000, 0.008, 0.6, slack=0.12),
    "buzz": Style(_comb_crop, 0.045, 1.0, 0.02, 0.8, 3, 26_000, 0.0, 0.0, 1),
    "receding": Style(_comb_back, 0.30, 0.4, 0.05, 0.4, 8, 15_000, 0.008, 0.4),
    "bald": Style(_comb_back, 0.14, 0.8, 0.02, 0.3, 5, 15_000, 0.0, 0.2, 1),
    "curls": Style(_comb_outward, 0.55, 0.55, 0.22, 0.3, 26, 13_000, 0.055, 0.35),
    "long": Style(_comb_hanging, 2.5, 0.80, 0.15, 0.35, 24, 15_000, 0.015, 0.6, 2, True, 0.03),
    "bob": Style(_comb_fringed, 1.55, 0.66, 0.16, 0.35, 20, 15_000, 0.01, 0.5, 2, True, 0.03),
    "tied": Style(_comb_to_knot, 1.5, 1.0, 0.06, 0.25, 22, 15_000, 0.004, 0.5),
}


class Skull:
    """Distance from the middle of the skull to its surface, tabulated by direction."""

    _AZIMUTHS, _ELEVATIONS = 72, 36

    def __init__(self, vertices: Floats) -> None:
        """Tabulates the skull of a morphed head, vertices of shape (V, 3)."""
        azimuth = np.linspace(-np.pi, np.pi, self._AZIMUTHS + 1)
        elevation = np.linspace(-np.pi / 2, np.pi / 2, self._ELEVATIONS + 1)
        a, e = (grid.ravel() for grid in np.meshgrid(azimuth, elevation, indexing="ij"))
        direction = np.stack([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], axis=1)
        offset = vertices[_skull_vertices()] - _SKULL_CENTRE
        distance = np.sqrt((offset**2).sum(axis=1))
        closeness = direction @ (offset / distance[:, None]).T
        # A smooth weighting rather than the nearest vertices: the mesh is symmetric, and ties
        # between its two halves would otherwise hang on the last bit of a float.
        weight = np.exp(300.0 * (closeness - closeness.max(axis=1, keepdims=True)))
        radius = (weight * distance).sum(axis=1) / weight.sum(axis=1)
        self._table = radius.reshape(self._AZIMUTHS + 1, self._ELEVATIONS + 1)

    def radius(self, direction: Floats) -> Floats:
        """Interpolates the distance for unit directions, shape (N, 3), to shape (N,)."""
        azimuth = np.arctan2(direction[:, 0], direction[:, 2])
        elevation = np.arcsin(np.clip(direction[:, 1], -1.0, 1.0))
        u = np.clip((azimuth / (2 * np.pi) + 0.5) * self._AZIMUTHS, 0, self._AZIMUTHS - 1e-6)
        v = np.clip((elevation / np.pi + 0.5) * self._ELEVATIONS, 0, self._ELEVATIONS - 1e-6)
        i, j = u.astype(np.int64), v.astype(np.int64)
        s, t = u - i, v - j
        low = self._table[i, j] * (1 - s) + self._table[i + 1, j] * s
        high = self._table[i, j + 1] * (1 - s) + self._table[i + 1, j + 1] * s
        return low * (1 - t) + high * t

    def hold(self, points: Floats, clearance: Floats, slack: float) -> Floats:
        """Keeps points, shape (N, 3), near the skull.

        Args:
            points: Points of the strands.
            clearance: Least height above the skull, shape (N,).
            slack: How much higher than that a strand may stand off. Below the ears, where hair
                hangs freely, the limit is lifted.
        """
        offset = points - _SKULL_CENTRE
        distance = np.sqrt((offset**2).sum(axis=1))
        direction = offset / distance[:, None]
        least = self.radius(direction) + clearance
        free = 5.0 * smoothstep(points[:, 1], 7.3, 6.9)
        held = np.clip(distance, least, least + slack + free)
        return _SKULL_CENTRE + direction * held[:, None]


def _skull_vertices() -> Ints:
    """Vertices of the head without the ears, whose width would bulge the hair."""
    vertices = load_head().vertices
    used = np.unique(head_faces())
    return used[(vertices[used, 1] > 5.9) & (np.abs(vertices[used, 0]) < 0.86)]


def _strand_lengths(style: Style, who: Identity, roots: Floats, rng: np.random.Generator) -> Floats:
    """Length of each strand: longest on top, varied, and short for a fringe, shape (N,)."""
    top = smoothstep(roots[:, 1], 7.2, 8.1)
    length = style.length * who.hair_length * (style.side_length + (1 - style.side_length) * top)
    if style.comb is _comb_fringed:
        length += _is_fringe(roots) * (0.52 - length)
    if style.comb is _comb_to_knot:
        length = 1.1 * np.sqrt(((roots - _KNOT) ** 2).sum(axis=1)) + 0.9
    return length * rng.uniform(0.85, 1.1, len(roots))


def _clearance(style: Style, points: Floats, share: Floats, arc: float) -> Floats:
    """Height above the skull that a strand of layer `share` keeps, shape (N,)."""
    top = 0.35 + 0.65 * smoothstep(points[:, 1], 7.3, 8.2)
    height = style.thickness * share * top * float(smoothstep(arc, 0.0, 0.3))
    if style.covers_ears:
        ear = bell(points[:, 1], 7.1, 0.35) * bell(points[:, 2], 0.3, 0.35)
        height = height + ear * (0.10 + 0.10 * share) * float(smoothstep(arc, 0.0, 0.2))
    return height


def _clear_face(points: Floats) -> Floats:
    """Moves hanging hair sideways off the face, points of shape (N, 3)."""
    x, y, z = points.T
    wanted = 0.74 * smoothstep(z, 0.05, 0.55) * smoothstep(y, 8.12, 7.6)
    side = np.where(x >= 0.0, 1.0, -1.0)
    return np.stack([side * np.maximum(np.abs(x), wanted), y, z], axis=1)


def _grow(
    style: Style,
    part: float,
    roots: Floats,
    normals: Floats,
    lengths: Floats,
    share: Floats,
    skull: Skull,
) -> Floats:
    """Integrates the strands from root to tip, shape (N, joints, 3)."""
    step = (lengths / (style.joints - 1))[:, None]
    points, direction = roots, normals
    path = [roots]
    for joint in range(1, style.joints):
        arc = joint / (style.joints - 1)
        keep = style.lift * (1.0 - 0.5 * arc)
        combed = normalised(style.comb(points, roots, part))
        direction = normalised(keep * direction + (1.0 - keep) * combed)
        points = points + direction * step
        points = skull.hold(points, _clearance(style, points, share, arc), style.slack)
        if style.covers_ears and style.comb is not _comb_fringed:
            points = _clear_face(points)
        path.append(points)
    return np.stack(path, axis=1)


def _curled(paths: Floats, style: Style, rng: np.random.Generator) -> Floats:
    """Winds each strand around its path and adds a little frizz."""
    count, joints, _ = paths.shape
    t = np.linspace(0.0, 1.0, joints)[None, :, None]
    phase = rng.uniform(0.0, 2.0 * np.pi, (count, 1, 3))
    turns = rng.uniform(0.8, 1.2, (count, 1, 1)) * (2.0 + 40.0 * style.curl)
    wave = np.sin(2.0 * np.pi * turns * t + phase)
    return paths + style.curl * np.minimum(1.0, 4.0 * t) * wave


def _clumped(paths: Floats, style: Style, rng: np.random.Generator) -> Floats:
    """Draws the strands to the nearest of a few guide strands, more so towards their tips."""
    guides = paths[rng.permutation(len(paths))[: max(1, len(paths) // 22)]]
    roots = paths[:, 0]
    distance = ((roots[:, None, :] - guides[None, :, 0]) ** 2).sum(axis=2)
    if style.comb is _comb_hanging:
        # A lock must not mix strands from both sides of the parting: it would cross the face.
        is_left, guide_is_left = (p[:, style.joints // 2, 0] > 0.0 for p in (paths, guides))
        distance[is_left[:, None] != guide_is_left] = np.inf
    guide = guides[distance.argmin(axis=1)]
    t = np.linspace(0.0, 1.0, paths.shape[1])[None, :, None]
    spread = (roots - guide[:, 0])[:, None, :] * (1.0 - 0.6 * t)
    return paths + style.clumping * rng.uniform(0.5, 1.0, (len(paths), 1, 1)) * t * (
        guide + spread - paths
    )


def grow_hair(seed: int, who: Identity) -> Strands:
    """Grows the hair of a person on the neutral face.

    Args:
        seed: Seed of the data set.
        who: The person.

    Returns:
        The strands.
    """
    rng = np.random.default_rng([seed, who.number, _STREAM])
    head, style = load_head(), STYLES[who.hair_style]
    corners, bary = scatter(
        head_faces(), head.vertices, lambda p: scalp_cover(p, who), style.count, rng
    )
    neutral = head.morph(who.weights)
    blank = Strands(corners, bary, np.zeros((len(corners), 2, 3)), np.zeros((len(corners), 3)))
    roots = blank.roots(neutral)
    normals = normalised(blank.roots(vertex_normals(neutral, head.faces)))
    lengths = _strand_lengths(style, who, roots, rng)
    share = rng.random(len(roots))
    paths = _grow(style, who.hair_part, roots, normals, lengths, share, Skull(neutral))
    paths = _curled(_clumped(paths, style, rng), style, rng)
    offsets = paths - roots[:, None, :]
    offsets[:, 0] = 0.0
    shade = np.exp(rng.normal(0.0, 0.22, (len(roots), 1)))
    return Strands(corners, bary, offsets, who.hair * shade, style.width)
