"""The frames that are checked: a table's columns beside figures measured for the check.

Images are read shard by shard; a frame holds their measures only, so that it stays small beside
the table.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.tables import (
    CROP_COLUMNS,
    LANDMARKS,
    QUARANTINE_COLUMNS,
    RAW_COLUMNS,
    Reason,
    attributes,
    iterate_rows,
    read_columns,
)

RAW_MEASURES = ("places",)
"""What :func:`compare` adds to the raw table."""
PICTURE_MEASURES = ("readable", "height", "width", "mode", "grey_std", "pixel_sha256")
FACE_MEASURES = ("face_width", "face_height", "face_centre_x", "face_centre_y")
LANDMARK_MEASURES = ("landmarks_least", "landmarks_greatest", "eye_distance")
SIDE_COUNTS = ("identity_sides", "picture_sides")
CROP_MEASURES = (
    *PICTURE_MEASURES,
    *FACE_MEASURES,
    *LANDMARK_MEASURES,
    *SIDE_COUNTS,
    "as_in_raw",
)
"""What :func:`crops_frame` and :func:`compare` add to the crops."""
QUARANTINE_MEASURES = ("as_in_raw",)
"""What :func:`compare` adds to the quarantine."""

NOT_SEARCHED = (Reason.UNREADABLE, Reason.TOO_LARGE, Reason.TOO_SMALL, Reason.DUPLICATE)
"""Reasons that have nothing to do with the detector: such images do not count against it."""


def raw_frame(folder: Path) -> pd.DataFrame:
    """Return the raw table without its images.

    Raises:
        SanError: If the folder holds no table, lacks a column or a file is damaged.
    """
    return _columns(folder, RAW_COLUMNS)


def quarantine_frame(folder: Path) -> pd.DataFrame:
    """Return the quarantine table.

    Raises:
        SanError: See :func:`raw_frame`.
    """
    return _columns(folder, QUARANTINE_COLUMNS)


def crops_frame(folder: Path, observer: Observer = SILENT) -> pd.DataFrame:
    """Return the crops table with measures in place of the images.

    The measures of the picture: ``readable`` (it decodes), ``height`` and ``width`` in pixels,
    ``mode`` (Pillow's; "RGB" is three channels of eight bits), ``grey_std`` (standard deviation
    of the grey pixels, 0 to 255) and ``pixel_sha256`` (digest of the decoded pixels). Of the face
    box: ``face_width``, ``face_height``, ``face_centre_x`` and ``face_centre_y`` in pixels of the
    crop. Of the landmarks likewise: ``landmarks_least`` and ``landmarks_greatest``, the extremes of
    their ten coordinates (empty if one is missing), and ``eye_distance``. Of the split:
    ``identity_sides`` and ``picture_sides``, the number of sides on which the same identity or the
    same picture is found.

    Raises:
        SanError: See :func:`raw_frame`.
    """
    frame = _columns(folder, CROP_COLUMNS)
    measures = list(observed(_all_measures(folder), "check crops", len(frame), observer))
    frame[list(PICTURE_MEASURES)] = pd.DataFrame(measures, columns=list(PICTURE_MEASURES))
    frame["face_width"] = frame["face_right"] - frame["face_left"]
    frame["face_height"] = frame["face_bottom"] - frame["face_top"]
    frame["face_centre_x"] = (frame["face_left"] + frame["face_right"]) / 2
    frame["face_centre_y"] = (frame["face_top"] + frame["face_bottom"]) / 2
    frame[list(LANDMARK_MEASURES)] = _landmark_measures(frame)
    frame["identity_sides"] = frame.groupby("identity")["split"].transform("nunique")
    frame["picture_sides"] = frame.groupby("pixel_sha256")["split"].transform("nunique")
    return frame


def compare(raw: pd.DataFrame, crops: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    """Add to each frame how it agrees with the others, image by image.

    To the raw frame ``places``: how often an image is found among crops and quarantine together,
    once if nothing is lost. To the other two ``as_in_raw``: the raw table has an image of that id,
    with the same values in all columns that both have.
    """
    places = pd.concat([crops["image_id"], quarantine["image_id"]]).value_counts()
    raw["places"] = raw["image_id"].map(places).fillna(0).astype("int64")
    for frame in (crops, quarantine):
        frame["as_in_raw"] = _as_in(raw, frame)


def totals(
    raw: pd.DataFrame, crops: pd.DataFrame, quarantine: pd.DataFrame, attribute: str
) -> dict[str, int | float]:
    """Return the figures of the tables as a whole.

    Args:
        raw: See :func:`raw_frame`.
        crops: See :func:`crops_frame`.
        quarantine: See :func:`quarantine_frame`.
        attribute: The protected attribute.

    Returns:
        Numbers of images and people, and of images of either class on either side of the split;
        shares from 0 to 1, 0 where there is nothing to share. The ``detection_rate`` is the share
        of the images with a face among those that the detector could judge: unreadable, too large
        or too small images and second copies do not count.
    """
    labels, split, reasons = crops[attribute], crops["split"], quarantine["reason"]
    shares = [_share(int((labels == label).sum()), len(crops)) for label in (0, 1)]
    searched = len(raw) - int(reasons.isin(NOT_SEARCHED).sum())
    missed = int((reasons == Reason.NO_FACE).sum())
    figures: dict[str, int | float] = {
        "raw_images": len(raw),
        "crops": len(crops),
        "quarantined": len(quarantine),
        "detection_rate": _share(searched - missed, searched),
        "class_1_share": shares[1],
        "rarer_class_share": min(shares),
    }
    for side in ("train", "test"):
        figures[f"{side}_images"] = int((split == side).sum())
        figures[f"{side}_people"] = int(crops.loc[split == side, "identity"].nunique())
        for label in (0, 1):
            figures[f"{side}_class_{label}"] = int(((split == side) & (labels == label)).sum())
    return figures


def _columns(folder: Path, fixed: Mapping[str, Any]) -> pd.DataFrame:
    """Read the fixed columns, which must be there, and the attributes; not the images."""
    names = [name for name in fixed if name != "image"]
    return read_columns(folder, [*names, *attributes(folder)])


def _as_in(raw: pd.DataFrame, frame: pd.DataFrame) -> "pd.Series[bool]":
    """Tell of each row whether the raw table has it, with the same values."""
    shared = [name for name in frame.columns if name in raw.columns and name != "image_id"]
    known = raw.drop_duplicates("image_id").set_index("image_id")[shared]
    wanted = known.reindex(frame["image_id"]).set_axis(frame.index)
    mine = frame[shared]
    same = (mine == wanted) | (mine.isna() & wanted.isna())
    return frame["image_id"].isin(known.index) & same.all(axis=1)


def _all_measures(folder: Path) -> Iterator[dict[str, Any]]:
    """Measure all pictures in order, on all cores; a few are in memory at a time."""
    workers = len(os.sched_getaffinity(0))
    images = (row["image"] or b"" for row in iterate_rows(folder, ["image"]))
    with ThreadPoolExecutor(workers) as threads:
        while some := list(islice(images, 16 * workers)):
            yield from threads.map(_measures, some)


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
        "grey_std": float(np.std(to_grey(picture))),
        "pixel_sha256": hashlib.sha256(picture.tobytes()).hexdigest(),
    }


def _landmark_measures(frame: pd.DataFrame) -> NDArray[np.float32]:
    """Measure the landmarks of all crops; see :func:`crops_frame`."""
    points = frame[list(LANDMARKS)].to_numpy(dtype=np.float32).reshape(-1, 5, 2)
    left_eye, right_eye = points[:, 0:2].mean(axis=1), points[:, 2:4].mean(axis=1)
    distance = np.linalg.norm(left_eye - right_eye, axis=1)
    return np.stack([points.min(axis=(1, 2)), points.max(axis=(1, 2)), distance], axis=1)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
