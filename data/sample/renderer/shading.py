"""Light: direct and ambient, shadows, skin, hair and eyes.

Everything here is in camera space: x right, y up, z towards the camera. Colours are linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from head_mesh import Floats, Ints, dot, normalised
from raster import draw_points, draw_triangles
from shot import Shot

_SKY = np.array([0.93, 0.98, 1.06])
_GROUND = np.array([0.72, 0.64, 0.58])
_VIEW = np.array([0.0, 0.0, 1.0])
# Red light travels further below the skin than blue, which softens its edge between light and
# dark. The width of that softening for red, green and blue.
_SKIN_WRAP = np.array([0.42, 0.27, 0.22])
_MAP_SIZE = 320
_MAP_SPAN = 4.6  # side of the square of space that the shadow map covers
_BLUR = [(dx, dy) for dx in (-1.6, -0.55, 0.55, 1.6) for dy in (-1.6, -0.55, 0.55, 1.6)]


@dataclass(frozen=True)
class ShadowMap:
    """Distance of the lit surface, seen from the light.

    Attributes:
        axes: Right, up and forward of the map in camera space, shape (3, 3).
        centre: Point in the middle of the map, shape (3,).
        depth: Depth of each pixel, shape (S, S).
    """

    axes: Floats
    centre: Floats
    depth: Floats

    def lit(self, points: Floats, bias: float) -> Floats:
        """Share of the main light that reaches points, shape (N, 3), in 0..1, shape (N,).

        Args:
            points: Positions in camera space.
            bias: Depth below which a surface does not shadow itself.
        """
        place = _map_place(points, self.axes, self.centre)
        total = np.zeros(len(points))
        for dx, dy in _BLUR:
            column = np.clip(place[:, 0] + dx, 0, _MAP_SIZE - 1).astype(np.int64)
            row = np.clip(place[:, 1] + dy, 0, _MAP_SIZE - 1).astype(np.int64)
            # A ramp instead of a step: soft edges, and no pixel hangs on the last bit of a float.
            total += np.clip((self.depth[row, column] - place[:, 2] + bias) / 0.04 + 0.5, 0.0, 1.0)
        return total / len(_BLUR)


def _map_place(points: Floats, axes: Floats, centre: Floats) -> Floats:
    """Column, row and depth of points in the shadow map, shape (N, 3)."""
    local = (points - centre) @ axes.T
    scale = _MAP_SIZE / _MAP_SPAN
    half = _MAP_SIZE / 2.0
    return np.stack([half + scale * local[:, 0], half - scale * local[:, 1], -local[:, 2]], axis=1)


def shadow_map(vertices: Floats, faces: Ints, strands: Floats, shot: Shot) -> ShadowMap:
    """Renders head and hair from the light.

    Args:
        vertices: Vertices of the head in camera space, shape (V, 3).
        faces: Triangles, shape (T, 3).
        strands: Points of the hair in camera space, shape (N, 3).
        shot: The photo.
    """
    right = normalised(np.cross([0.0, 1.0, 0.0], shot.light))
    axes = np.stack([right, np.cross(shot.light, right), shot.light])
    centre = np.array([0.0, -0.1, 0.0])
    head = draw_triangles(_map_place(vertices, axes, centre), faces, _MAP_SIZE, cull=False)
    depth = head.depth
    if len(strands):
        hair = draw_points(_map_place(strands, axes, centre), _MAP_SIZE, width=2)
        depth = np.minimum(depth, hair.depth)
    return ShadowMap(axes, centre, depth.reshape(_MAP_SIZE, _MAP_SIZE))


def ambient_light(normals: Floats, shot: Shot) -> Floats:
    """Light from sky and ground, shape (N, 3)."""
    up = 0.5 + 0.5 * normals[:, 1:2]
    return shot.ambient * (up * _SKY + (1.0 - up) * _GROUND)


def shade_surface(
    colour: Floats, normals: Floats, occlusion: Floats, lit: Floats, gloss: Floats, shot: Shot
) -> Floats:
    """Lights skin, teeth and clothes.

    Args:
        colour: Colour of the surface, shape (N, 3).
        normals: Unit normals, shape (N, 3).
        occlusion: Share of the sky that is visible, shape (N,).
        lit: Share of the main light that arrives, shape (N,).
        gloss: Strength of the highlight, shape (N,).
        shot: The photo.

    Returns:
        Light towards the camera, shape (N, 3).
    """
    facing = dot(normals, shot.light)[:, None]
    diffuse = np.clip((facing + _SKIN_WRAP) / (1.0 + _SKIN_WRAP), 0.0, 1.0) ** 1.4
    halfway = normalised(shot.light + _VIEW)
    shine = np.clip(dot(normals, halfway), 0.0, 1.0)
    shine = 0.7 * shine**14 + 0.8 * shine**45
    rim = np.clip(1.0 - normals[:, 2], 0.0, 1.0) ** 4
    direct = shot.key * shot.tint * diffuse * (0.10 + 0.90 * lit[:, None])
    light = ambient_light(normals, shot) * occlusion[:, None] + direct * (
        0.45 + 0.55 * occlusion[:, None]
    )
    mirrored = gloss * (shine * lit * shot.key + 0.5 * rim * shot.ambient * occlusion)
    return colour * light + mirrored[:, None]


def eye_glint(normals: Floats, shot: Shot) -> Floats:
    """Mirror image of the light in the wet eye, shape (N, 1)."""
    halfway = normalised(shot.light * [1.0, 0.8, 1.0] + 1.2 * _VIEW)
    return 0.9 * shot.key * np.clip(dot(normals, halfway), 0.0, 1.0)[:, None] ** 300


def shade_strands(
    colour: Floats, tangents: Floats, normals: Floats, lit: Floats, depth: Floats, shot: Shot
) -> Floats:
    """Lights hair as thin cylinders, after Kajiya and Kay (1989).

    Args:
        colour: Colour of the hair, shape (N, 3).
        tangents: Unit directions of the strands, shape (N, 3).
        normals: Unit normals of the head below, shape (N, 3).
        lit: Share of the main light that arrives, shape (N,).
        depth: How open the hair lies, 0 at the root to 1 outside, shape (N,).
        shot: The photo.

    Returns:
        Light towards the camera, shape (N, 3).
    """
    along_light = dot(tangents, shot.light)
    across = np.sqrt(np.clip(1.0 - along_light**2, 0.0, 1.0))
    facing = np.clip(0.5 + 0.6 * dot(normals, shot.light), 0.0, 1.0)
    direct = shot.key * across * facing * (0.15 + 0.85 * lit)
    openness = 0.40 + 0.60 * depth
    body = ambient_light(normals, shot) * openness[:, None] + shot.tint * direct[:, None]
    across_view = np.sqrt(np.clip(1.0 - tangents[:, 2] ** 2, 0.0, 1.0))
    mirror = np.clip(across * across_view - along_light * tangents[:, 2], 0.0, 1.0)
    shine = shot.key * lit * facing * (0.06 * mirror**50)
    glow = shot.key * lit * facing * 0.9 * mirror**12
    return colour * (body + glow[:, None]) * openness[:, None] + shine[:, None] * shot.tint
