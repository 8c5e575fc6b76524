"""``faces.csv``: what was done with every face; a run that was interrupted goes on from it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sanmodel.files import write_text
from sanmodel.photos.inputs import Job

FILE = "faces.csv"


@dataclass(frozen=True)
class Entry:
    """A face of a photo, or a photo of which nothing came.

    Attributes:
        photo: The photo's or video's file.
        state: Size and time of the file when it was read, and what the run was asked for.
        face: Number of the face in the photo, from 1, the largest first; 0 if there is none.
        left: Left edge of its box, in pixels of the upright photo.
        top: Likewise.
        right: Likewise.
        bottom: Likewise.
        attribute: Its class, in words.
        confidence: Probability of the class; empty if the user told it.
        mode: Place of the prototype that it was perturbed with, 0 to 1.
        output: The file that was written; empty if none was.
        note: What a reader must know besides.
    """

    photo: str
    state: str
    face: int = 0
    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0
    attribute: str = ""
    confidence: str = ""
    mode: str = ""
    output: str = ""
    note: str = ""


COLUMNS = tuple(field.name for field in fields(Entry))


class Record:
    """The file of an output folder, appended to as photos are done.

    Args:
        folder: The output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._folder = folder / FILE, folder
        self._rows = _readable(self._path)
        self._known = {row["photo"] for row in self._rows}
        self._again: set[str] = set()

    def is_done(self, job: Job, state: str) -> bool:
        """Tell whether a photo was done before, and its outputs are still there."""
        outputs = [
            row["output"]
            for row in self._rows
            if row["photo"] == str(job.source) and row["state"] == state
        ]
        return bool(outputs) and all(
            output and (self._folder / output).is_file() for output in outputs
        )

    def begin(self, jobs: Iterable[Job]) -> None:
        """Drop what is damaged, and what failed and is tried again.

        What was done stays until its photo is done again: it may fail this time.
        """
        again = {str(job.source) for job in jobs}
        self._rows = [row for row in self._rows if row["output"] or row["photo"] not in again]
        write_text(self._path, _text(self._rows, header=True))

    def add(self, entries: Sequence[Entry]) -> None:
        """Append what was done with a photo."""
        self._again |= {one.photo for one in entries if one.output} & self._known
        rows = [{name: str(value) for name, value in asdict(one).items()} for one in entries]
        with self._path.open("a", encoding="utf-8", newline="") as stream:
            stream.write(_text(rows, header=False))

    def end(self) -> None:
        """Drop what was known before of photos that were done again."""
        if self._again:
            new = _readable(self._path)[len(self._rows) :]
            old = [row for row in self._rows if row["photo"] not in self._again]
            write_text(self._path, _text([*old, *new], header=True))


def state_of(path: Path, asked: str) -> str:
    """Return what must be the same for a photo to be done already.

    Args:
        path: The photo.
        asked: What the run was asked for.
    """
    try:
        told = path.stat()
    except OSError:
        return asked
    return f"{told.st_size} {told.st_mtime_ns} {asked}"


def _readable(path: Path) -> list[Mapping[str, str]]:
    """Return the whole rows of a file; the last one may be cut short."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    return [row for row in rows if None not in row and None not in row.values()]


def _text(rows: Iterable[Mapping[str, str]], header: bool) -> str:
    """Return rows as CSV."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
