"""Poses the bust and projects it into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from head_mesh import EYE_CENTRE, Floats
from shot import Shot
from value_noise import smoothstep

DISTANCE = 11.0  # from the camera to the face, in units of the head mesh
_PIVOT = np.array([0.0, 6.75, 0.35])  # the head turns about the upper end of the neck
_FACE_MIDDLE = EYE_CENTRE + np.array([0.0, -0.25, -0.4])
_FACE_WIDTH = 1.75  # of the unmorphed head, between the ears
_BODY_SHARE = 0.25  # how much of a turn of the head the shoulders make as well


@dataclass(frozen=True)
class Camera:
    """Turns the bust and projects it.

    Attributes:
        head_turn: Rotation of the head, shape (3, 3).
        body_turn: Rotation of the shoulders, shape (3, 3).
        focal: Pixels per unit at a distance of 1.
        centre: Column and row of the middle of the face, shape (2,), in pixels.
    """

    head_turn: Floats
    body_turn: Floats
    focal: float
    centre: Floats

    def pose(self, points: Floats) -> Floats:
        """Turns points of the bust, shape (..., 3), into camera space, origin amid the face."""
        local = points - _PIVOT
        head = local @ self.head_turn.T
        body = local @ self.body_turn.T
        share = smoothstep(points[..., 1], 5.4, 6.5)[..., None]
        middle = (_FACE_MIDDLE - _PIVOT) @ self.head_turn.T
        return share * head + (1.0 - share) * body - middle

    def project(self, points: Floats) -> Floats:
        """Projects points in camera space, shape (..., 3), to column, row and depth."""
        depth = DISTANCE - points[..., 2]
        scale = self.focal / depth
        column = self.centre[0] + scale * points[..., 0]
        row = self.centre[1] - scale * points[..., 1]
        return np.stack([column, row, depth], axis=-1)


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Rotation matrix: first about the vertical, then nodding, then tilting, in radians."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    turn = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    nod = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    tilt = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return tilt @ nod @ turn


def aim_camera(shot: Shot, size: int) -> Camera:
    """Places the camera for a picture of `size` x `size` pixels."""
    return Camera(
        head_turn=_rotation(shot.yaw, shot.pitch, shot.roll),
        body_turn=_rotation(_BODY_SHARE * shot.yaw, 0.0, 0.0),
        focal=shot.face_width * size * DISTANCE / _FACE_WIDTH,
        centre=shot.centre * size,
    )
