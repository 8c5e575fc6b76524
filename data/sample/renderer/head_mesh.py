"""The morphable head: a triangle mesh, its named morph targets and per-vertex data.

Source of the numbers: the head part of the MakeHuman / MPFB2 base mesh and its targets, CC0 1.0
(see NOTICE). Lengths are in decimetres of that mesh; x points to the person's left, y up and z
out of the face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DATA_FILE = Path(__file__).with_name("head.npz")
EYE_CENTRE = np.array([0.0, 7.28415, 1.24535])  # midpoint of the eyes of the unmorphed head
EYE_OFFSET = 0.30775  # half the distance between the eyes of the unmorphed head
TORSO_HEIGHT = 3.0  # how far the bust is extended downwards, so that its cut never shows


class Part(IntEnum):
    """The parts of the mesh, in the order of the data file."""

    BODY = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_LOWER_LASHES = 3
    LEFT_UPPER_LASHES = 4
    RIGHT_LOWER_LASHES = 5
    RIGHT_UPPER_LASHES = 6
    UPPER_TEETH = 7
    LOWER_TEETH = 8
    TONGUE = 9


@dataclass(frozen=True)
class HeadMesh:
    """The mesh and its morph targets.

    Attributes:
        vertices: Positions of the unmorphed head, shape (V, 3).
        faces: Vertex numbers of each triangle, shape (T, 3), without the lashes.
        part: Part of each triangle, shape (T,).
        texcoords: Texture position of each triangle's corners, shape (T, 3, 2), in 0..1.
        lash_faces: Triangles of the lashes, shape (L, 3).
        lash_is_upper: Which lash triangles belong to the upper lids, shape (L,).
        occlusion: Share of the sky that each vertex sees, shape (V,), in 0..1.
        lips_mask: Coverage of the lips in texture space, shape (240, 228), in 0..1.
        targets: Vertex numbers and offsets of each morph target, by name.
    """

    vertices: Floats
    faces: Ints
    part: Ints
    texcoords: Floats
    lash_faces: Ints
    lash_is_upper: Bools
    occlusion: Floats
    lips_mask: Floats
    targets: Mapping[str, tuple[Ints, Floats]]

    def morph(self, weights: Mapping[str, float]) -> Floats:
        """Moves the vertices by a weighted sum of targets and re-centres the head on its eyes.

        Age and build targets grow or shrink the whole body, which moves the head; without the
        re-centring a face would leave the picture.

        Args:
            weights: Weight of each target by name; a name without a target is ignored.

        Returns:
            Vertices, shape (V, 3).
        """
        vertices = self.vertices.copy()
        for name, weight in weights.items():
            if weight != 0.0 and name in self.targets:
                index, offset = self.targets[name]
                vertices[index] += weight * offset
        return self._centre_on_eyes(vertices)

    def _centre_on_eyes(self, vertices: Floats) -> Floats:
        left = vertices[self._eye_vertices[0]].mean(axis=0)
        right = vertices[self._eye_vertices[1]].mean(axis=0)
        # Half of the change in the distance of the eyes is size, half is shape.
        scale = 1.0 / (0.5 + 0.5 * (left[0] - right[0]) / (2.0 * EYE_OFFSET))
        return (vertices - (left + right) / 2.0) * scale + EYE_CENTRE

    @cached_property
    def _eye_vertices(self) -> tuple[Ints, Ints]:
        left, right = (
            np.unique(self.faces[self.part == part]) for part in (Part.LEFT_EYE, Part.RIGHT_EYE)
        )
        return left, right


def _rim_edges(faces: Ints, vertices: Floats) -> Ints:
    """Finds the directed edges of the lower rim of the bust, shape (E, 2)."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    undirected = np.sort(edges, axis=1)
    _, inverse, count = np.unique(undirected, axis=0, return_inverse=True, return_counts=True)
    is_rim = (count[inverse.ravel()] == 1) & (vertices[edges, 1].max(axis=1) < 5.75)
    return edges[is_rim]


