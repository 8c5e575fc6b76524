"""What an earlier export shows, and whether that is still what is evaluated."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange.writing import (
    GALLERY,
    MANIFEST,
    MANIFEST_COLUMNS,
    PAIR_COLUMNS,
    PAIRS,
    choose_pairs,
    image_file,
)
from sanmodel.evaluation.outputs import Images
from sanmodel.evaluation.pairs import Integers
from sanmodel.images import decode_rgb

LOOKED_AT = 64
"""Images whose pixels tell whether an export is still that of the model."""

ROUNDING = 2
"""Grey levels by which the outputs of one model may differ between machines."""


@dataclass(frozen=True)
class Exchange:
    """Test images that were exported.

    Attributes:
        folder: Where they lie.
        image_ids: Names, (N,).
        people: Number of the person that each shows, (N,).
        variants: Names of the variants.
        pairs: Places of the probe and of the gallery image of each pair, (P, 2), 0 to N - 1; the
            same for every variant of the probes.
    """

    folder: Path
    image_ids: NDArray[np.object_]
    people: Integers
    variants: tuple[str, ...]
    pairs: Integers

    @property
    def files(self) -> list[str]:
        """Names of all images, variant by variant, in the folder."""
        return [
            image_file(variant, i) for variant in self.variants for i in range(len(self.people))
        ]


def read_exchange(folder: Path) -> Exchange:
    """Read the lists of an export.

    Raises:
        SanError: If one is missing or damaged.
    """
    mend = _export_mend(folder)
    images = [row for _, row in table_rows(folder / MANIFEST, MANIFEST_COLUMNS, mend)]
    pairs = [names for _, names in table_rows(folder / PAIRS, PAIR_COLUMNS, mend)]
    try:
        return _parsed(folder, images, pairs)
    except (ValueError, LookupError) as error:
        raise SanError(f"{MANIFEST} or {PAIRS} in {folder} was changed: {mend}") from error


def require_current(
    exchange: Exchange,
    image_ids: NDArray[np.object_],
    people: Integers,
    matched: NDArray[np.bool_],
    variants: Mapping[str, Images],
    seed: int,
) -> None:
    """Check that an export shows what is evaluated, so that no old score is taken for a new one.

    Of ``LOOKED_AT`` images, spread over all, the pixels are compared; of the pairs all.

    Args:
        exchange: What was exported.
        image_ids: Names of the test images, (N,).
        people: Number of the person that each shows, (N,).
        matched: Which take part in matching, (N,).
        variants: By name the grey images, (N, 224, 224).
        seed: With which impostor pairs are drawn.

    Raises:
        SanError: If the images, the pairs or the model are others by now, or an exported file is
            missing.
    """
    same = np.array_equal(exchange.image_ids, image_ids) and set(exchange.variants) == set(variants)
    pairs = choose_pairs(people, matched, seed)
    count = len(people)
    same = same and np.array_equal(_cells(exchange.pairs, count), _cells(pairs, count))
    places = np.unique(np.linspace(0, len(image_ids) - 1, LOOKED_AT).astype(np.int64))
    for variant in exchange.variants if same else ():
        for place in places.tolist():
            exported = _exported(exchange.folder, image_file(variant, place)).astype(np.int64)
            difference = np.abs(exported - variants[variant][place])
            same = same and int(difference.max()) <= ROUNDING
    if not same:
        raise SanError(
            f"{exchange.folder} shows other images, pairs or outputs of another model than are"
            f" evaluated: {_export_mend(exchange.folder)} and have them scored anew"
        )


def _cells(pairs: Integers, images: int) -> Integers:
    """Return where pairs, (P, 2), stand in the matrix of all images, ascending."""
    return np.sort(pairs[:, 0] * images + pairs[:, 1])


def table_rows(path: Path, columns: Sequence[str], mend: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the named columns of each row of a CSV table.

    Args:
        path: In UTF-8, with a header.
        columns: Names of columns.
        mend: What to do about a table that is missing or none.

    Raises:
        SanError: If the table is missing or none, lacks a column, or a row is too short or long.
    """
    with _explained(path, mend), path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = [name.strip() for name in next(reader, [])]
        _require_columns(path, header, columns, mend)
        places = [header.index(column) for column in columns]
        for row in filter(None, reader):
            if len(row) != len(header):
                raise SanError(
                    f"{path}, line {reader.line_num}, has {len(row)} values for"
                    f" {len(header)} columns: mend it"
                )
            yield reader.line_num, [row[place] for place in places]


def _parsed(folder: Path, images: list[list[str]], pairs: list[list[str]]) -> Exchange:
    """Turn the rows of both lists into what they say; ValueError or LookupError if it is odd."""
    variants = tuple(dict.fromkeys(row[3] for row in images))
    first = [row for row in images if row[3] == variants[0]]
    if not first or [row[0] for row in images] != [
        image_file(v, i) for v in variants for i in range(len(first))
    ]:
        raise ValueError("images are missing or in another order")
    numbers = {image_file(GALLERY, i): i for i in range(len(first))}
    places = [[numbers[name] for name in names] for names in pairs if names[0] in numbers]
    return Exchange(
        folder=folder,
        image_ids=np.array([row[1] for row in first], dtype=object),
        people=np.array([int(row[2]) for row in first], dtype=np.int64),
        variants=variants,
        pairs=np.array(places, dtype=np.int64).reshape(-1, 2),
    )


def _exported(folder: Path, name: str) -> Images:
    """Read an exported image, (224, 224)."""
    try:
        return decode_rgb((folder / name).read_bytes(), str(folder / name))[..., 0]
    except FileNotFoundError as error:
        raise SanError(f"{folder / name} is missing: {_export_mend(folder)}") from error


def _export_mend(folder: Path) -> str:
    return f"run `san evaluate --export-images {folder.parent}` again"


def _require_columns(path: Path, header: list[str], columns: Sequence[str], mend: str) -> None:
    if not header:
        raise SanError(f"{path} is empty: {mend}")
    if header[0].startswith("<"):
        raise SanError(f"{path} is a web page and no CSV table: {mend}")
    missing = [column for column in columns if column not in header]
    if missing:
        raise SanError(
            f"{path} lacks the column {', '.join(missing)}: its first line must name"
            f" {', '.join(columns)}, with commas between"
        )


@contextmanager
def _explained(path: Path, mend: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise SanError(f"{path} is missing: put it there, or {mend}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SanError(f"{path} is no CSV table in UTF-8 ({error}): {mend}") from error
