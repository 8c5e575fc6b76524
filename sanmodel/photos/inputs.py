"""What a user names on the command line becomes jobs: photos, folders, patterns, videos, tables."""

import csv
import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sanmodel.errors import SanError

PHOTOS = frozenset(
    "avif bmp gif j2k jp2 jpeg jpg pbm pgm png pnm ppm tif tiff webp".split()  # noqa: SIM905
)
"""Endings of the files of a folder that are taken for photos."""

VIDEOS = frozenset(("avi", "m4v", "mkv", "mov", "mp4", "webm"))

COLUMN, CLASS = "photo", "attribute"
"""Columns of a table of photos; the second may be missing or empty."""


@dataclass(frozen=True)
class Job:
    """One photo or video.

    Attributes:
        source: The file.
        name: Path of its output below the output folder, without an ending.
        word: Class of its faces, in the user's word; None if the command says it.
    """

    source: Path
    name: Path
    word: str | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is a video."""
        return _ending(self.source) in VIDEOS


def jobs_of(arguments: Iterable[str]) -> list[Job]:
    """Return all photos and videos that arguments name, each once, in their order.

    Args:
        arguments: Files; folders, with all photos and videos below them; patterns such as
            ``photos/**/*.jpg``; CSV files with the column ``photo``, whose paths count from the
            table's folder, and perhaps ``attribute``.

    Raises:
        SanError: If one leads to nothing, or a table is damaged.
    """
    found = (job for argument in arguments for job in _of(argument))
    first: dict[Path, Job] = {}
    for job in found:
        first.setdefault(job.source.absolute(), job)
    return list(first.values())


def _of(argument: str) -> Iterator[Job]:
    path = Path(argument)
    if path.is_dir():
        yield from _of_folder(path)
    elif path.suffix.lower() == ".csv" and path.is_file():
        yield from _of_table(path)
    elif glob.has_magic(argument) and not path.exists():
        yield from _of_pattern(argument)
    else:  # a file that is missing is a photo that fails
        yield Job(path, Path(path.stem))


def _of_folder(folder: Path) -> Iterator[Job]:
    paths = sorted(path for path in folder.rglob("*") if _ending(path) in PHOTOS | VIDEOS)
    if not paths:
        raise SanError(f"{folder} holds no photo: name a folder with image files in it")
    for path in paths:
        yield Job(path, path.relative_to(folder).with_suffix(""))


def _of_pattern(pattern: str) -> Iterator[Job]:
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207, it takes absolute patterns
    paths = sorted(Path(name) for name in names)
    files = [path for path in paths if path.is_file()]
    if not files:
        raise SanError(f"no file matches {pattern}: check the pattern")
    for path in files:
        yield Job(path, Path(path.stem))


def _of_table(table: Path) -> Iterator[Job]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SanError(f"{table} cannot be read as a table ({error}): save it as CSV") from error
    if not rows or COLUMN not in rows[0]:
        raise SanError(f"{table} has no column {COLUMN}, or no row: name a photo in each row")
    for number, row in enumerate(rows, start=2):
        if not row[COLUMN]:
            raise SanError(f"{table}, line {number}, names no photo: fill it in or remove it")
        path = Path(row[COLUMN])
        # Beside the folder of the table there is no name for an output.
        below = path if not path.is_absolute() and ".." not in path.parts else Path(path.name)
        yield Job(table.parent / path, below.with_suffix(""), row.get(CLASS) or None)


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
