"""All shards together: duplicates are found, and the tables of crops and quarantine written.

Only small columns of all images are ever in one place; images are copied by the workers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.parallel.shards import written_whole
from sanmodel.tables import (
    CROP_COLUMNS,
    QUARANTINE_COLUMNS,
    PartWriter,
    Reason,
    TableWriter,
    part_path,
    read_part,
    table_schema,
)

SMALL = ("image_id", "identity", "source_path", "reason", "detail", "picture")


@dataclass(frozen=True)
class Part:
    """One file of the crops table, to be copied from shards.

    Attributes:
        path: The file.
        takes: Shard files with the numbers of the rows that are taken from each, in order.
        split: "train" or "test" for each row.
    """

    path: Path
    takes: tuple[tuple[Path, tuple[int, ...]], ...]
    split: tuple[str, ...]

    def __str__(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class WritePart:
    """Writes one file of the crops table; runs on a worker.

    Attributes:
        attributes: Attribute columns of the table.
    """

    attributes: tuple[str, ...]

    def __call__(self, part: Part) -> int:
        """Return the number of rows that were written."""
        sides, columns = iter(part.split), table_schema(CROP_COLUMNS, self.attributes)
        with written_whole(part.path) as partial, PartWriter(partial, columns) as writer:
            for path, numbers in part.takes:
                table = read_part(path).take(list(numbers))
                for row in table.to_pylist():
                    writer.add({**row, "split": next(sides)})
        return len(part.split)


def read_verdicts(files: Sequence[Path]) -> pd.DataFrame:
    """Return what the shards say about each image, in the order of the raw table.

    Returns:
        Columns ``SMALL`` of all rows, ``file`` and ``row`` (where the row lies), with duplicates
        marked, see :func:`mark_duplicates`.
    """
    frames = []
    for number, path in enumerate(files):
        frame: pd.DataFrame = read_part(path, list(SMALL)).to_pandas()
        frames.append(frame.assign(file=np.int32(number), row=np.arange(len(frame), dtype="int32")))
    return mark_duplicates(pd.concat(frames, ignore_index=True))


def mark_duplicates(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Set aside every image whose crop has the same pixels as an earlier one's.

    Under two names a picture would stand on both sides of the split, or be an easy genuine pair
    of itself. The first in the order of the table stays.
    """
    crops = verdicts[verdicts["reason"].isna()]
    codes, _ = pd.factorize(crops["picture"])
    _, first = np.unique(codes, return_index=True)
    kept = first[codes]
    copy = kept != np.arange(len(crops))
    originals = crops.iloc[kept[copy]]
    copies = crops.index[copy]
    marked = verdicts.copy()
    marked.loc[copies, "reason"] = Reason.DUPLICATE.value
    marked.loc[copies, "detail"] = [
        f"the crop has the same pixels as that of {image_id} ({path}), identity {identity}"
        for image_id, path, identity in zip(
            originals["image_id"], originals["source_path"], originals["identity"], strict=True
        )
    ]
    return marked


def plan_parts(
    verdicts: pd.DataFrame,
    split: "pd.Series[str]",
    files: Sequence[Path],
    folder: Path,
    shard_rows: int,
) -> list[Part]:
    """Divide the crops among the files of their table.

    Args:
        verdicts: See :func:`read_verdicts`.
        split: "train" or "test" for each row of ``verdicts``.
        files: Of the shards.
        folder: Of the table.
        shard_rows: Rows per file.
    """
    kept = verdicts["reason"].isna().to_numpy()
    file, row = (verdicts.loc[kept, name].to_numpy() for name in ("file", "row"))
    sides = split.to_numpy()[kept]
    starts = range(0, max(len(row), 1), shard_rows)
    return [
        Part(
            part_path(folder, number),
            tuple(_takes(file[start:][:shard_rows], row[start:][:shard_rows], files)),
            tuple(sides[start:][:shard_rows]),
        )
        for number, start in enumerate(starts)
    ]


def write_quarantine(verdicts: pd.DataFrame, folder: Path) -> int:
    """Write the table of the images that were set aside; return their number."""
    aside = verdicts[verdicts["reason"].notna()]
    with TableWriter(folder, QUARANTINE_COLUMNS, shard_rows=100_000) as writer:
        for row in aside[list(QUARANTINE_COLUMNS)].to_dict("records"):
            writer.add({str(name): value for name, value in row.items()})
    return len(aside)


def _takes(
    file: NDArray[np.int32], row: NDArray[np.int32], files: Sequence[Path]
) -> Iterator[tuple[Path, tuple[int, ...]]]:
    for number in np.unique(file):
        yield files[number], tuple(row[file == number].tolist())
