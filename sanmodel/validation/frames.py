"""The frames that are checked: a table's columns beside figures measured on its images.

Images are read shard by shard; a frame holds their measures only, so that it stays small beside
the table.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.tables import CROP_COLUMNS, RAW_COLUMNS, attributes, iterate_rows, read_columns

RAW_MEASURES = ("image_bytes",)
PICTURE_MEASURES = ("readable", "height", "width", "mode", "grey_std", "pixel_sha256")
FACE_MEASURES = ("face_width", "face_height", "face_centre_x", "face_centre_y")
SIDE_COUNTS = ("identity_sides", "picture_sides")
CROP_MEASURES = (*PICTURE_MEASURES, *FACE_MEASURES, *SIDE_COUNTS)
"""What :func:`crops_frame` adds to the columns of the table."""


def raw_frame(folder: Path, observer: Observer = SILENT) -> pd.DataFrame:
    """Return the raw table with ``image_bytes``, the length of each file, in place of the images.

    Raises:
        SanError: If the folder holds no table, lacks a column or a file is damaged.
    """
    frame = _columns(folder, RAW_COLUMNS)
    rows = observed(iterate_rows(folder, ["image"]), "check raw images", len(frame), observer)
    frame["image_bytes"] = [len(row["image"] or b"") for row in rows]
    return frame


def crops_frame(folder: Path, observer: Observer = SILENT) -> pd.DataFrame:
    """Return the crops table with measures in place of the images.

    The measures of the picture: ``readable`` (it decodes), ``height`` and ``width`` in pixels,
    ``mode`` (Pillow's; "RGB" is three channels of eight bits), ``grey_std`` (standard deviation
    of the grey pixels, 0 to 255) and ``pixel_sha256`` (digest of the decoded pixels). Of the face
    box: ``face_width``, ``face_height``, ``face_centre_x`` and ``face_centre_y`` in pixels of the
    crop. Of the split: ``identity_sides`` and ``picture_sides``, the number of sides on which the
    same identity or the same picture is found.

    Raises:
        SanError: If the folder holds no table, lacks a column or a file is damaged.
    """
    frame = _columns(folder, CROP_COLUMNS)
    rows = observed(iterate_rows(folder, ["image"]), "check crops", len(frame), observer)
    measures = [_measures(row["image"] or b"") for row in rows]
    frame[list(PICTURE_MEASURES)] = pd.DataFrame(measures, columns=list(PICTURE_MEASURES))
    frame["face_width"] = frame["face_right"] - frame["face_left"]
    frame["face_height"] = frame["face_bottom"] - frame["face_top"]
    frame["face_centre_x"] = (frame["face_left"] + frame["face_right"]) / 2
    frame["face_centre_y"] = (frame["face_top"] + frame["face_bottom"]) / 2
    frame["identity_sides"] = frame.groupby("identity")["split"].transform("nunique")
    frame["picture_sides"] = frame.groupby("pixel_sha256")["split"].transform("nunique")
    return frame


def totals(
    raw: pd.DataFrame, crops: pd.DataFrame, quarantined: int, attribute: str
) -> dict[str, int | float]:
    """Return the figures of the tables as a whole.

    Args:
        raw: See :func:`raw_frame`.
        crops: See :func:`crops_frame`.
        quarantined: Rows of the quarantine table.
        attribute: The protected attribute.

    Returns:
        Numbers of images and people, of images of either class on either side of the split, and
        of ``lost_images`` (neither crop nor in quarantine); shares from 0 to 1, 0 where there is
        nothing to share.
    """
    labels, split = crops[attribute], crops["split"]
    shares = [_share(int((labels == label).sum()), len(crops)) for label in (0, 1)]
    figures: dict[str, int | float] = {
        "raw_images": len(raw),
        "crops": len(crops),
        "quarantined": quarantined,
        "lost_images": len(raw) - len(crops) - quarantined,
        "detection_rate": _share(len(crops), len(raw)),
        "class_1_share": shares[1],
        "rarer_class_share": min(shares),
    }
    for side in ("train", "test"):
        figures[f"{side}_images"] = int((split == side).sum())
        figures[f"{side}_people"] = int(crops.loc[split == side, "identity"].nunique())
        for label in (0, 1):
            figures[f"{side}_class_{label}"] = int(((split == side) & (labels == label)).sum())
    return figures


def _columns(folder: Path, fixed: dict[str, Any]) -> pd.DataFrame:
    """Read the fixed columns, which must be there, and the attributes; not the images."""
    names = [name for name in fixed if name != "image"]
    return read_columns(folder, [*names, *attributes(folder)])


def _measures(content: bytes) -> dict[str, Any]:
    """Measure one picture; see :func:`crops_frame`."""
    try:
        picture = decode_rgb(content, "crop")
    except SanError:
        return {"readable": False}
    with Image.open(io.BytesIO(content)) as image:
        mode = image.mode  # decode_rgb hides it
    height, width, _ = picture.shape
    return {
        "readable": True,
        "height": height,
        "width": width,
        "mode": mode,
        "grey_std": float(to_grey(picture).std()),
        "pixel_sha256": hashlib.sha256(picture.tobytes()).hexdigest(),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
