"""What networks said of images before: the same image is never shown to the same network twice.

The answers lie in one SQLite file, by the hash of all that they depend on: image, box, network and
the code of this package, which cuts faces out for it. Answers of other code are deleted. Several
runs may use the file at a time, and it is safe to delete.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError

Ask = Callable[[NDArray[np.uint8], NDArray[np.float64]], NDArray[np.float64]]
"""Shows a network images (B, 224, 224) with face boxes (B, 4); returns (B,) or (B, d). What
compares images sees several at a time, (B, several, 224, 224)."""

TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, value BLOB NOT NULL)"

PATIENCE = 60.0
"""Seconds to wait for another run that writes."""


class Answers:
    """Answers of networks, kept from run to run.

    Args:
        path: The file; made if it is missing, and made anew if it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._prepare()

    def of(
        self, network: str, ask: Ask, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return a network's answers, asking only for images that it was not shown before.

        Args:
            network: Its name with all versions that its answers depend on.
            ask: Shows it images.
            images: (B, 224, 224), B at least 1.
            boxes: Faces in them, (B, 4).

        Returns:
            The answers, (B,) or (B, d).

        Raises:
            SanError: If the file cannot be read or written, or an answer is no finite number.
        """
        keys = [_key(network, *pair) for pair in zip(images, boxes, strict=True)]
        known = self._read(keys)
        first_places = {key: place for place, key in reversed(list(enumerate(keys)))}
        new = [key for key in first_places if key not in known]
        if new:
            places = [first_places[key] for key in new]
            found = np.ascontiguousarray(ask(images[places], boxes[places]), dtype=np.float64)
            require_finite(network, found)
            known |= dict(zip(new, found, strict=True))
            self._write((key, known[key].tobytes()) for key in new)
        return np.stack([known[key] for key in keys])

    def _prepare(self) -> None:
        with self._mended(), self._open() as connection:
            connection.execute(TABLE)
            if connection.execute("PRAGMA user_version").fetchone() != (_version(),):
                connection.execute("DELETE FROM answers")
                connection.execute(f"PRAGMA user_version = {_version()}")

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """Return the known answers by key; a single number has no axis."""
        marks, rows = ",".join("?" * len(keys)), []
        with self._mended(), self._open() as connection:
            rows = connection.execute(
                f"SELECT key, value FROM answers WHERE key IN ({marks})", keys
            ).fetchall()
        return {key: _numbers(value) for key, value in rows}

    def _write(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._mended(), self._open() as connection:
            connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Make a damaged file anew: what it held is found again by asking.

        Raises:
            SanError: If the file is sound, but cannot be used.
        """
        try:
            yield
        except sqlite3.OperationalError as error:  # locked, no space, no permission
            raise SanError(
                f"{self._path} cannot be used ({error}): wait for the other run, make room, or"
                " delete it"
            ) from error
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            with self._open() as connection:
                connection.execute(TABLE)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as connection, connection:
            yield connection


def require_finite(network: str, found: NDArray[np.float64]) -> None:
    """Check what a network answered.

    Raises:
        SanError: If there is something that is no finite number.
    """
    if not np.isfinite(found).all():
        raise SanError(
            f"{network} answers with something that is no finite number: take it out of `evaluate`"
            " in params.yaml, or install another version"
        )


@cache
def _code() -> str:
    """Return the SHA-256 of the code of this package."""
    digest, package = hashlib.sha256(), Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _version() -> int:
    """Return what tells the code of this package from other code's, as SQLite keeps it: 31 bits."""
    return int(_code()[:8], 16) >> 1


def _key(network: str, image: NDArray[np.uint8], box: NDArray[np.float64]) -> bytes:
    shown = hashlib.sha256(f"{network}:{_code()}:{image.shape}:".encode())
    shown.update(image.tobytes())
    shown.update(box.astype(np.float64).tobytes())
    return shown.digest()


def _numbers(value: bytes) -> NDArray[np.float64]:
    numbers = np.frombuffer(value, dtype=np.float64)
    return numbers[0] if len(numbers) == 1 else numbers
