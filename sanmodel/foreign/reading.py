"""What every foreign file goes through: is it there, is it weights, is it whole, is it the one?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from zipfile import ZipFile, is_zipfile

import torch
from torch import Tensor

from sanmodel.errors import SanError
from sanmodel.models.weights import shape_problem

HEAD = 512
"""Bytes at the start of a file that tell its format."""

WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<?xml")
PICKLES = (b"\x80", b"PK")
"""How a file of torch.save begins, whether old or, a zip archive, new."""
FITTING = "take one of the files that docs/training.md names"


def require_file(path: Path, mend: str) -> None:
    """Refuse what is no file.

    Raises:
        SanError: If there is no file at ``path``; it ends with ``mend``.
    """
    if not path.is_file():
        raise SanError(f"{path} is missing: {mend}")


def read_head(path: Path) -> bytes:
    """Return the first :data:`HEAD` bytes of a download.

    Raises:
        SanError: If the file is empty or a web page that a server sent in its place.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise SanError(f"{path} is empty: download it again")
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip().lower()
    comment = text.startswith(b"<!--") and any(mark in text for mark in WEB_PAGE)
    if text.startswith(WEB_PAGE) or comment:
        raise SanError(
            f"{path} is a web page, not weights: open it in a browser to see what the server"
            " wants, then download the file again"
        )
    return head


@contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Turn whatever a library raises for a damaged file into one sentence.

    Raises:
        SanError: If reading fails.
    """
    try:
        yield
    except (SanError, PermissionError):
        raise
    except Exception as error:  # each library has kinds of its own, and none lists them all
        reason = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise SanError(f"{path} is cut short or damaged ({reason}): download it again") from error


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a PyTorch state dictionary of any age, tensors of a GPU included, without running it.

    Raises:
        SanError: If the file is damaged or holds something else.
    """
    if not read_head(path).startswith(PICKLES):
        raise other_weights(path, "it is no PyTorch checkpoint")
    if is_zipfile(path) and not _is_torch_archive(path):
        raise other_weights(path, "it is an archive of other files; take the weights out of it")
    with damage_explained(path):
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except UnpicklingError as error:
            raise SanError(
                f"{path} is damaged, or holds code, which is not run: download it again, or save"
                " the network's state_dict() alone"
            ) from error
    if not isinstance(state, dict):
        raise other_weights(path, f"it holds a {type(state).__name__}, not named tensors")
    return state


def _is_torch_archive(path: Path) -> bool:
    """Say whether a zip archive is one of torch.save: a folder with the pickle data.pkl in it."""
    with ZipFile(path) as archive:
        return any(name.endswith("/data.pkl") for name in archive.namelist())


def check_weights(
    path: Path, weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]
) -> dict[str, Tensor]:
    """Return the weights as 32-bit floats if they are those of a network.

    Args:
        path: Where they come from, for messages.
        weights: What was read.
        shapes: What is needed.

    Raises:
        SanError: If a tensor is missing, unknown, of another shape or not finite; it is named.
    """
    for name in [*shapes, *weights]:
        problem = _problem(weights.get(name), shapes.get(name))
        if problem:
            raise other_weights(path, f"{name} {problem}")
    return {name: weights[name].float() for name in shapes}


def other_weights(path: Path, problem: str) -> SanError:
    """Return the error for weights of another network."""
    return SanError(f"{path} does not fit: {problem}; {FITTING}")


def _problem(found: object, needed: torch.Size | None) -> str:
    """Say what is wrong with one entry, or nothing."""
    if found is None:
        return shape_problem(None, needed)
    if not isinstance(found, Tensor):
        return "is no tensor"
    finite = "" if found.isfinite().all() else "holds values that are not finite"
    return shape_problem(found.shape, needed) or finite
