"""Data sources: each turns the files of one data set into one list of labelled images.

A new source is a new module here with a function that is registered in ``SOURCES``.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sanmodel.registry import Registry

Source = Callable[[Path], pd.DataFrame]
"""Lists the images of a folder: columns ``image_id``, ``identity`` and ``source_path`` (relative to
the folder), perhaps further columns of the raw table (``sanmodel.tables.RAW_COLUMNS``), then one
column per attribute with labels -1, 0 or 1. Raises SanError where the folder is not as it should
be."""

SOURCES: Registry[Source] = Registry("data source", __name__)
