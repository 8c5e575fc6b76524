"""Pictures as answers: encoded anew, so that nothing of the upload's metadata goes along."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from sanmodel.images import Picture, encode_png
from sanmodel.serving.refusals import RefusedError

FORMATS = ("jpeg", "png")
QUALITY = 92
SHOWN = 1600
"""Longest side of a photo on the page; a larger one is shrunk for it."""


def encoded(picture: Picture, kind: str) -> bytes:
    """Encode a picture.

    Args:
        picture: Grey or RGB.
        kind: One of ``FORMATS``.

    Raises:
        RefusedError: If JPEG has no room for it.
    """
    if kind == "png":
        return encode_png(picture)
    buffer = io.BytesIO()
    try:
        Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY)
    except OSError as error:
        raise RefusedError(
            422, "the photo is too long for JPEG: ask for format=png, or shrink it"
        ) from error
    return buffer.getvalue()


def data_url(picture: Picture) -> str:
    """Return a picture of at most ``SHOWN`` pixels a side as a URL that holds it."""
    image = Image.fromarray(picture)
    image.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    content = encoded(np.asarray(image), "jpeg")
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def side_by_side(crops: Sequence[Picture]) -> Picture:
    """Return crops in one picture, from left to right."""
    return np.concatenate(crops, axis=1)
