"""Photos as files: read with what is worth keeping, written without what gives people away."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from sanmodel.errors import SanError
from sanmodel.files import atomic_file
from sanmodel.images import Picture, decode_photo

KEPT = frozenset(
    (
        ExifTags.Base.Artist,
        ExifTags.Base.Copyright,
        ExifTags.Base.DateTime,
        ExifTags.Base.DateTimeOriginal,
        ExifTags.Base.ExposureTime,
        ExifTags.Base.FNumber,
        ExifTags.Base.FocalLength,
        ExifTags.Base.ISOSpeedRatings,
        ExifTags.Base.LensModel,
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.OffsetTimeOriginal,
    )
)
"""Metadata that stays. Others may hold a thumbnail of the original face, or names of people."""

SAVED_AS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif"}
"""Formats that come out as they went in; all others come out as PNG."""

QUALITY = 95
"""Of JPEG and WebP."""


@dataclass(frozen=True)
class OpenedPhoto:
    """A photo and what is kept of its file.

    Attributes:
        pixels: Upright RGB, (height, width, 3).
        format: Name of the format that it is written in.
        profile: Colour profile of its pixels, if there is one.
        exif: Metadata that stays.
    """

    pixels: Picture
    format: str
    profile: bytes | None
    exif: Image.Exif

    @property
    def ending(self) -> str:
        """Ending of the file that it is written to."""
        return SAVED_AS[self.format]


def open_photo(path: Path, keep_location: bool = False) -> OpenedPhoto:
    """Read a photo.

    Args:
        path: The file.
        keep_location: Keep where it was taken, if its EXIF says so.

    Raises:
        SanError: If it is missing, no image, damaged, or too large.
    """
    content = read_file(path)
    pixels = decode_photo(content, str(path)).pixels
    with Image.open(io.BytesIO(content)) as image:
        kind = image.format if image.format in SAVED_AS else "PNG"
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
        exif = _kept(image.getexif(), keep_location)
    return OpenedPhoto(pixels, str(kind), profile, exif)


def read_file(path: Path) -> bytes:
    """Read a photo's file.

    Raises:
        SanError: If it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: check its name") from error
    except OSError as error:
        raise SanError(
            f"{path} cannot be read ({error.strerror}): check its place and permissions"
        ) from error


def write_photo(path: Path, pixels: Picture, like: OpenedPhoto) -> None:
    """Write a photo in the format and with the metadata of another.

    Raises:
        SanError: If it cannot be written; an earlier file stays as it was.
    """
    buffer = io.BytesIO()
    options: dict[str, Any] = {"icc_profile": like.profile, "exif": like.exif}
    if like.format in ("JPEG", "WEBP"):
        options["quality"] = QUALITY
    if like.format == "JPEG":
        options["subsampling"] = 0
    Image.fromarray(pixels).save(buffer, like.format, **options)
    write_bytes(path, buffer.getvalue())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there.

    Raises:
        SanError: If it cannot be written; an earlier file stays as it was.
    """
    try:
        with atomic_file(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise SanError(
            f"{path} cannot be written ({error.strerror}): check its place, its permissions and the"
            " length of its name"
        ) from error


def _kept(exif: Image.Exif, keep_location: bool) -> Image.Exif:
    """Return the metadata that stays; the picture is upright, so its orientation does not."""
    kept = Image.Exif()
    kept.update({tag: value for tag, value in exif.items() if tag in KEPT})
    details = {t: v for t, v in exif.get_ifd(ExifTags.IFD.Exif).items() if t in KEPT}
    if details:
        kept.get_ifd(ExifTags.IFD.Exif).update(details)
    if keep_location and (place := exif.get_ifd(ExifTags.IFD.GPSInfo)):
        kept.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    return kept
