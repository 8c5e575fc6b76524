"""What a training has to say to MLflow, kept on disk until MLflow has taken it.

A run is a folder of numbered items, each written whole. What is sent and taken is deleted, what is
not stays: nothing is lost when the server is away, slow or restarted, or when the process dies.
Every item carries the time at which it was made, so that sending it twice leaves it there once.
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.files import atomic_file, read_json, write_json
from sanmodel.paths import Paths

OPENED, OWNER, COUNTER = "opened.json", "owner.json", "counter.json"


@dataclass(frozen=True)
class Spool:
    """The items of one run.

    Attributes:
        folder: Where they lie; its name is the run's until MLflow gives it one.
    """

    folder: Path

    @property
    def name(self) -> str:
        """What tells the run from others before MLflow knows it."""
        return self.folder.name

    @property
    def run_id(self) -> str | None:
        """The run in MLflow, if it has been opened."""
        return str(read_json(self.folder / OPENED)["run_id"]) if self.is_opened else None

    @property
    def is_opened(self) -> bool:
        """Whether MLflow has the run."""
        return (self.folder / OPENED).exists()

    def note_run(self, run_id: str) -> None:
        """Note which run MLflow made."""
        write_json(self.folder / OPENED, {"run_id": run_id})

    def add(self, kind: str, content: Mapping[str, Any]) -> None:
        """Keep an item behind those that are there."""
        counter = self.folder / COUNTER
        number = 1 + (read_json(counter) if counter.exists() else 0)
        write_json(counter, number)  # first: a number that is left out does no harm
        write_json(self.folder / f"{number:09}.json", {"kind": kind, **content})

    def add_picture(self, content: Mapping[str, Any], array: NDArray[np.uint8]) -> None:
        """Keep a picture and what it is of."""
        file = f"{uuid.uuid4().hex}.png"
        with atomic_file(self.folder / file) as partial:
            Image.fromarray(array).save(partial, format="PNG")
        self.add("picture", {**content, "file": file})

    def picture(self, file: str) -> NDArray[np.uint8]:
        """Return a picture."""
        with Image.open(self.folder / file) as picture:
            return np.asarray(picture)

    def items(self) -> list[Path]:
        """Return what waits, in order."""
        return sorted(path for path in self.folder.glob("*.json") if path.stem.isdigit())

    def taken(self, item: Path) -> None:
        """Delete an item that MLflow has taken."""
        file = read_json(item).get("file")
        item.unlink()
        if file:
            (self.folder / file).unlink(missing_ok=True)

    def leave(self) -> None:
        """Note that nothing more is written to it."""
        write_json(self.folder / OWNER, {"process": None})

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_written(self) -> bool:
        """Whether the training that writes it still runs."""
        owner = read_json(self.folder / OWNER)
        if owner["process"] is None:
            return False
        try:
            return bool(psutil.Process(owner["process"]).create_time() == owner["since"])
        except psutil.Error:
            return False


def new_spool(paths: Paths) -> Spool:
    """Make an empty spool that this process writes."""
    spool = Spool(_folder(paths) / uuid.uuid4().hex)
    process = os.getpid()
    since = psutil.Process(process).create_time()
    write_json(spool.folder / OWNER, {"process": process, "since": since})
    return spool


def waiting(paths: Paths) -> Iterator[Spool]:
    """Yield the spools that no training writes any more, the oldest first."""
    folders = [path for path in _folder(paths).glob("*") if (path / OWNER).exists()]
    for folder in sorted(folders, key=lambda path: (path / OWNER).stat().st_mtime):
        spool = Spool(folder)
        try:
            written = spool.is_written
        except (SanError, KeyError):
            written = False
        if not written:
            yield spool


def _folder(paths: Paths) -> Path:
    return paths.scratch / "spool"
