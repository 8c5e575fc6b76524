"""Data sources: each turns the files of one data set into one list of labelled images.

A new source is a new module here with a :class:`Source` that is registered in ``SOURCES``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from sanmodel.registry import Registry


@dataclass(frozen=True)
class SourceFile:
    """One file of a data set as its makers publish it.

    Attributes:
        path: Where it belongs, relative to the source's folder.
        size: Its bytes; null where nobody has published them.
        checksum: ``md5:...`` or ``sha256:...``; empty where nobody has published one.
        rows: Rows of an annotation list, without ``header`` lines at its top.
        header: Lines before the first row.
        drive_id: Its id on Google Drive.
        urls: Where else it is published, the best place first.
        page: Where a person finds it with a browser.
    """

    path: str
    size: int | None = None
    checksum: str = ""
    rows: int | None = None
    header: int = 0
    drive_id: str = ""
    urls: tuple[str, ...] = ()
    page: str = ""

    @property
    def name(self) -> str:
        """File name without folders: what a mirror calls it."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Archive:
    """An archive whose content becomes one folder.

    Attributes:
        parts: Its files, one or several volumes in order.
        into: Folder that it becomes, relative to the source's folder.
        images: JPEG files in it.
    """

    parts: tuple[SourceFile, ...]
    into: str
    images: int | None = None


Item = SourceFile | Archive


@dataclass(frozen=True)
class Source:
    """A data set: what it is, how its files are had, and how they are listed.

    Attributes:
        title: Its full name.
        terms: Licence, or on what terms it may be used.
        citation: Whom to cite.
        homepage: Where it is explained; empty for a user's own data.
        layout: How its folder looks, one line per file or folder.
        columns: What the raw table learns from it, in a sentence.
        list_images: Lists the images of a folder: columns ``image_id``, ``identity`` and
            ``source_path`` (relative to the folder), perhaps further columns of the raw table
            (``sanmodel.tables.RAW_COLUMNS``), then one column per attribute with labels -1, 0 or
            1. Raises SanError where the folder is not as it should be.
        read: Reads the bytes of one listed file.
        items: What ``san download`` puts in place.
        variants: Alternatives of which one is put in place too, the usual one first.
        images: Images of the complete data set.
        folder: Where ``san download`` puts it; empty for ``data/sources/<name>``.
    """

    title: str
    terms: str
    citation: str
    homepage: str
    layout: tuple[str, ...]
    columns: str
    list_images: Callable[[Path], pd.DataFrame]
    read: Callable[[Path], bytes] = Path.read_bytes
    items: tuple[Item, ...] = ()
    variants: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    images: int | None = None
    folder: str = ""


SOURCES: Registry[Source] = Registry("data source", __name__)


def default_folder(name: str) -> str:
    """Return where the files of a source lie, relative to the work tree, if nothing else is said.

    Raises:
        SanError: If there is no such source.
    """
    return SOURCES.get(name).folder or f"data/sources/{name}"
