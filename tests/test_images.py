"""Real files of every kind that a folder of photos may hold."""

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

from sanmodel.errors import SanError
from sanmodel.images import (
    ImageTooLargeError,
    UnreadableImageError,
    decode_photo,
    decode_rgb,
    encode_png,
    grey_to_rgb,
    to_grey,
)

RAMP = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
"""Grey values over all 16 bits."""


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: NDArray[np.generic], **options: str) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def noise(size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def smooth() -> Image.Image:
    """A picture that JPEG keeps: red rises to the right, green downwards."""
    red, green = np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 48))
    return Image.fromarray(np.stack([red, green, red * 0 + 90], axis=-1).astype(np.uint8))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_16_bits(pixels: NDArray[np.uint16], colour_type: int) -> bytes:
    """Pillow writes only grey; (height, width, channels) of any colour type of PNG."""
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def huge_png(side: int) -> bytes:
    """A PNG header that announces side x side pixels: what a decompression bomb looks like."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


def without_adobe(jpeg: bytes) -> bytes:
    """Cut the segment out by which Adobe's programs mark their inverted CMYK."""
    start = jpeg.index(b"\xff\xee")
    length = int.from_bytes(jpeg[start + 2 : start + 4], "big")
    return jpeg[:start] + jpeg[start + 2 + length :]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>quota exceeded</html>", "face.jpg is not an image"),
        (b"", "face.jpg is an empty file"),
        (encoded(noise(), "JPEG")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "PNG")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "TIFF")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "WEBP")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "GIF")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "JPEG2000")[:-400], "face.jpg is damaged or cut short"),
        (encoded(noise(), "JPEG")[:100], "face.jpg is"),
        (tiff(RAMP.astype(np.float32)), "pixels of an unusual kind (Pillow's mode F)"),
        (tiff(RAMP.astype(np.int32)), "pixels of an unusual kind (Pillow's mode I)"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "face.jpg is not an image"),
    ],
    ids=[
        "html", "empty", "short jpeg", "short png", "short tiff", "short webp", "short gif",
        "short jpeg2000", "header", "float", "int32", "postscript",
    ],
)  # fmt: skip
def test_what_cannot_be_read_right_is_refused_by_name(content: bytes, words: str):
    with pytest.raises(UnreadableImageError) as caught:
        decode_rgb(content, "face.jpg")
    assert words in str(caught.value)


@pytest.mark.parametrize("side", [9_000, 20_000], ids=["large", "bomb"])
def test_more_than_50_megapixels_are_refused(side: int, recwarn: pytest.WarningsRecorder):
    with pytest.raises(ImageTooLargeError, match="is larger than 50 megapixels: shrink it"):
        decode_rgb(huge_png(side), "face.png")
    assert not recwarn.list


def test_a_file_is_taken_for_what_it_is_whatever_its_name():
    pixels = np.asarray(noise())
    assert np.array_equal(decode_rgb(encoded(noise(), "PNG"), "photo.jpg"), pixels)


def test_png_is_lossless():
    pixels = np.asarray(noise())
    assert np.array_equal(decode_rgb(encode_png(pixels), "x"), pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_put_upright(orientation: int, kind: str):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode_photo(encoded(smooth(), kind, exif=exif), "x")
    assert photo.orientation == orientation
    # Where EXIF's table says that the stored top left corner belongs: red and green are 0 there.
    shown = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    corner = photo.pixels[-1 if shown[0] == "b" else 0, -1 if shown[1] == "r" else 0]
    assert corner[:2].max() < 12
    assert photo.pixels.shape[:2] == ((48, 64) if orientation < 5 else (64, 48))
    # Red rises along the stored rows: along columns if those have become rows.
    along = 1 if orientation < 5 else 0
    assert np.ptp(photo.pixels[..., 0].mean(axis=1 - along)) > 200
    assert np.ptp(photo.pixels[..., 0].mean(axis=along)) < 12


def test_an_orientation_that_there_is_not_is_passed_over():
    exif = Image.Exif()
    exif[0x0112] = 77
    photo = decode_photo(encoded(noise(), "PNG", exif=exif), "x")
    assert photo.orientation == 1
    assert np.array_equal(photo.pixels, np.asarray(noise()))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_grey_and_palette_and_ink_become_rgb(mode: str):
    image = smooth().convert(mode)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode_rgb(encoded(image, "TIFF"), "x"), expected)


def adobes(image: Image.Image) -> bytes:
    """CMYK as Adobe's programs store it, inverted and marked."""
    return encoded(image, "JPEG", quality=98, subsampling=0)


