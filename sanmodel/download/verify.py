"""Whether a file is the one that its makers published: size, checksum, rows."""

import hashlib
from pathlib import Path

from sanmodel.sources import SourceFile

HEAD = 512
"""Bytes in which a page of HTML shows itself."""


def fault(path: Path, file: SourceFile) -> str:
    """Say what is wrong with the content of ``path``, or return nothing."""
    size = path.stat().st_size
    if looks_like_page(path):
        return "is a web page (a sign-in, a quota or an error page), not the file"
    if file.size is not None and size != file.size:
        return f"has {size:,} of {file.size:,} bytes"
    if file.checksum and (found := _checksum(path, file.checksum)) != file.checksum:
        return f"has the checksum {found}, not {file.checksum}"
    if file.rows is not None and (rows := _rows(path) - file.header) != file.rows:
        return f"has {rows:,} rows, not {file.rows:,}"
    return ""


def described(file: SourceFile) -> str:
    """Name a file with its size and checksum as far as they are known."""
    size = f"{file.size:,} bytes" if file.size is not None else "size not published"
    return f"{file.name} ({size}{', ' + file.checksum if file.checksum else ''})"


def looks_like_page(path: Path) -> bool:
    """Return whether a file is HTML, which no file of any source is."""
    with path.open("rb") as stream:
        head = stream.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head"))


def _checksum(path: Path, expected: str) -> str:
    """Compute the kind of checksum that is expected."""
    kind = expected.partition(":")[0]
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"


def _rows(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for line in stream if line.strip())
