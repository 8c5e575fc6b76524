"""Face chips as the optional networks' own packages cut them.

Points are (x, y) in pixels, and (0, 0) is the middle of a picture's first pixel. Where a chip
reaches beyond the crop, the nearest pixel of the edge is repeated, as everywhere in this project.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.alignment import inverse, similarity, warp
from sanmodel.evaluation.dense_landmarks import find_dense_landmarks

ARCFACE_SIZE = 112
"""Side in pixels of the chips that ArcFace networks are trained on."""

ARCFACE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where they have the eye on the left of the picture, the other eye, the tip of the nose and the
corners of the mouth (Deng et al., "ArcFace", CVPR 2019; InsightFace's ``face_align``)."""

LEFT_EYE, RIGHT_EYE, NOSE, MOUTH_LEFT, MOUTH_RIGHT = slice(36, 42), slice(42, 48), 30, 48, 54
"""Places in dlib's 68 landmarks, sides as in the picture."""


def square_chips(
    images: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    size: int,
    margin: float,
    angles: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """Cut squares around face boxes.

    Args:
        images: Grey crops, (N, height, width), at least ``size`` high and wide.
        boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).
        size: Side of a chip in pixels.
        margin: Side of the square in longer sides of the box.
        angles: How far each square is turned clockwise, in radians, (N,); upright otherwise.

    Returns:
        Grey chips, (N, size, size).
    """
    edges = torch.as_tensor(boxes)
    extent, centre = edges[:, 2:] - edges[:, :2], (edges[:, 2:] + edges[:, :2]) / 2
    step = margin * extent.amax(dim=1) / size  # pixels of the crop per pixel of the chip
    turn = torch.zeros(len(edges)) if angles is None else torch.as_tensor(angles)
    cosine, sine = step * torch.cos(turn), step * torch.sin(turn)
    rows = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    shift = centre - rows.sum(dim=2) * (size / 2)
    return _cut(images, torch.cat([rows, shift[..., None]], dim=2), size)


def arcface_chips(images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Cut faces out so that eyes, nose and mouth come to ``ARCFACE_POINTS``, by least squares.

    InsightFace's detector gives the five points; here they are taken from dlib's landmarks, which
    a face has in every variant, be it found by that detector or not.

    Args:
        images: Grey crops, (N, height, width), at least ``ARCFACE_SIZE`` high and wide.
        boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).

    Returns:
        Grey chips, (N, ARCFACE_SIZE, ARCFACE_SIZE).
    """
    faces = zip(images, boxes, strict=True)
    found = np.stack([_five(find_dense_landmarks(*face)) for face in faces])
    target = torch.tensor(ARCFACE_POINTS, dtype=torch.float64)[None]
    return _cut(images, inverse(similarity(torch.from_numpy(found), target)), ARCFACE_SIZE)


def eye_angles(images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the line of the eyes is turned clockwise in each crop, in radians, (N,).

    Args:
        images: Grey crops, (N, height, width).
        boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).
    """
    points = [find_dense_landmarks(*face) for face in zip(images, boxes, strict=True)]
    lines = np.stack([p[RIGHT_EYE].mean(axis=0) - p[LEFT_EYE].mean(axis=0) for p in points])
    return np.asarray(np.arctan2(lines[:, 1], lines[:, 0]), dtype=np.float64)


def _cut(images: NDArray[np.uint8], transform: Tensor, size: int) -> NDArray[np.uint8]:
    """Return chips that show at p what an image has at ``transform`` (N, 2, 3) of p."""
    pixels = torch.from_numpy(np.array(images)).unsqueeze(1).to(torch.float32)
    chips = warp(pixels, transform.to(torch.float32))[:, 0, :size, :size]
    cut: NDArray[np.uint8] = chips.round().to(torch.uint8).numpy()
    return cut


def _five(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what ``ARCFACE_POINTS`` speaks of, (5, 2), from 68 landmarks, (68, 2)."""
    eyes = [points[eye].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    return np.stack([*eyes, points[NOSE], points[MOUTH_LEFT], points[MOUTH_RIGHT]])
