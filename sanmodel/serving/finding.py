"""Decoding photos and finding their faces: work for a few threads, with a detector in each."""

import threading
from dataclasses import dataclass

from sanmodel.images import Picture, decode_photo
from sanmodel.photos.perturbing import FaceFinder, FoundFace
from sanmodel.runtime.manifest import Crop
from sanmodel.serving.refusals import RefusedError
from sanmodel.serving.settings import ServeSettings

LEAST_SIDE = 40
"""Pixels of the shorter side of a photo below which no detector finds a face."""


@dataclass(frozen=True)
class Found:
    """A photo and its faces.

    Attributes:
        photo: Upright RGB, (height, width, 3).
        faces: Those to perturb, the largest first.
        skipped: How many more are too small.
    """

    photo: Picture
    faces: list[FoundFace]
    skipped: int


class Finding:
    """Finds faces in uploads; may be shared by threads.

    Args:
        settings: Limits, and the detector.
        crop: What the model takes for a face crop.
    """

    def __init__(self, settings: ServeSettings, crop: Crop) -> None:
        self._settings, self._crop = settings, crop
        self._own = threading.local()

    def find(self, content: bytes) -> Found:
        """Decode a photo and find its faces.

        Args:
            content: An image file.

        Raises:
            SanError: If it is no image, too large or too small, or has no face or too many.
        """
        photo = decode_photo(content, "the upload", self._settings.max_pixels).pixels
        self._check_size(photo)
        faces = self._finder().find(photo)
        large = [face for face in faces if _width(face) >= self._settings.min_face]
        self._check_count(len(faces), len(large))
        return Found(photo, large, len(faces) - len(large))

    def _finder(self) -> FaceFinder:
        if not hasattr(self._own, "finder"):
            self._own.finder = FaceFinder(self._crop, self._settings.detector)
        finder: FaceFinder = self._own.finder
        return finder

    def _check_size(self, photo: Picture) -> None:
        height, width = photo.shape[:2]
        if min(height, width) < LEAST_SIDE:
            raise RefusedError(
                422,
                f"the photo ({width}x{height}) is too small to find a face in: send one of at"
                f" least {LEAST_SIDE} pixels on each side",
            )

    def _check_count(self, found: int, large: int) -> None:
        if not found:
            raise RefusedError(
                422, "no face was found: send a photo in which one looks at the camera"
            )
        if not large:
            raise RefusedError(
                422,
                f"every face is narrower than {self._settings.min_face:g} pixels: send a larger"
                " photo, or a part of it",
            )
        if large > self._settings.max_faces:
            raise RefusedError(
                422,
                f"the photo has {large} faces, more than the {self._settings.max_faces} that are"
                " perturbed at a time: send parts of it",
            )


def _width(face: FoundFace) -> float:
    return face.box.right - face.box.left
