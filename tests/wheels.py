"""What a wheel is built from, away from what lies about in the repository."""

import shutil
from pathlib import Path

from small import PROJECT

SOURCES = ("sanmodel", "flows", "pyproject.toml", "README.md", "LICENSE")


def source_tree(folder: Path) -> Path:
    """Copy the sources of the package into a new folder and return it."""
    folder.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, folder / name)
    return folder
