"""One writer per work tree: who comes second is told who came first."""

import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sanmodel.errors import SanError
from sanmodel.paths import Paths


@contextmanager
def holding(root: Path, what: str) -> Iterator[None]:
    """Hold a work tree while the block runs; a process that dies holds nothing.

    Args:
        root: The work tree.
        what: What the block does, for whoever comes second.

    Raises:
        SanError: If another process holds it: who, what for, and since when.
    """
    path = Paths(root).scratch / "workspace.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise SanError(f"{root.resolve()} is held by {_told(stream.read())}") from error
        stream.truncate(0)
        stream.write(json.dumps({"who": _who(), "what": what, "since": _now()}))
        stream.flush()
        yield
        stream.truncate(0)  # nobody reads what is no longer true


def _told(content: str) -> str:
    try:
        who, what, since = (json.loads(content)[name] for name in ("who", "what", "since"))
    except ValueError:  # it has just begun
        return "another process: wait for it"
    return f"{who} for {what} since {since} UTC: wait for that, or stop it"


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
