"""The Parquet tables: image bytes and columns together, in shards.

A table is a folder of ``part-NNNNN.parquet`` files, so that 200,000 images are a few hundred
files; a file is made of row groups, which many workers read one each.

Besides the fixed columns of its schema a table has one int8 column per attribute (1 = has
it, 0 = has it not).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sanmodel.errors import SanError

RAW_COLUMNS: dict[str, pa.DataType] = {
    "image_id": pa.string(),  # unique in the table
    "identity": pa.string(),  # who is shown
    "source_path": pa.string(),  # file that the bytes came from, relative to the source's folder
    # The following are null where the source does not give them.
    "partition": pa.int8(),  # the source's own split, 2 = test
    "condition": pa.string(),  # the source's word for session, pose, illumination or occlusion
    "occluded": pa.bool_(),  # sunglasses, scarf or the like hide a part of the face
    "box_left": pa.float32(),  # the face box in pixels of the photo as it is stored
    "box_top": pa.float32(),
    "box_right": pa.float32(),
    "box_bottom": pa.float32(),
    "image": pa.binary(),  # the file's bytes as they were found, perhaps no image at all
}
LANDMARKS = tuple(
    f"{point}_{axis}"
    for point in ("left_eye_outer", "left_eye_inner", "right_eye_outer", "right_eye_inner", "nose")
    for axis in ("x", "y")
)
"""Columns of the five landmarks of a face (:mod:`sanmodel.detection.landmarks`), point by point.

The left eye is the person's, on the right of the picture.
"""

CROP_COLUMNS: dict[str, pa.DataType] = {
    "image_id": pa.string(),
    "identity": pa.string(),
    "source_path": pa.string(),  # of the raw table, like the next two
    "condition": pa.string(),
    "occluded": pa.bool_(),
    "split": pa.string(),  # "train" or "test"
    "score": pa.float32(),  # the detector's
    "crop_left": pa.float32(),  # the square crop in pixels of the upright photo
    "crop_top": pa.float32(),
    "crop_side": pa.float32(),
    "face_left": pa.float32(),  # the face box in pixels of the crop
    "face_top": pa.float32(),
    "face_right": pa.float32(),
    "face_bottom": pa.float32(),
    **dict.fromkeys(LANDMARKS, pa.float32()),  # in pixels of the crop, found on its grey picture
    "perceptual_hash": pa.int64(),  # 64 bits, of which few differ in pictures that look alike
    "image": pa.binary(),  # PNG, 224x224 RGB
}
QUARANTINE_COLUMNS: dict[str, pa.DataType] = {
    "image_id": pa.string(),
    "identity": pa.string(),
    "source_path": pa.string(),
    "reason": pa.string(),  # one of Reason
    "detail": pa.string(),  # a sentence, for example which image it is a copy of
}
FIXED_COLUMNS = {*RAW_COLUMNS, *CROP_COLUMNS, *QUARANTINE_COLUMNS}

GROUP_ROWS = 64
"""Rows of a row group: what is held in memory when a table is written, and the least that one
worker takes on."""

BATCH_ROWS = 4
"""Rows that are in memory at a time when a row group is read."""

BUFFER = 1 << 20
"""Bytes of a column that are read ahead."""

Row = Mapping[str, Any]


class Reason(StrEnum):
    """Why an image was set aside."""

    UNREADABLE = "unreadable"  # not an image, damaged, or of a kind that is not read right
    TOO_LARGE = "too large"
    TOO_SMALL = "too small"
    NO_FACE = "no face"
    SEVERAL_FACES = "several faces"  # of about equal size, and no word of the source which to take
    DUPLICATE = "duplicate"  # shows the same pixels as another image, which is kept


@dataclass(frozen=True)
class RowGroup:
    """A run of rows of one file that is read without the rest.

    Attributes:
        path: The file.
        index: Number of the group in the file.
        first: Number of its first row in the file.
        rows: Number of its rows.
    """

    path: Path
    index: int
    first: int
    rows: int

    def __str__(self) -> str:
        return f"rows {self.first} to {self.first + self.rows - 1} of {self.path}"


class PartWriter:
    """Writes rows to one Parquet file, a row group at a time; use it as a context manager.

    Args:
        path: The file.
        schema: Its columns.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._rows: list[Row] = []
        plain = [name for name in schema.names if name != "image"]
        self._file = pq.ParquetWriter(
            path,
            schema,
            # The images are compressed already; only the columns beside them gain.
            compression={name: "none" if name == "image" else "zstd" for name in schema.names},
            use_dictionary=plain,
            # Pages end between any two rows, so that large images are read one after the other.
            write_batch_size=1,
        )

    def add(self, row: Row) -> None:
        """Append one row; columns that the schema has not are left out."""
        self._rows.append(row)
        if len(self._rows) == GROUP_ROWS:
            self._flush()

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._rows:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        rows = [dict(row) for row in self._rows]
        self._file.write_table(pa.Table.from_pylist(rows, schema=self._file.schema))
        self._rows = []


