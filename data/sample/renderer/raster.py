"""Depth-buffered drawing of triangles and points, in numpy alone.

Pixel (column i, row j) has its centre at (i + 0.5, j + 0.5). A smaller depth is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from head_mesh import Floats, Ints

_EDGE_TOLERANCE = 1e-6  # closes hairline cracks between neighbouring triangles


@dataclass(frozen=True)
class Fragments:
    """What a depth buffer keeps for each pixel of a square image.

    Attributes:
        source: Number of the nearest triangle or point, -1 where there is none, shape (S * S,).
        depth: Depth of it, infinite where there is none, shape (S * S,).
        barycentric: Position in the triangle, shape (S * S, 3); empty for points.
    """

    source: Ints
    depth: Floats
    barycentric: Floats


def _keep_nearest(pixel: Ints, depth: Floats, source: Ints, size: int) -> tuple[Ints, Floats, Ints]:
    """Resolves the depth test: source and depth of each pixel, and which candidate won."""
    nearest = np.full(size * size, np.inf)
    np.minimum.at(nearest, pixel, depth)
    wins = np.nonzero(depth == nearest[pixel])[0]
    winner = np.full(size * size, -1, dtype=np.int64)
    winner[pixel[wins]] = wins
    kept = np.full(size * size, -1, dtype=np.int64)
    covered = winner >= 0
    kept[covered] = source[winner[covered]]
    return kept, nearest, winner


def _candidates(low: Ints, high: Ints, triangles: Ints) -> tuple[Ints, Ints, Ints]:
    """Lists every pixel in the bounding box of every triangle: triangle, column, row."""
    width = (high - low + 1)[triangles]
    count = width[:, 0] * width[:, 1]
    triangle = np.repeat(triangles, count)
    running = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    box_width = np.repeat(width[:, 0], count)
    column = low[triangle, 0] + running % box_width
    row = low[triangle, 1] + running // box_width
    return triangle, column, row


def draw_triangles(points: Floats, faces: Ints, size: int, cull: bool = True) -> Fragments:
    """Rasterises triangles into a square depth buffer.

    Args:
        points: Column, row and depth of the vertices, shape (V, 3), in pixels.
        faces: Triangles, shape (T, 3).
        size: Side of the image in pixels.
        cull: Whether triangles seen from behind are left out.

    Returns:
        The nearest triangle of each pixel.
    """
    a, b, c = (points[faces[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    corners = np.stack([a, b, c])[:, :, :2]
    low = np.clip(np.ceil(corners.min(axis=0) - 0.5), 0, size - 1).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=0) - 0.5), -1, size - 1).astype(np.int64)
    # Rows count downwards, so a triangle seen from the front has a negative area.
    visible = area < -1e-9 if cull else np.abs(area) > 1e-9
    t, column, row = _candidates(low, high, np.nonzero(visible & (high >= low).all(axis=1))[0])
    x, y = column + 0.5, row + 0.5
    u = ((b[t, 0] - x) * (c[t, 1] - y) - (b[t, 1] - y) * (c[t, 0] - x)) / area[t]
    v = ((c[t, 0] - x) * (a[t, 1] - y) - (c[t, 1] - y) * (a[t, 0] - x)) / area[t]
    inside = np.minimum(np.minimum(u, v), 1.0 - u - v) >= -_EDGE_TOLERANCE
    t, u, v, pixel = t[inside], u[inside], v[inside], (row * size + column)[inside]
    bary = np.stack([u, v, 1.0 - u - v], axis=1)
    depth = bary[:, 0] * a[t, 2] + bary[:, 1] * b[t, 2] + bary[:, 2] * c[t, 2]
    source, nearest, winner = _keep_nearest(pixel, depth, t, size)
    barycentric = np.zeros((size * size, 3))
    barycentric[winner >= 0] = bary[winner[winner >= 0]]
    return Fragments(source, nearest, barycentric)


def draw_points(points: Floats, size: int, width: int = 1) -> Fragments:
    """Draws points as squares of `width` x `width` pixels.

    Args:
        points: Column, row and depth, shape (N, 3), in pixels.
        size: Side of the image in pixels.
        width: Side of the square that a point covers, in pixels.

    Returns:
        The nearest point of each pixel.
    """
    corner = np.floor(points[:, :2] - 0.5 * (width - 1)).astype(np.int64)
    near = ((corner > -width) & (corner < size)).all(axis=1)
    index = np.nonzero(near)[0]
    pixels, depths, sources = [], [], []
    for dx in range(width):
        for dy in range(width):
            column, row = corner[index, 0] + dx, corner[index, 1] + dy
            ok = (column >= 0) & (column < size) & (row >= 0) & (row < size)
            pixels.append((row * size + column)[ok])
            depths.append(points[index[ok], 2])
            sources.append(index[ok])
    source, nearest, _ = _keep_nearest(
        np.concatenate(pixels), np.concatenate(depths), np.concatenate(sources), size
    )
    return Fragments(source, nearest, np.zeros((0, 3)))
