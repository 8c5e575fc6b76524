"""The embedded sample of synthetic faces: ``labels.csv`` beside a folder of photos."""

from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES


@SOURCES.register("sample")
def list_sample(folder: Path) -> pd.DataFrame:
    """List the images of ``labels.csv`` (columns image, identity, then attributes).

    Raises:
        SanError: If the file is missing, malformed or lacks a column.
    """
    path = folder / "labels.csv"
    try:
        table = pd.read_csv(path, dtype={"image": str, "identity": str})
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: set fetch.folder to a folder that has it") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise SanError(f"{path} is not a CSV table: {error}") from error
    for column in ("image", "identity"):
        if column not in table.columns:
            raise SanError(f"{path} lacks the column {column!r}: add it")
    attributes = table.drop(columns=["image", "identity"])
    return pd.DataFrame(
        {
            "image_id": table["image"].map(lambda name: Path(str(name)).stem),
            "identity": table["identity"],
            "source_path": "photos/" + table["image"],
            "partition": None,
        }
    ).join(attributes)
