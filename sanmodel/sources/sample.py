"""The embedded sample of synthetic faces: ``labels.csv`` beside a folder of photos."""

from pathlib import Path

import pandas as pd

from sanmodel.sources import SOURCES, Source
from sanmodel.sources.labels import read_labels


def list_sample(folder: Path) -> pd.DataFrame:
    """List the images of ``labels.csv``; see :func:`sanmodel.sources.labels.read_labels`."""
    return read_labels(folder, images="photos")


SAMPLE = SOURCES.register("sample")(
    Source(
        title="Embedded sample of synthetic faces",
        terms="CC0 1.0: free for any use. It shows that every part works and nothing about people.",
        citation="none needed",
        homepage="",
        layout=("labels.csv", "photos/000000.jpg ..."),
        columns="Male, Smiling, Young",
        list_images=list_sample,
        images=700,
        folder="data/sample",
    )
)
