"""What must hold for the list of images of any source."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from sanmodel.errors import SanError
from sanmodel.tables import FIXED_COLUMNS, RAW_COLUMNS

LISTED = tuple(name for name in RAW_COLUMNS if name != "image")
"""Columns of a listing that are no attributes."""

BOX = ("box_left", "box_top", "box_right", "box_bottom")

NAMED = 5
"""Offenders that a message names; the rest is counted."""


def attribute_names(listing: pd.DataFrame) -> list[str]:
    """Return the columns of a listing that are attributes."""
    return [name for name in listing.columns if name not in LISTED]


def check_listing(listing: pd.DataFrame, folder: Path) -> None:
    """Check ids, labels, what is known of the faces, and files.

    Raises:
        SanError: If there is no image, an id is double, a person has no name, a label is not -1, 0
            or 1, an attribute has the name of a fixed column, a partition or box is impossible, or
            a file is missing or leads out of the folder.
    """
    if listing.empty:
        raise SanError(f"{folder} lists no image: set fetch.folder to a data set")
    _refuse(
        listing,
        listing["image_id"].duplicated(),
        folder,
        "has an earlier one's name (endings do not count): rename",
    )
    unnamed = listing["identity"].isna() | (listing["identity"] == "")
    _refuse(listing, unnamed, folder, "has no identity: complete its row")
    _check_labels(listing, folder)
    _check_faces(listing, folder)
    _check_files(listing, folder)


def _check_labels(listing: pd.DataFrame, folder: Path) -> None:
    for name in attribute_names(listing):
        if name in FIXED_COLUMNS:
            raise SanError(f"{folder}: an attribute must not be called {name!r}: rename the column")
        wrong = ~listing[name].isin([-1, 0, 1])
        _refuse(listing, wrong, folder, f"has a label of {name!r} outside -1, 0, 1: mend its row")


def _check_faces(listing: pd.DataFrame, folder: Path) -> None:
    """Check the columns that a source may leave out, where it does not."""
    for name, values in (("partition", [0, 1, 2]), ("occluded", [0, 1])):
        if name in listing:
            wrong = listing[name].notna() & ~listing[name].isin(values)
            told = f"has a value of {name!r} outside {', '.join(map(str, values))}: mend its row"
            _refuse(listing, wrong, folder, told)
    given = [name for name in BOX if name in listing]
    if not given:
        return
    if len(given) < len(BOX):
        raise SanError(f"{folder} has a part of the face box only: a box is {', '.join(BOX)}")
    box = listing[list(BOX)].apply(pd.to_numeric, errors="coerce")
    finite = np.isfinite(box).all(axis=1)
    right_way = (box["box_left"] < box["box_right"]) & (box["box_top"] < box["box_bottom"])
    wrong = ~(listing[list(BOX)].isna().all(axis=1) | (right_way & finite))
    _refuse(listing, wrong, folder, "has a face box that is no box: mend its row")


def _check_files(listing: pd.DataFrame, folder: Path) -> None:
    # Links are the owner's: photos may lie on another disk. Names are the table's.
    names = [PurePosixPath(path) for path in listing["source_path"]]
    outside = [name.is_absolute() or ".." in name.parts for name in names]
    told = "leads out of the folder: name files below it (a link to another disk will do)"
    _refuse(listing, pd.Series(outside), folder, told)
    there = [(folder / name).is_file() for name in names]
    _refuse(listing, ~pd.Series(there), folder, "is listed but missing: add the file or its row")


def _refuse(listing: pd.DataFrame, wrong: "pd.Series[bool]", folder: Path, what: str) -> None:
    """Raise an error that names the first files for which ``wrong`` holds."""
    paths = listing.loc[wrong.to_numpy(), "source_path"]
    if not paths.empty:
        raise SanError(f"{named(folder / path for path in paths)} {what}")


def named(things: Iterable[object]) -> str:
    """Name the first few of many things and count the rest."""
    names = [str(thing) for thing in things]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
