"""Samples what differs from photo to photo: expression, pose, framing, light and background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from head_mesh import Floats, normalised

_STREAM = 1000  # keeps the random numbers of photos apart from those of people
_SMILE_STREAM = 500


@dataclass(frozen=True)
class Shot:
    """One photo of a person, without the person.

    Attributes:
        is_smiling: Whether the person smiles.
        expression: Morph target weights of the expression.
        gaze: Direction of the eyes to the side and up, in radians.
        yaw: Turn of the head to the side, in radians.
        pitch: Nod of the head, in radians; positive looks down.
        roll: Tilt of the head, in radians.
        face_width: Width of the face between the ears, as a share of the picture.
        centre: Place of the middle of the face, column and row, as a share of the picture.
        light: Unit vector to the main light, in camera space.
        key: Strength of the main light.
        ambient: Strength of the light from all around.
        tint: Colour of the main light, linear RGB.
        exposure: Brightness of the face in the finished picture, around 1.
        background: Two colours of the background, linear RGB, shape (2, 3).
        noise_seed: Seed of background and sensor noise.
    """

    is_smiling: bool
    expression: Mapping[str, float]
    gaze: Floats
    yaw: float
    pitch: float
    roll: float
    face_width: float
    centre: Floats
    light: Floats
    key: float
    ambient: float
    tint: Floats
    exposure: float
    background: Floats
    noise_seed: int


def smiles(seed: int, identity: int, image: int) -> bool:
    """Decides the smile: exactly one photo of each pair (0, 1), (2, 3), ... of a person."""
    first = np.random.default_rng([seed, identity, _SMILE_STREAM + image // 2]).random() < 0.5
    return bool(first) == (image % 2 == 0)


def _expression(is_smiling: bool, rng: np.random.Generator) -> dict[str, float]:
    """Samples the weights of the face-unit targets."""
    smile = float(rng.uniform(0.75, 1.0)) if is_smiling else float(rng.uniform(0.0, 0.08))
    teeth = float(rng.uniform(0.0, 0.45)) if is_smiling else 0.0
    lift, frown = (float(max(0.0, x)) for x in rng.normal(-0.1, 0.2, 2))
    both_sides = {
        "mouthSmile": smile,
        "cheekSquint": 0.5 * smile,
        "eyeSquint": 0.3 * smile + 0.05,
        "mouthUpperUp": 0.6 * teeth,
        "mouthLowerDown": 0.4 * teeth,
        "mouthFrown": 0.0 if is_smiling else float(max(0.0, rng.normal(0.0, 0.12))),
        "eyeBlink": float(max(0.0, rng.normal(0.0, 0.07))),
        "browDown": 0.0 if is_smiling else frown,
        "browOuterUp": lift,
    }
    skew = 1.0 + 0.08 * rng.normal(size=(len(both_sides), 2))
    weights = {
        f"fu/{name}{side}": min(1.0, weight * skew[i, j])
        for i, (name, weight) in enumerate(both_sides.items())
        for j, side in enumerate(("Left", "Right"))
    }
    weights["fu/jawOpen"] = 0.25 * teeth + float(np.clip(rng.normal(-0.05, 0.06), 0.0, 0.12))
    weights["fu/browInnerUp"] = lift
    return weights


def _background(rng: np.random.Generator) -> Floats:
    """Samples two muted colours, the second near the first."""
    first = rng.uniform(0.03, 0.5) * (1.0 + rng.uniform(-0.35, 0.35, 3))
    second = first * rng.uniform(0.5, 1.6) * (1.0 + rng.uniform(-0.3, 0.3, 3))
    return np.clip(np.stack([first, second]), 0.015, 0.7)


def sample_shot(seed: int, identity: int, image: int) -> Shot:
    """Samples a photo.

    Args:
        seed: Seed of the data set.
        identity: Number of the person.
        image: Number of the photo among those of the person.

    Returns:
        The settings of the photo, always the same ones for the same arguments.
    """
    rng = np.random.default_rng([seed, identity, _STREAM + image])
    is_smiling = smiles(seed, identity, image)
    yaw, pitch, roll = np.clip(rng.normal(0.0, 1.0, 3), -2.0, 2.0) * [0.20, 0.075, 0.06]
    side = float(np.clip(rng.normal(0.0, 0.6), -1.05, 1.05))
    height = float(rng.uniform(0.05, 0.55))
    light = np.array([np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)])
    width = float(rng.uniform(0.29, 0.56))
    # A small face may lie further from the middle; the chin and the brow stay in the picture.
    room = 0.5 - 0.72 * width
    return Shot(
        is_smiling=is_smiling,
        expression=_expression(is_smiling, rng),
        gaze=np.clip(rng.normal(0.0, 1.0, 2), -1.8, 1.8) * [0.10, 0.05],
        yaw=float(yaw),
        pitch=float(pitch),
        roll=float(roll),
        face_width=width,
        centre=0.5 + np.array([rng.uniform(-1.0, 1.0), rng.uniform(-0.3, 0.7)]) * room,
        light=normalised(light),
        key=float(rng.uniform(0.9, 1.6)),
        ambient=float(rng.uniform(0.40, 0.75)),
        tint=1.0 + float(np.clip(rng.normal(0.0, 0.045), -0.09, 0.09)) * np.array([1.0, 0.1, -1.0]),
        exposure=float(np.exp(np.clip(rng.normal(0.0, 0.12), -0.25, 0.25))),
        background=_background(rng),
        noise_seed=int(rng.integers(1 << 20)),
    )
