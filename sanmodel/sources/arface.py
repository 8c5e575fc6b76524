"""The AR face database: two sessions of thirteen conditions; all is told by the file names."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from sanmodel.errors import SanError
from sanmodel.images import encode_png
from sanmodel.sources import SOURCES, Source

NAME = re.compile(
    r"(?P<sex>[mfw])-(?P<subject>\d{1,3})-(?P<condition>\d{1,2})\.(raw|bmp|png|jpe?g|ppm|tiff?)",
    re.IGNORECASE,
)
CONDITIONS = (
    "neutral",
    "smile",
    "anger",
    "scream",
    "left light",
    "right light",
    "both lights",
    "sunglasses",
    "sunglasses, left light",
    "sunglasses, right light",
    "scarf",
    "scarf, left light",
    "scarf, right light",
)
"""Conditions 1 to 13, and again 14 to 26 in the second session."""

RAW_SHAPE = (3, 576, 768)
"""A ``.raw`` file holds the red, then the green, then the blue plane, without a header."""


def list_arface(folder: Path) -> pd.DataFrame:
    """List all ``m-001-1.raw``, ``W-001-01.bmp`` and the like with gender, condition, occlusion.

    Raises:
        SanError: If there is no image or the number of a condition is none of 1 to 26.
    """
    found = [(path, NAME.fullmatch(path.name)) for path in sorted(folder.rglob("*-*-*.*"))]
    rows = [_row(path.relative_to(folder), told) for path, told in found if told]
    if not rows:
        raise SanError(
            f"{folder} holds no image of the AR face database (m-001-1.raw, W-001-01.bmp):"
            " `san sources arface` says how to get it; set fetch.folder to where it lies"
        )
    return pd.DataFrame(rows)


def _row(path: Path, told: re.Match[str]) -> dict[str, object]:
    number, subject = int(told["condition"]), int(told["subject"])
    if not 1 <= number <= 2 * len(CONDITIONS):
        raise SanError(f"{path} has condition {number}, not 1 to {2 * len(CONDITIONS)}: rename it")
    session, index = divmod(number - 1, len(CONDITIONS))
    person = f"{'m' if told['sex'] in 'mM' else 'f'}-{subject:03d}"
    return {
        "image_id": f"{person}-{number:02d}",
        "identity": person,
        "source_path": path.as_posix(),
        "condition": f"session {session + 1}, {CONDITIONS[index]}",
        "occluded": CONDITIONS[index].startswith(("sunglasses", "scarf")),
        "Male": 1 if person.startswith("m") else -1,
    }


def read_arface(path: Path) -> bytes:
    """Read an image file; a ``.raw`` of the right size becomes a PNG, losing nothing."""
    content = path.read_bytes()
    if path.suffix.lower() != ".raw" or len(content) != np.prod(RAW_SHAPE):
        return content
    planes = np.frombuffer(content, dtype=np.uint8).reshape(RAW_SHAPE)
    return encode_png(np.ascontiguousarray(planes.transpose(1, 2, 0)))


ARFACE = SOURCES.register("arface")(
    Source(
        title="AR face database",
        terms="academic use only, after an agreement signed with its maker; not to be passed on",
        citation="Martinez, Benavente: The AR Face Database. CVC Technical Report 24, 1998",
        homepage="https://www2.ece.ohio-state.edu/~aleix/ARdatabase.html",
        layout=(
            "m-001-1.raw, w-001-1.raw ... (768x576) or M-001-01.bmp, W-001-01.bmp ... anywhere"
            " below: man or woman, subject, condition 1 to 26",
        ),
        columns="Male, identity, condition (session and condition), occluded (sunglasses, scarf)",
        list_images=list_arface,
        read=read_arface,
    )
)
