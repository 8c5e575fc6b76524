"""Pictures in and out of bytes, with limits on what is let in."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageChops, ImageOps, UnidentifiedImageError

from sanmodel.errors import SanError

IMAGE_SIZE = 224
"""Side of a face crop in pixels: the input of every network (paper, section 2)."""

MAX_PIXELS = 50_000_000
"""Largest photo that is opened: 50 megapixels, about 150 MB decoded."""

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""What is tried, whatever a file is called; none of Pillow's others is a photo."""

Picture = NDArray[np.uint8]
"""A grey (height, width) or RGB (height, width, 3) image, 0 to 255."""


class UnreadableImageError(SanError):
    """The bytes are no image, are cut short, or hold pixels of a kind that is not read right."""


class ImageTooLargeError(SanError):
    """The image has more pixels than are opened."""


@dataclass(frozen=True)
class Photo:
    """A decoded image file.

    Attributes:
        pixels: The picture, upright, (height, width, 3).
        orientation: EXIF's number, 1 to 8, for how the stored picture is turned and mirrored;
            1 is upright.
    """

    pixels: Picture
    orientation: int


def decode_photo(content: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Photo:
    """Decode an image file to RGB and turn it upright.

    Of an animation or several pages the first is taken, of 16 bits per channel the upper eight;
    transparent parts become white. CMYK is converted without its colour profile.

    Args:
        content: The file's bytes.
        name: What messages call the image.
        max_pixels: Largest image that is opened.

    Raises:
        UnreadableImageError: If the bytes are no image, are cut short or of an unusual kind.
        ImageTooLargeError: If the image has more than ``max_pixels``.
    """
    with _opened(content, name, max_pixels) as image:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        image.load()
        upright = image if turn == 1 else ImageOps.exif_transpose(image)
        orientation = turn if turn in range(1, 9) else 1
        return Photo(np.asarray(_to_rgb(upright, image, name)), orientation)


def decode_rgb(content: bytes, name: str) -> Picture:
    """Decode an image file to upright RGB, (height, width, 3) uint8.

    Raises:
        SanError: See :func:`decode_photo`.
    """
    return decode_photo(content, name).pixels


def encode_png(picture: Picture) -> bytes:
    """Encode without loss; level 1 is five times faster than the default and 10 % larger."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def to_grey(rgb: Picture) -> Picture:
    """Return the ITU-R 601 luma of an RGB picture, (height, width) uint8."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def grey_to_rgb(grey: Picture) -> Picture:
    """Repeat a grey (..., height, width) picture in three channels, (..., height, width, 3)."""
    return np.repeat(grey[..., None], 3, axis=-1)


@contextmanager
def _opened(content: bytes, name: str, max_pixels: int) -> Iterator[Image.Image]:
    """Open an image lazily after a look at its header; explain what goes wrong in the block."""
    # Pillow warns of odd metadata and large images: not for a reader of 200,000 files.
    with warnings.catch_warnings(action="ignore"):
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise ImageTooLargeError(
                        f"{name} ({image.width}x{image.height}) {_too_large(max_pixels)}"
                    )
                yield image
        except (SanError, MemoryError):  # too little memory is not the image's fault
            raise
        except Image.DecompressionBombError as error:
            raise ImageTooLargeError(f"{name} {_too_large(max_pixels)}") from error
        except UnidentifiedImageError as error:
            what = "is not an image" if content else "is an empty file"
            raise UnreadableImageError(f"{name} {what}: replace or remove the file") from error
        except Exception as error:  # damaged files make the decoders raise errors of any kind
            raise UnreadableImageError(
                f"{name} is damaged or cut short ({error}): replace the file"
            ) from error


def _to_rgb(upright: Image.Image, opened: Image.Image, name: str) -> Image.Image:
    """Convert to RGB what Pillow's own conversion would clip, invert or make up colours for.

    Args:
        upright: The loaded image, turned.
        opened: The image as it was opened, which knows its file's tags.
        name: What messages call the image.
    """
    if upright.mode.startswith("I;16"):
        return _upper_byte(upright, opened).convert("RGB")
    if upright.mode in ("F", "I", "LAB"):
        raise UnreadableImageError(
            f"{name} has pixels of an unusual kind (Pillow's mode {upright.mode}): convert it to"
            " 8 bits per channel"
        )
    if upright.has_transparency_data:
        picture = upright.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture)
        return white
    if upright.mode == "CMYK" and opened.format == "JPEG" and "adobe" not in opened.info:
        upright = ImageChops.invert(upright)  # Pillow takes every such file for Adobe's, inverted
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _upper_byte(image: Image.Image, opened: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow would clip it."""
    grey = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    photometric = getattr(opened, "tag_v2", {}).get(ExifTags.Base.PhotometricInterpretation)
    return ImageChops.invert(grey) if photometric == 0 else grey  # TIFF's "white is zero"


def _too_large(max_pixels: int) -> str:
    return f"is larger than {max_pixels / 1_000_000:g} megapixels: shrink it first"
