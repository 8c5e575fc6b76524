"""A list of images as a CSV table: what the sources ``folder`` and ``sample`` have in common."""

import warnings
from pathlib import Path, PurePosixPath

import pandas as pd

from sanmodel.errors import SanError

NAME = "labels.csv"


def read_labels(folder: Path, images: str = "") -> pd.DataFrame:
    """List the images of ``labels.csv`` (columns image, identity, perhaps others, attributes).

    Args:
        folder: Where the table lies.
        images: Folder that the names in the table are relative to, itself relative to ``folder``.

    Raises:
        SanError: If the file is missing, malformed or lacks a column or a name.
    """
    path = folder / NAME
    try:
        text = {"image": str, "identity": str, "condition": str}
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row that is too long
            table = pd.read_csv(path, dtype=text, index_col=False)
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: set fetch.folder to a folder that has it") from error
    except pd.errors.ParserWarning as error:
        raise SanError(f"{path} has rows with more values than columns: mend them") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise SanError(f"{path} is not a CSV table: {error}") from error
    for column in ("image", "identity"):
        if column not in table.columns:
            raise SanError(f"{path} lacks the column {column!r}: add it")
    for column in ("image_id", "source_path"):
        if column in table.columns:
            raise SanError(f"{path} must not have a column {column!r}: rename it")
    if table["image"].isna().any():
        line = int(table["image"].isna().to_numpy().argmax()) + 2
        raise SanError(f"{path}, line {line}, names no image: complete it")
    fixed = pd.DataFrame(
        {
            "image_id": [_without_suffix(name) for name in table["image"]],
            "identity": table["identity"],
            "source_path": [str(PurePosixPath(images, name)) for name in table["image"]],
        }
    )
    return fixed.join(table.drop(columns=["image", "identity"]))


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.parent / path.stem)
