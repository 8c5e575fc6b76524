"""A morph of two faces: their shapes meet between the two, and so do their grey values.

Points are (x, y) in pixels, and (0, 0) is the middle of a picture's first pixel.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from sanmodel.alignment import similarity
from sanmodel.images import Picture

Points = NDArray[np.float64]
"""Landmarks of a face, (points, 2)."""

MARGIN = 1.0
"""Landmarks outside of a picture are moved this far inside its border, in pixels: the triangles
must not reach beyond the corners."""


def morph(
    face: Picture, other: Picture, landmarks: Points, others: Points, weight: float
) -> Picture:
    """Return the morph of two grey pictures of one size.

    Both are warped to the mean shape, triangle by triangle, and blended. Corners and middles of
    the edges are landmarks of either, so that the triangles cover the whole picture.

    Args:
        face: (height, width).
        other: Likewise.
        landmarks: Of ``face``.
        others: Of ``other``, in the same order.
        weight: Of ``other`` in both shape and grey values: 0 gives ``face``, 1 ``other`` where
            ``face`` stands.
    """
    landmarks, others = _inside(landmarks, face), _inside(others, other)
    shape = _inside(mean_shape(landmarks, others, weight), face)
    warped = warp_to(np.stack([face, other]), np.stack([landmarks, others]), shape)
    mixed: Picture = ((1 - weight) * warped[0] + weight * warped[1]).round().astype(np.uint8)
    return mixed


def mean_shape(landmarks: Points, others: Points, weight: float) -> Points:
    """Return the mean of two shapes where the first one stands.

    The second is brought to the first by the similarity that fits best, so that the mean has the
    place, turn and size of the first.

    Args:
        landmarks: The first shape.
        others: The second.
        weight: Of the second, 0 to 1.
    """
    source, target = (torch.from_numpy(points)[None] for points in (others, landmarks))
    (transform,) = similarity(source, target).numpy()
    moved = others @ transform[:, :2].T + transform[:, 2]
    mean: Points = (1 - weight) * landmarks + weight * moved
    return mean


def warp_to(
    pictures: NDArray[np.uint8], landmarks: NDArray[np.float64], shape: Points
) -> NDArray[np.float32]:
    """Move the landmarks of pictures to one shape, by affine maps of its Delaunay triangles.

    Between pixels the value is bilinear.

    Args:
        pictures: Grey, (N, height, width).
        landmarks: Of each, (N, points, 2), inside the picture.
        shape: Where they come to, inside the picture.

    Returns:
        (N, height, width), 0 to 255.
    """
    count, height, width = pictures.shape
    frame = _frame(height, width)
    corners = np.concatenate([shape, frame])
    sources = np.concatenate([np.concatenate([points, frame]) for points in landmarks], axis=1)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    places = LinearNDInterpolator(Delaunay(corners), sources)(x, y)
    # grid_sample counts from -1 to 1, from edge to edge of the picture.
    grid = (2 * places.reshape(height, width, count, 2) + 1) / (width, height) - 1
    moved = F.grid_sample(
        torch.from_numpy(pictures.astype(np.float32))[:, None],
        torch.from_numpy(grid.astype(np.float32)).permute(2, 0, 1, 3),
        padding_mode="border",
        align_corners=False,
    )
    warped: NDArray[np.float32] = moved[:, 0].numpy()
    return warped


def _inside(points: Points, picture: Picture) -> Points:
    height, width = picture.shape
    return points.clip(MARGIN, np.array([width, height]) - 1 - MARGIN)


def _frame(height: int, width: int) -> Points:
    """Return the corners of a picture and the middles of its edges, (8, 2)."""
    right, bottom = width - 1.0, height - 1.0
    points = [(x, y) for x in (0, right / 2, right) for y in (0, bottom / 2, bottom)]
    return np.array([*points[:4], *points[5:]])
