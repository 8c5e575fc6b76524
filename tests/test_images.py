import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, encode_png, grey_to_rgb, to_grey


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def noise(size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def huge_png(side: int) -> bytes:
    """A PNG header that announces side x side pixels: what a decompression bomb looks like."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>quota exceeded</html>", "face.jpg is not an image"),
        (b"", "face.jpg is an empty file"),
        (jpeg(noise())[:-400], "face.jpg is damaged or cut short"),
        (huge_png(20_000), "larger than 50 megapixels: shrink it"),
        (huge_png(9_000), r"face.jpg (9000x9000) is larger than 50 megapixels: shrink it"),
    ],
    ids=["html", "empty", "truncated", "bomb", "large"],
)
def test_bad_images_are_named(content: bytes, words: str):
    with pytest.raises(SanError) as caught:
        decode_rgb(content, "face.jpg")
    assert words in str(caught.value)


def test_png_is_lossless():
    pixels = np.asarray(noise())
    assert np.array_equal(decode_rgb(encode_png(pixels), "x"), pixels)


def test_an_exif_rotation_is_undone():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to view
    assert decode_rgb(jpeg(noise((64, 48)), exif=exif), "x").shape == (64, 48, 3)


def test_grey_and_palette_images_become_rgb():
    for mode in ("L", "P", "CMYK"):
        buffer = io.BytesIO()
        noise().convert(mode).save(buffer, "TIFF")
        assert decode_rgb(buffer.getvalue(), "x").shape == (48, 64, 3)


def test_grey_is_the_luma_and_repeats_to_rgb():
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    grey = to_grey(rgb)
    assert grey.tolist() == [[76, 150, 29]]  # 0.299, 0.587, 0.114 of 255
    assert np.array_equal(to_grey(grey_to_rgb(grey)), grey)