class TableWriter:
    """Writes rows to shards of a folder; use it as a context manager.

    Args:
        folder: An existing, empty folder.
        columns: The fixed columns of the table.
        attributes: Names of the attribute columns.
        shard_rows: Rows per file.
    """

    def __init__(
        self,
        folder: Path,
        columns: Mapping[str, pa.DataType],
        attributes: Sequence[str] = (),
        shard_rows: int = 512,
    ) -> None:
        self.schema = table_schema(columns, attributes)
        self._folder, self._shard_rows = folder, shard_rows
        self._part: PartWriter | None = None
        self._rows = 0

    def add(self, row: Row) -> None:
        """Append one row; a new file begins after every ``shard_rows``."""
        if self._part is None or self._rows % self._shard_rows == 0:
            self._next_part()
        assert self._part is not None
        self._part.add(row)
        self._rows += 1

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An empty table still has one file, which carries its columns.
        if self._part is None and error is None:
            self._next_part()
        if self._part is not None:
            self._part.__exit__()

    def _next_part(self) -> None:
        if self._part is not None:
            self._part.__exit__()
        path = part_path(self._folder, self._rows // self._shard_rows)
        self._part = PartWriter(path, self.schema)


def table_schema(columns: Mapping[str, pa.DataType], attributes: Sequence[str]) -> pa.Schema:
    """Return the columns of a table in order: the fixed ones, then one per attribute."""
    return pa.schema([*columns.items(), *((name, pa.int8()) for name in attributes)])


def part_path(folder: Path, number: int) -> Path:
    """Return where the file with that number lies, counted from 0."""
    return folder / f"part-{number:05d}.parquet"


def shards(folder: Path) -> list[Path]:
    """Return the files of a table in order.

    Raises:
        SanError: If the folder holds no table.
    """
    files = sorted(folder.glob("part-*.parquet"))
    if not files:
        raise SanError(f"{folder} holds no table: run `dvc repro` to make it")
    return files


def read_columns(folder: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table without its images (or just the named columns) into memory.

    Raises:
        SanError: If the folder holds no table or lacks a column.
    """
    wanted = columns or [name for name in schema(folder).names if name != "image"]
    frames: list[pd.DataFrame] = [read_part(path, wanted).to_pandas() for path in shards(folder)]
    return pd.concat(frames, ignore_index=True)


def iterate_rows(folder: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in order, one shard in memory at a time.

    Raises:
        SanError: If the folder holds no table, lacks a column or a file is damaged.
    """
    for path in shards(folder):
        yield from read_part(path, columns).to_pylist()


def row_groups(folder: Path) -> list[RowGroup]:
    """Return the row groups of a table in order, read from the files' footers.

    Raises:
        SanError: If the folder holds no table or a file is damaged.
    """
    return [group for path in shards(folder) for group in _groups_of(path)]


def iterate_group(group: RowGroup, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows of one row group, a few of them in memory at a time.

    Raises:
        SanError: If the file is damaged.
    """
    file = _explained(group.path, lambda path: pq.ParquetFile(path, buffer_size=BUFFER))
    with file:
        batches = file.iter_batches(BATCH_ROWS, [group.index], columns, use_threads=False)
        while (batch := _explained(group.path, lambda _: next(batches, None))) is not None:
            yield from batch.to_pylist()


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one file of a table, or just the named columns.

    Raises:
        SanError: If the file is damaged or lacks a column.
    """
    missing = set(columns or ()) - set(_explained(path, pq.read_schema).names)
    if missing:
        raise SanError(f"{path} lacks the column {', '.join(sorted(missing))}")
    return _explained(path, lambda p: pq.read_table(p, columns=columns, use_threads=False))


def landmarks_of(row: Row) -> NDArray[np.float32]:
    """Return the landmarks of a row of the crops table, (5, 2)."""
    return np.array([row[name] for name in LANDMARKS], dtype=np.float32).reshape(5, 2)


def schema(folder: Path) -> pa.Schema:
    """Return the columns of a table."""
    return _explained(shards(folder)[0], pq.read_schema)


def attributes(folder: Path) -> list[str]:
    """Return the names of a table's attribute columns."""
    return [name for name in schema(folder).names if name not in FIXED_COLUMNS]


def count_rows(folder: Path) -> int:
    """Return the number of rows of a table, read from the files' footers."""
    return sum(_explained(path, pq.read_metadata).num_rows for path in shards(folder))


def require_attribute(names: Iterable[str], attribute: str, origin: Path) -> None:
    """Check that a table has the attribute.

    Raises:
        SanError: If it has not; the message lists those that it has.
    """
    known = sorted(names)
    if attribute not in known:
        raise SanError(
            f"{origin} has no attribute {attribute!r}: set `attribute` in params.yaml to one of"
            f" {', '.join(known) or '(none)'}"
        )


def _groups_of(path: Path) -> Iterator[RowGroup]:
    footer, first = _explained(path, pq.read_metadata), 0
    for index in range(footer.num_row_groups):
        rows = footer.row_group(index).num_rows
        yield RowGroup(path, index, first, rows)
        first += rows


def _explained(path: Path, read: Any) -> Any:
    """Read a Parquet file and name it if it is damaged."""
    try:
        return read(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SanError(
            f"{path} is damaged ({error}): delete its folder and run `dvc repro`"
        ) from error
