"""Renders one photo: puts person, hair, light and camera together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from albedo import SurfacePoints, paint
from backdrop import paint_backdrop
from camera import Camera, aim_camera
from face_regions import is_garment
from hairstyle import grow_hair
from head_mesh import (
    Floats,
    HeadMesh,
    Part,
    interpolate,
    load_head,
    normalised,
    vertex_normals,
)
from identity import Identity, sample_identity
from raster import Fragments, draw_points, draw_triangles
from shading import ShadowMap, eye_glint, shade_strands, shade_surface, shadow_map
from shot import Shot, sample_shot
from strands import Strands, face_strands
from value_noise import bell, smoothstep, value_noise

SIZE = 320  # side of the finished photo in pixels
_SUPERSAMPLING = 2
_CANVAS = SIZE * _SUPERSAMPLING
_SKIN_LUMINANCE = 0.20  # mean of a face in the finished picture before the tone curve


@dataclass(frozen=True)
class Person:
    """A person with all that stays the same from photo to photo."""

    who: Identity
    hair: Strands
    face_hair: list[Strands]


@dataclass(frozen=True)
class PosedHead:
    """The head of one photo.

    Attributes:
        mesh: The head mesh.
        morphed: Vertices with expression, shape (V, 3).
        posed: The same in camera space, shape (V, 3).
        normals: Unit normals in camera space, shape (V, 3).
    """

    mesh: HeadMesh
    morphed: Floats
    posed: Floats
    normals: Floats


@lru_cache(maxsize=2)
def make_person(seed: int, number: int) -> Person:
    """Samples a person and grows the hair."""
    who = sample_identity(seed, number)
    return Person(who, grow_hair(seed, who), face_strands(seed, who))


def render_photo(seed: int, identity: int, image: int) -> NDArray[np.uint8]:
    """Renders one photo.

    Args:
        seed: Seed of the data set.
        identity: Number of the person.
        image: Number of the photo among those of the person.

    Returns:
        The photo, shape (320, 320, 3), sRGB.
    """
    person, shot = make_person(seed, identity), sample_shot(seed, identity, image)
    camera = aim_camera(shot, _CANVAS)
    head = _pose_head(person.who, shot, camera)
    posed_strands = [
        (s, camera.pose(s.points(head.morphed))) for s in [person.hair, *person.face_hair]
    ]
    shadows = shadow_map(head.posed, head.mesh.faces, _dense_hair(posed_strands[0][1]), shot)
    canvas = paint_backdrop(shot, _CANVAS)
    drawn = draw_triangles(camera.project(head.posed), head.mesh.faces, _CANVAS)
    face_light = _draw_head(canvas, drawn, head, person.who, shot, shadows)
    depth = drawn.depth.copy()
    for strands, posed in posed_strands:
        _draw_strands(canvas, depth, strands, posed, head, camera, shadows, shot)
    return _develop(canvas, face_light, shot)


def _pose_head(who: Identity, shot: Shot, camera: Camera) -> PosedHead:
    mesh = load_head()
    morphed = mesh.morph({**who.weights, **shot.expression})
    posed = camera.pose(morphed)
    return PosedHead(mesh, morphed, posed, vertex_normals(posed, mesh.faces))


def _dense_hair(posed: Floats) -> Floats:
    """Fills up hair strands, shape (N, J, 3), with points between the joints for the shadows."""
    middles = 0.5 * (posed[:, 1:] + posed[:, :-1])
    return np.concatenate([posed, middles], axis=1).reshape(-1, 3)


def _draw_head(
    canvas: Floats, drawn: Fragments, head: PosedHead, who: Identity, shot: Shot, shadows: ShadowMap
) -> float:
    """Shades the visible points of the head into the canvas.

    Returns:
        Mean luminance of the skin of the face, from which the exposure is set.
    """
    covered = np.nonzero(drawn.source >= 0)[0]
    triangle, bary = drawn.source[covered], drawn.barycentric[covered]
    corners = head.mesh.faces[triangle]
    points = SurfacePoints(
        position=interpolate(head.mesh.vertices, corners, bary),
        texcoord=(head.mesh.texcoords[triangle] * bary[:, :, None]).sum(axis=1),
        part=head.mesh.part[triangle],
    )
    colour, extra_gloss = paint(points, who, shot.gaze)
    normals = _rough_normals(interpolate(head.normals, corners, bary), points, who)
    occlusion = _occlusion(interpolate(head.mesh.occlusion, corners, bary), points)
    lit = shadows.lit(interpolate(head.posed, corners, bary), bias=0.03)
    gloss = _gloss(points, extra_gloss)
    light = shade_surface(colour, normals, occlusion, lit, gloss, shot)
    is_eye = _is_eye(points)
    light[is_eye] += eye_glint(normals[is_eye], shot) * lit[is_eye, None]
    canvas[covered] = light
    is_skin = (points.part == Part.BODY) & (points.front() > 0.5) & ~is_garment(points.position)
    return float((light[is_skin] @ np.array([0.2126, 0.7152, 0.0722])).mean())


def _is_eye(points: SurfacePoints) -> NDArray[np.bool_]:
    return (points.part == Part.LEFT_EYE) | (points.part == Part.RIGHT_EYE)


def _rough_normals(normals: Floats, points: SurfacePoints, who: Identity) -> Floats:
    """Tilts the normals of the skin at random: pores, and wrinkles with age."""
    strength = (0.06 if who.is_male else 0.035) + 0.08 * who.age
    seed = who.texture_seed + 40
    bumps = [value_noise(points.position, 26.0, seed + axis) for axis in range(3)]
    is_body = (points.part == Part.BODY)[:, None]
    return normalised(normalised(normals) + strength * np.stack(bumps, axis=1) * is_body)


def _occlusion(baked: Floats, points: SurfacePoints) -> Floats:
    """Adapts the baked occlusion: lids shade the eyes, lips the teeth, the chin the collar."""
    below_lid = 0.50 + 0.50 * smoothstep(7.37 - points.position[:, 1], -0.02, 0.10)
    occlusion = np.where(_is_eye(points), below_lid, baked**1.1)
    return np.where(points.part >= Part.UPPER_TEETH, 0.45, occlusion)


def _gloss(points: SurfacePoints, extra: Floats) -> Floats:
    """Strength of the highlight: oily in the middle of the face, none on cloth, wet teeth."""
    x = np.abs(points.position[:, 0])
    skin = 0.030 + 0.030 * bell(x, 0.0, 0.22) + 0.06 * extra
    skin = np.where(is_garment(points.position), 0.0, skin)
    skin = np.where(points.part >= Part.UPPER_TEETH, 0.05, skin)
    return np.where(_is_eye(points), 0.0, skin)


def _draw_strands(
    canvas: Floats,
    depth: Floats,
    strands: Strands,
    posed: Floats,
    head: PosedHead,
    camera: Camera,
    shadows: ShadowMap,
    shot: Shot,
) -> None:
    """Draws hairs over the canvas where they lie in front of what is there.

    Args:
        canvas: Linear RGB, shape (S * S, 3); changed in place.
        depth: Depth of what is drawn so far, shape (S * S,); changed in place.
        strands: The hairs.
        posed: Their points in camera space, shape (N, J, 3).
        head: The head they grow on.
        camera: The camera.
        shadows: The shadows.
        shot: The photo.
    """
    if not len(posed):
        return
    light = _strand_light(strands, posed, head, shadows, shot)
    points, lights = _filled_in(camera.project(posed), light)
    drawn = draw_points(points, _CANVAS, strands.width)
    # Hairs sprout from the skin; without a tolerance the skin swallows their lower halves.
    front = np.nonzero((drawn.source >= 0) & (drawn.depth < depth + 0.012))[0]
    canvas[front] = lights[drawn.source[front]]
    depth[front] = np.minimum(depth[front], drawn.depth[front])


def _strand_light(
    strands: Strands, posed: Floats, head: PosedHead, shadows: ShadowMap, shot: Shot
) -> Floats:
    """Lights the joints of hairs, shape (N, J, 3)."""
    count, joints, _ = posed.shape
    tangents = np.gradient(posed, axis=1)
    normals = np.repeat(normalised(strands.roots(head.normals))[:, None], joints, axis=1)
    along = np.linspace(0.0, 1.0, joints)
    openness = np.broadcast_to(1.0 - strands.roundness * 0.55 * (1.0 - along) ** 2, (count, joints))
    light = shade_strands(
        np.repeat(strands.colour[:, None], joints, axis=1).reshape(-1, 3),
        normalised(tangents.reshape(-1, 3)),
        normals.reshape(-1, 3),
        shadows.lit(posed.reshape(-1, 3), bias=0.09),
        openness.ravel(),
        shot,
    )
    return light.reshape(count, joints, 3)


def _filled_in(projected: Floats, light: Floats) -> tuple[Floats, Floats]:
    """Fills strands up with points about a pixel apart.

    Args:
        projected: Column, row and depth of the joints, shape (N, J, 3).
        light: Light of the joints, shape (N, J, 3).

    Returns:
        Column, row and depth, and light of all points, both of shape (M, 3).
    """
    steps = projected[:, 1:, :2] - projected[:, :-1, :2]
    longest = np.sqrt((steps**2).sum(axis=2)).max(axis=1)
    pieces = np.clip(np.ceil(longest / 1.25), 1, 64).astype(np.int64)
    points: list[Floats] = []
    lights: list[Floats] = []
    for count in np.unique(pieces):
        chosen = pieces == count
        t = (np.arange(count) / count)[None, None, :, None]
        for values, filled in ((projected[chosen], points), (light[chosen], lights)):
            start, end = values[:, :-1, None], values[:, 1:, None]
            filled.append((start + (end - start) * t).reshape(-1, 3))
    return np.concatenate(points), np.concatenate(lights)


def _develop(canvas: Floats, face_light: float, shot: Shot) -> NDArray[np.uint8]:
    """Turns light into a photo: exposure, averaging, tone curve, sensor noise, 8 bits."""
    # An automatic exposure that leaves some of the difference between skins and lights.
    gain = shot.exposure * (_SKIN_LUMINANCE / face_light) ** 0.75 * 0.85
    tiles = (gain * canvas).reshape(SIZE, _SUPERSAMPLING, SIZE, _SUPERSAMPLING, 3)
    # Highlights are rolled off before the averaging, or bright hairs would flicker.
    light = _filmic(np.clip(tiles, 0.0, None)).mean(axis=(1, 3))
    picture = np.clip(light, 0.0, 1.0) ** (1.0 / 2.2)
    place = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij"), axis=-1)
    place = np.concatenate([place.reshape(-1, 2), np.zeros((SIZE * SIZE, 1))], axis=1)
    grain = value_noise(place.astype(np.float64), 1.0, shot.noise_seed)
    picture = picture + 0.010 * grain.reshape(SIZE, SIZE, 1)
    return np.floor(np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _filmic(light: Floats) -> Floats:
    """Filmic tone curve, after Narkowicz (2015), softened."""
    x = 0.9 * light
    return (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
