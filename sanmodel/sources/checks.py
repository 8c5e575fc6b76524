"""What must hold for the list of images of any source."""

from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.tables import FIXED_COLUMNS, RAW_COLUMNS

LISTED = tuple(name for name in RAW_COLUMNS if name != "image")
"""Columns of a listing that are no attributes."""

NAMED = 5
"""Offenders that a message names; the rest is counted."""


def attribute_names(listing: pd.DataFrame) -> list[str]:
    """Return the columns of a listing that are attributes."""
    return [name for name in listing.columns if name not in LISTED]


def check_listing(listing: pd.DataFrame, folder: Path) -> None:
    """Check ids, labels and files.

    Raises:
        SanError: If there is no image, an id is double, a label is not -1, 0 or 1, an attribute
            has the name of a fixed column, or a file is missing or leads out of the folder.
    """
    if listing.empty:
        raise SanError(f"{folder} lists no image: set fetch.folder to a data set")
    _refuse(listing, listing["image_id"].duplicated(), folder, "has a name that is used twice")
    _check_labels(listing, folder)
    inside = [_inside(folder, path) for path in listing["source_path"]]
    _refuse(listing, ~pd.Series(inside), folder, "leads out of the folder")
    there = [(folder / path).is_file() for path in listing["source_path"]]
    _refuse(listing, ~pd.Series(there), folder, "is listed but missing: add the file or its row")


def _check_labels(listing: pd.DataFrame, folder: Path) -> None:
    for name in attribute_names(listing):
        if name in FIXED_COLUMNS:
            raise SanError(f"{folder}: an attribute must not be called {name!r}: rename the column")
        wrong = ~listing[name].isin([-1, 0, 1])
        _refuse(listing, wrong, folder, f"has a label of {name!r} outside -1, 0, 1: mend its row")


def _inside(folder: Path, path: str) -> bool:
    return (folder / path).resolve().is_relative_to(folder.resolve())


def _refuse(listing: pd.DataFrame, wrong: "pd.Series[bool]", folder: Path, what: str) -> None:
    """Raise an error that names the first files for which ``wrong`` holds."""
    paths = listing.loc[wrong.to_numpy(), "source_path"]
    if paths.empty:
        return
    names = ", ".join(str(folder / path) for path in paths[:NAMED])
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    raise SanError(f"{names}{more} {what}")
