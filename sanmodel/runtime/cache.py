"""What runtimes found out or built on this machine, kept for the next start."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of kept things, which may not be there yet."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sanmodel"


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache, whole or not at all; a machine that cannot does without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(content)
        Path(partial.name).replace(path)
    except OSError:
        return


def kept(path: Path) -> bytes | None:
    """Return the content of a file of the cache, None if it is not there."""
    try:
        return path.read_bytes()
    except OSError:
        return None
