"""Files that are either whole or not there: written beside, then renamed."""

import errno
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sanmodel.errors import SanError

_writes_nothing: ContextVar[bool] = ContextVar("writes nothing", default=False)


@contextmanager
def writing_nothing() -> Iterator[None]:
    """Let the block write to nowhere: another process does the same and writes it.

    It holds for all that goes through :func:`atomic_file`, as every result does.
    """
    token = _writes_nothing.set(True)
    try:
        yield
    finally:
        _writes_nothing.reset(token)


@contextmanager
def atomic_file(path: Path, ending: str = "partial") -> Iterator[Path]:
    """Yield a path to write to; it becomes ``path`` only when the block ends without an error.

    Args:
        path: The file.
        ending: Of the name that it has until then; an own one where others write ``path`` too.

    Raises:
        SanError: If the disk is full; an earlier file at ``path`` is left as it was.
    """
    if _writes_nothing.get():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / path.name
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{ending}")
    try:
        with full_disk_explained(path):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it replaces ``path`` when the block ends without an error.

    Raises:
        SanError: If the disk is full; an earlier folder at ``path`` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, old = path.with_name(f".{path.name}.partial"), _old(path)
    if old.exists() and not path.exists():  # a process was killed between two renames
        old.replace(path)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        with full_disk_explained(path):
            yield partial
            _swap(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as sorted, indented JSON, atomically."""
    with atomic_file(path) as partial:
        text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text, atomically."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        SanError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: run `dvc repro` to make it") from error
    except json.JSONDecodeError as error:
        raise SanError(
            f"{path} is not valid JSON ({error}): delete it and run `dvc repro`"
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_folder(folder: Path) -> str:
    """Return one SHA-256 over the names and contents of all files under ``folder``."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n".encode())
    return total.hexdigest()


def _swap(new: Path, path: Path) -> None:
    """Put the folder ``new`` in the place of ``path``, which goes away last."""
    old = _old(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.replace(old)
    new.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _old(path: Path) -> Path:
    """Return where a folder waits while its successor takes its place."""
    return path.with_name(f".{path.name}.old")


@contextmanager
def full_disk_explained(path: Path) -> Iterator[None]:
    """Turn "no space left on device" into a sentence that names the output.

    Raises:
        SanError: If the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SanError(
            f"the disk is full: {path} was not written, an earlier one is untouched;"
            " free some space and run the command again"
        ) from error
