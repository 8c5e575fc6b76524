"""One photo becomes one face crop, or is set aside with the reason."""

import hashlib
from typing import Any

import numpy as np
from PIL import Image
from scipy.fft import dctn

from sanmodel.detection import Detector, Face
from sanmodel.detection.crop import crop_face
from sanmodel.detection.search import (
    Box,
    find_faces,
    largest,
    nearest,
    of_equal_size,
    upright_box,
)
from sanmodel.errors import SanError
from sanmodel.images import (
    ImageTooLargeError,
    Photo,
    Picture,
    UnreadableImageError,
    decode_photo,
    encode_png,
    to_grey,
)
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import LANDMARKS, Reason, Row

MIN_SIDE = 32
"""Pixels of the shorter side below which a photo shows no face that could be told from another."""


class SetAsideError(Exception):
    """The photo does not become a crop."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def crop_photo(row: Row, detector: Detector, settings: PreprocessSettings) -> dict[str, Any]:
    """Return what one raw row adds to the tables.

    Args:
        row: A row of the raw table.
        detector: Finds the faces.
        settings: How the square around the face is cut.

    Returns:
        The columns of the crops table that the raw row has not, without ``split``, and
        ``picture``, a digest of the crop's pixels; or ``reason`` and ``detail`` of the quarantine.

    Raises:
        SanError: If the detector fails; the message names the photo.
    """
    try:
        photo = _decode(row)
        face = _choose_face(photo, row, detector)
    except SetAsideError as why:
        return {"reason": why.reason, "detail": why.detail}
    crop = crop_face(photo.pixels, face, settings)
    left, top, right, bottom = crop.box
    return {
        "score": face.score,
        "crop_left": crop.square.left,
        "crop_top": crop.square.top,
        "crop_side": crop.square.side,
        "face_left": left,
        "face_top": top,
        "face_right": right,
        "face_bottom": bottom,
        **dict(zip(LANDMARKS, crop.landmarks.ravel().tolist(), strict=True)),
        "perceptual_hash": perceptual_hash(crop.picture),
        "picture": hashlib.sha256(crop.picture.tobytes()).digest(),
        "image": encode_png(crop.picture),
    }


def perceptual_hash(crop: Picture) -> int:
    """Return 64 bits that hardly change when a picture is compressed, scaled or brightened.

    The signs of the 8x8 lowest frequencies of the grey picture against their median ("pHash",
    Zauner 2010), as a signed number; compare two by counting the bits that differ.
    """
    small = Image.fromarray(to_grey(crop)).resize((32, 32), Image.Resampling.LANCZOS)
    lowest = dctn(np.asarray(small, dtype=np.float64), norm="ortho")[:8, :8]
    bits = np.packbits(lowest > np.median(lowest))
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def _decode(row: Row) -> Photo:
    name = row["source_path"]
    try:
        photo = decode_photo(row["image"] or b"", name)
    except UnreadableImageError as error:
        raise SetAsideError(Reason.UNREADABLE, str(error)) from error
    except ImageTooLargeError as error:
        raise SetAsideError(Reason.TOO_LARGE, str(error)) from error
    height, width, _ = photo.pixels.shape
    if min(height, width) < MIN_SIDE:
        size = f"{width}x{height} pixels"
        raise SetAsideError(Reason.TOO_SMALL, f"{name} has only {size}: {MIN_SIDE} are the least")
    return photo


def _choose_face(photo: Photo, row: Row, detector: Detector) -> Face:
    """Return the face that is meant: in the source's box if it gives one, else the largest."""
    faces, given = _search(photo, row, detector), _given_box(row, photo)
    face = nearest(faces, given) if given else None
    if face is not None:
        return face
    name = row["source_path"]
    if not faces:
        raise SetAsideError(Reason.NO_FACE, f"the detector found no face in {name}")
    if given:
        where = "where the source says that it is"
        raise SetAsideError(Reason.NO_FACE, f"the detector found no face in {name} {where}")
    if of_equal_size(faces):
        what = f"the two largest of {len(faces)} faces in {name} are of about equal size"
        raise SetAsideError(Reason.SEVERAL_FACES, f"{what}: give the face box in the source")
    return largest(faces)


def _search(photo: Photo, row: Row, detector: Detector) -> list[Face]:
    try:
        return find_faces(detector, photo.pixels)
    except Exception as error:  # a detector of any kind: say at which photo it failed
        raise SanError(
            f"the face detector failed at {row['source_path']} ({row['image_id']}):"
            f" {type(error).__name__}: {error}"
        ) from error


def _given_box(row: Row, photo: Photo) -> Box | None:
    """Return the source's face box in pixels of the upright photo, if it gives a whole one."""
    sides = [row[f"box_{side}"] for side in ("left", "top", "right", "bottom")]
    if None in sides:
        return None
    box = Box(*sides)
    if box.right <= box.left or box.bottom <= box.top:
        return None
    height, width, _ = photo.pixels.shape
    return upright_box(box, width, height, photo.orientation)