def plain(image: Image.Image) -> bytes:
    """CMYK as it is, without a mark."""
    return without_adobe(encoded(ImageChops.invert(image), "JPEG", quality=98, subsampling=0))


@pytest.mark.parametrize("stored", [adobes, plain])
def test_cmyk_jpegs_keep_light_and_dark(stored: Callable[[Image.Image], bytes]):
    content = stored(smooth().convert("CMYK"))
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    difference = decode_rgb(content, "x").astype(int) - np.asarray(smooth())
    assert np.abs(difference).mean() < 3


COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1)
SEE_THROUGH = np.dstack([COLOURS, np.full_like(RAMP, 65535)])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(Image.fromarray(RAMP), "PNG"), RAMP),
        (encoded(Image.fromarray(RAMP), "TIFF"), RAMP),
        (tiff(RAMP, byteorder=">"), RAMP),
        (tiff(65535 - RAMP, photometric="miniswhite", byteorder="<"), RAMP),
        (tiff(COLOURS, photometric="rgb"), COLOURS),
        (png_of_16_bits(COLOURS, 2), COLOURS),
        (png_of_16_bits(SEE_THROUGH, 6), COLOURS),
        (png_of_16_bits(np.dstack([RAMP, np.full_like(RAMP, 65535)]), 4), RAMP),
    ],
    ids=["png", "tiff", "big-endian", "white is 0", "tiff rgb", "png rgb", "png rgba", "png la"],
)
def test_16_bits_are_scaled_and_not_clipped(content: bytes, expected: NDArray[np.uint16]):
    grey = grey_to_rgb(expected) if expected.ndim == 2 else expected
    assert np.abs(decode_rgb(content, "x").astype(int) - (grey >> 8)).max() <= 1


def half_clear(mode: str) -> Image.Image:
    """Black all over; the right half is transparent."""
    alpha = np.zeros((48, 64), dtype=np.uint8)
    alpha[:, :32] = 255
    image = Image.new("RGB", (64, 48))
    image.putalpha(Image.fromarray(alpha))
    return image.convert(mode)


def palette_with_a_clear_colour() -> bytes:
    image = Image.fromarray(np.repeat(np.uint8([[0, 1]]), 32, axis=1).repeat(48, axis=0), "P")
    image.putpalette([0, 0, 0, 0, 0, 0])
    return encoded(image, "PNG", transparency=1)


def colour_key() -> bytes:
    pixels = np.zeros((48, 64, 3), dtype=np.uint8)
    pixels[:, 32:] = 9
    return encoded(Image.fromarray(pixels), "PNG", transparency=(9, 9, 9))


@pytest.mark.parametrize(
    "content",
    [
        encoded(half_clear("RGBA"), "PNG"),
        encoded(half_clear("LA"), "PNG"),
        encoded(half_clear("RGBA"), "TIFF"),
        encoded(half_clear("RGBA"), "WEBP", lossless=True, exact=True),
        palette_with_a_clear_colour(),
        colour_key(),
    ],
    ids=["rgba", "la", "tiff", "webp", "palette", "colour key"],
)
def test_what_is_transparent_becomes_white(content: bytes):
    pixels = decode_rgb(content, "x")
    assert (pixels[:, :32] == 0).all()
    assert (pixels[:, 32:] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_taken(kind: str):
    first = smooth().convert("L")
    frames = {"save_all": True, "append_images": [ImageOps.invert(first)]}
    quality = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(first, kind, **frames, **quality)
    assert getattr(Image.open(io.BytesIO(content)), "n_frames", 1) == 2
    assert np.abs(decode_rgb(content, "x")[..., 0].astype(int) - np.asarray(first)).max() <= 1


def test_one_pixel_is_an_image():
    assert decode_rgb(encoded(Image.new("RGB", (1, 1), "red"), "PNG"), "x").shape == (1, 1, 3)


def test_grey_is_the_luma_and_repeats_to_rgb():
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    grey = to_grey(rgb)
    assert grey.tolist() == [[76, 150, 29]]  # 0.299, 0.587, 0.114 of 255
    assert np.array_equal(to_grey(grey_to_rgb(grey)), grey)


def test_damage_of_any_kind_is_a_users_error():
    """Flip bytes all over the headers of small files: no decoder's own error comes through."""
    random = np.random.default_rng(0)
    for kind in ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"):
        whole = np.frombuffer(encoded(noise((16, 16)), kind), dtype=np.uint8)
        for _ in range(60):
            damaged = whole.copy()
            damaged[random.integers(0, min(len(whole), 300), 3)] = random.integers(0, 256, 3)
            with suppress(SanError):
                decode_rgb(damaged.tobytes(), "x")
