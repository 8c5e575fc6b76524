"""Networks of packages that are not installed with the project, and weights that those download."""

import importlib
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from sanmodel.errors import SanError
from sanmodel.files import sha256


def load_package(module: str, extra: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: Import path.
        extra: The project's extra that installs the package.

    Raises:
        SanError: If it is not installed or cannot be imported.
    """
    command = f'pip install "sanmodel[{extra}]"'
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SanError(
            f"{extra} needs the package {str(error.name).partition('.')[0]}, which is not"
            f" installed: run `{command}`"
        ) from error
    except Exception as error:  # one built for another torch, say, raises errors of any kind
        raise SanError(
            f"{extra} cannot import the module {module} ({_short(error)}): run `{command}`"
        ) from error


@contextmanager
def weights_explained(path: Path, origin: str) -> Iterator[None]:
    """Say what to do when the block fails to download weights or to read them.

    Args:
        path: File of the weights, in the package's own cache.
        origin: Address that the file, or an archive with it, comes from.

    Raises:
        SanError: If the block raises anything.
    """
    try:
        yield
    except (SanError, MemoryError):
        raise
    except Exception as error:  # each package has its own for this
        if path.exists():
            raise SanError(
                f"{path} cannot be read ({_short(error)}): replace it with the file from {origin}"
            ) from error
        raise SanError(
            f"{path.name} is not there and its download failed ({_short(error)}): put the file"
            f" from {origin} at {path}"
        ) from error


def release_of(package: str, weights: Path) -> str:
    """Return what a network's answers depend on: versions of its package and of its weights."""
    return f"{metadata.version(package)}, weights {sha256(weights)[:16]}"


def _short(error: Exception) -> str:
    return textwrap.shorten(str(error), 90) or type(error).__name__