def _extended_bust(vertices: Floats, faces: Ints, body: Bools) -> tuple[Ints, Ints, Floats]:
    """Makes a wall below the rim of the bust.

    Returns:
        The vertices that the new ones are copies of, the new triangles and the new vertices.
    """
    rim = _rim_edges(faces[body], vertices)
    source, index = np.unique(rim, return_inverse=True)
    lower = index.reshape(rim.shape) + len(vertices)
    first, second = rim.T
    wall = np.concatenate(
        [
            np.stack([second, first, lower[:, 0]], axis=1),
            np.stack([second, lower[:, 0], lower[:, 1]], axis=1),
        ]
    )
    return source, wall, vertices[source] - np.array([0.0, TORSO_HEIGHT, 0.0])


def _read_targets(
    data: Mapping[str, NDArray[np.generic]], copies: Ints, vertex_count: int
) -> dict[str, tuple[Ints, Floats]]:
    """Splits the concatenated targets; a copied vertex moves with the one it was copied from."""
    ends = data["target_ends"].astype(np.int64)
    index = np.split(data["target_vertices"].astype(np.int64), ends[:-1])
    offset = np.split(data["target_offsets"].astype(np.float64), ends[:-1])
    copy_of = np.full(vertex_count, -1, dtype=np.int64)
    copy_of[copies] = vertex_count + np.arange(len(copies))
    targets = {}
    for name, i, d in zip(data["target_names"].tolist(), index, offset, strict=True):
        has_copy = copy_of[i] >= 0
        targets[str(name)] = (
            np.concatenate([i, copy_of[i[has_copy]]]),
            np.concatenate([d, d[has_copy]]),
        )
    return targets


@lru_cache(maxsize=1)
def load_head() -> HeadMesh:
    """Reads the head that lies beside this module."""
    with np.load(DATA_FILE, allow_pickle=False) as archive:
        data = dict(archive)
    vertices = data["vertices"].astype(np.float64)
    faces = data["faces"].astype(np.int64)
    part = data["part"].astype(np.int64)
    copies, wall, lower = _extended_bust(vertices, faces, part == Part.BODY)
    is_lash = (part >= Part.LEFT_LOWER_LASHES) & (part <= Part.RIGHT_UPPER_LASHES)
    texcoords = data["texcoords"].astype(np.float64)[data["texcoord_faces"].astype(np.int64)]
    occlusion = data["occlusion"].astype(np.float64)
    return HeadMesh(
        vertices=np.concatenate([vertices, lower]),
        faces=np.concatenate([faces[~is_lash], wall]),
        part=np.concatenate([part[~is_lash], np.full(len(wall), int(Part.BODY))]),
        texcoords=np.concatenate([texcoords[~is_lash], np.zeros((len(wall), 3, 2))]),
        lash_faces=faces[is_lash],
        lash_is_upper=np.isin(part[is_lash], (Part.LEFT_UPPER_LASHES, Part.RIGHT_UPPER_LASHES)),
        occlusion=np.concatenate([occlusion, occlusion[copies]]),
        lips_mask=data["lips_mask"].astype(np.float64) / 255.0,
        targets=_read_targets(data, copies, len(vertices)),
    )


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Averages the normals of the triangles around each vertex, weighted by their area.

    Args:
        vertices: Positions, shape (V, 3).
        faces: Triangles, shape (T, 3).

    Returns:
        Unit normals, shape (V, 3); zero for a vertex without a triangle.
    """
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(normals[:, axis], 3), len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return normalised(total)


def normalised(vectors: Floats) -> Floats:
    """Scales vectors, shape (..., 3), to length one; a zero vector stays zero."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[..., None]


def dot(first: Floats, second: Floats) -> Floats:
    """Scalar products of vectors, shape (..., 3), to shape (...)."""
    x, y, z = (first[..., axis] * second[..., axis] for axis in range(3))
    return x + y + z


def interpolate(values: Floats, corners: Ints, barycentric: Floats) -> Floats:
    """Interpolates values of vertices in triangles.

    Args:
        values: One row per vertex, shape (V,) or (V, K).
        corners: Vertices of the triangle around each point, shape (N, 3).
        barycentric: Place of each point in its triangle, shape (N, 3).

    Returns:
        The values at the points, shape (N,) or (N, K).
    """
    weights = barycentric.reshape(barycentric.shape + (1,) * (values.ndim - 1))
    first, second, third = (values[corners[:, i]] * weights[:, i] for i in range(3))
    return first + second + third
