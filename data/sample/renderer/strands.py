"""Hairs as polylines that are rooted in the triangles of the head: brows, beard and lashes.

A strand is stored as offsets from its root, so that it follows every expression and pose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from face_regions import beard_cover, brow_cover
from head_mesh import Floats, Ints, Part, interpolate, load_head, normalised
from identity import Identity

_FACE_HAIR_STREAM = 21


@dataclass(frozen=True)
class Strands:
    """Hairs of one kind.

    Attributes:
        corners: Vertices of the triangle each root lies in, shape (N, 3).
        barycentric: Place of the roots in their triangles, shape (N, 3).
        offsets: Points of each strand relative to its root, shape (N, J, 3), J >= 2.
        colour: Linear RGB of each strand, shape (N, 3).
        width: Thickness in pixels of the supersampled picture.
        roundness: How much the root is darker than the tip, 0..1.
    """

    corners: Ints
    barycentric: Floats
    offsets: Floats
    colour: Floats
    width: int = 1
    roundness: float = 1.0

    def roots(self, vertices: Floats) -> Floats:
        """Interpolates per-vertex values, shape (V, 3), at the roots, shape (N, 3)."""
        return interpolate(vertices, self.corners, self.barycentric)

    def points(self, vertices: Floats) -> Floats:
        """Places the strands on a morphed head, shape (N, J, 3)."""
        return self.roots(vertices)[:, None, :] + self.offsets


def scatter(
    faces: Ints,
    vertices: Floats,
    cover: Callable[[Floats], Floats],
    tries: int,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """Scatters roots evenly over triangles and thins them out by a coverage.

    Args:
        faces: Triangles that may hold roots, shape (T, 3).
        vertices: Vertices of the unmorphed head, shape (V, 3).
        cover: Chance to keep a root at positions on the unmorphed head, (N, 3) to (N,).
        tries: Number of roots before the thinning.
        rng: Source of randomness.

    Returns:
        Corners and barycentric coordinates of the roots, both of shape (N, 3).
    """
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    area = np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1))
    running = np.cumsum(area)
    chosen = np.searchsorted(running, rng.random(tries) * running[-1])
    chosen = np.minimum(chosen, len(faces) - 1)
    root, along = np.sqrt(rng.random(tries)), rng.random(tries)
    barycentric = np.stack([1.0 - root, root * (1.0 - along), root * along], axis=1)
    place = interpolate(vertices, faces[chosen], barycentric)
    kept = rng.random(tries) < cover(place)
    return faces[chosen[kept]], barycentric[kept]


@lru_cache(maxsize=1)
def head_faces() -> Ints:
    """Triangles of the skin of the head, without neck and shoulders, shape (T, 3)."""
    head = load_head()
    body = head.faces[head.part == Part.BODY]
    middle = head.vertices[body].mean(axis=1)
    return body[(middle[:, 1] > 5.9) & (np.abs(middle[:, 0]) < 1.1)]


def _straight(direction: Floats, length: Floats, droop: float, points: int = 4) -> Floats:
    """Makes strands along a direction that bend downwards, shape (N, points, 3)."""
    t = np.linspace(0.0, 1.0, points)[None, :, None]
    path = direction[:, None, :] * t + np.array([0.0, -droop, 0.0]) * t**2
    return path * length[:, None, None]


def _varied(colour: Floats, count: int, spread: float, rng: np.random.Generator) -> Floats:
    """Gives each of `count` strands its own brightness, shape (count, 3)."""
    return colour * np.exp(rng.normal(0.0, spread, (count, 1)))


def brow_strands(who: Identity, rng: np.random.Generator) -> Strands:
    """Grows the brows: upright near the nose, lying outwards further along."""
    head = load_head()
    corners, bary = scatter(head_faces(), head.vertices, lambda p: brow_cover(p, who), 90_000, rng)
    root = interpolate(head.vertices, corners, bary)
    side, x = np.sign(root[:, 0]), np.abs(root[:, 0])
    along = np.clip((x - 0.10) / 0.46, 0.0, 1.0)
    direction = np.stack(
        [side * (0.55 + 0.5 * along), 0.75 - 1.0 * along, 0.30 - 0.35 * along], axis=1
    )
    direction = normalised(direction + rng.normal(0.0, 0.15, direction.shape))
    length = rng.uniform(0.04, 0.07, len(root)) * (1.0 if who.is_male else 0.8)
    return Strands(
        corners,
        bary,
        _straight(direction, length, 0.15),
        _varied(0.8 * who.brow, len(root), 0.25, rng),
        roundness=0.3,
    )


def beard_strands(who: Identity, rng: np.random.Generator) -> Strands | None:
    """Grows a beard of the person's density and length, if there is one."""
    if who.beard_length == 0.0:
        return None
    head = load_head()
    corners, bary = scatter(
        head_faces(),
        head.vertices,
        lambda p: 0.8 * who.beard * beard_cover(p, who) ** 1.3,
        110_000,
        rng,
    )
    root = interpolate(head.vertices, corners, bary)
    outward = normalised(root - np.array([0.0, 6.9, 0.5]))
    direction = 0.5 * outward + np.array([0.0, -0.8, 0.25])
    direction = normalised(direction + rng.normal(0.0, 0.22, direction.shape))
    length = who.beard_length * rng.uniform(0.6, 1.3, len(root))
    return Strands(
        corners,
        bary,
        _straight(direction, length, 0.2),
        _varied(0.75 * who.brow + 0.25 * who.hair, len(root), 0.3, rng),
        roundness=0.5,
    )


def lash_strands(who: Identity, rng: np.random.Generator) -> Strands:
    """Replaces the lash surfaces of the mesh by fine hairs lying in them."""
    head = load_head()
    is_upper = head.lash_is_upper
    count = int(2600 * (1.0 + 1.2 * who.make_up))
    upper = scatter(head.lash_faces[is_upper], head.vertices, lambda p: np.ones(len(p)), count, rng)
    lower = scatter(
        head.lash_faces[~is_upper], head.vertices, lambda p: np.ones(len(p)), count // 5, rng
    )
    corners = np.concatenate([upper[0], lower[0]])
    bary = np.concatenate([upper[1], lower[1]])
    offsets = np.zeros((len(corners), 2, 3))
    offsets[:, 1, 2] = 0.012
    colour = np.minimum(0.5 * who.brow, 0.03)
    return Strands(corners, bary, offsets, _varied(colour, len(corners), 0.1, rng), roundness=0.0)


def face_strands(seed: int, who: Identity) -> list[Strands]:
    """Grows brows, lashes and beard of a person."""
    rng = np.random.default_rng([seed, who.number, _FACE_HAIR_STREAM])
    kinds = [brow_strands(who, rng), lash_strands(who, rng), beard_strands(who, rng)]
    return [kind for kind in kinds if kind is not None]
