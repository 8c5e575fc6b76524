"""A user's own photos: any folder with a ``labels.csv``."""

from pathlib import Path

import pandas as pd

from sanmodel.sources import SOURCES, Source
from sanmodel.sources.labels import read_labels


def list_folder(folder: Path) -> pd.DataFrame:
    """List the images of ``labels.csv``; see :func:`sanmodel.sources.labels.read_labels`."""
    return read_labels(folder)


FOLDER = SOURCES.register("folder")(
    Source(
        title="Your own folder of photos",
        terms="yours to know",
        citation="none",
        homepage="",
        layout=(
            "labels.csv   a CSV table with a header line:",
            "  image      path of the photo, relative to this folder (needed)",
            "  identity   who is shown: any word, the same for all photos of a person (needed)",
            "  partition, condition, occluded, box_left, box_top, box_right, box_bottom",
            "             as in the raw table (not needed)",
            "  others     attributes: 1 has it, 0 or -1 has it not",
            "the photos   anywhere below",
        ),
        columns="whatever the table has",
        list_images=list_folder,
    )
)
