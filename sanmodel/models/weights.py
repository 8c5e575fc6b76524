"""Weights on disk: safetensors with a few words on what they are, never pickles."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.files import atomic_file


def save_weights(path: Path, tensors: dict[str, Tensor], **about: str) -> None:
    """Write tensors with the metadata ``about`` (kind, attribute, ...), atomically.

    The metadata is one JSON text, since safetensors writes several keys in random order and equal
    weights are to be equal files.
    """
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    with atomic_file(path) as partial:
        save_file(contiguous, partial, metadata={"about": json.dumps(about, sort_keys=True)})


def load_weights(path: Path, **expected: str) -> dict[str, Tensor]:
    """Read tensors and check their metadata.

    Args:
        path: A file that :func:`save_weights` wrote.
        expected: Metadata that must be equal, for example ``kind="autoencoder"``.

    Raises:
        SanError: If the file is missing or damaged, or is something else.
    """
    tensors, about = _read(path)
    for key, value in expected.items():
        if about.get(key) != value:
            raise SanError(
                f"{path} holds weights with {key}={about.get(key)!r}, needed is {value!r}:"
                " run `dvc repro` to make them again"
            )
    return tensors


def load_module(module: nn.Module, path: Path, called: str = "", **expected: str) -> None:
    """Fill a network with weights.

    Args:
        module: The network.
        path: Where they are.
        called: What messages call the network; its class without it.
        expected: Metadata that must be equal.

    Raises:
        SanError: See :func:`load_weights`; also if names or shapes do not fit the network, or a
            weight is not finite.
    """
    tensors = load_weights(path, **expected)
    needed = {name: tensor.shape for name, tensor in module.state_dict().items()}
    check_tensors(path, tensors, needed, called or type(module).__name__)
    module.load_state_dict(tensors)


def check_tensors(
    path: Path, tensors: Mapping[str, Tensor], needed: Mapping[str, torch.Size], called: str
) -> None:
    """Check that the tensors of a file are those that are needed.

    Args:
        path: The file, for messages.
        tensors: What it holds.
        needed: Shapes by name.
        called: What they are for.

    Raises:
        SanError: If one is missing, unknown, of another shape, or not finite; it is named.
    """
    for name in [*needed, *tensors]:
        found = tensors.get(name)
        problem = shape_problem(None if found is None else found.shape, needed.get(name))
        if not problem and found is not None and not torch.isfinite(found).all():
            problem = "holds values that are not finite"
        if problem:
            raise SanError(
                f"{path} does not fit {called} ({name} {problem}): run `dvc repro` to make it again"
            )


def shape_problem(found: torch.Size | None, needed: torch.Size | None) -> str:
    """Say what is wrong with the shape of a file's tensor, None if there is none; or nothing."""
    if found is None:
        return "is missing"
    if needed is None:
        return "is unknown"
    return "" if found == needed else f"has shape {tuple(found)}, needed is {tuple(needed)}"


def read_about(path: Path) -> dict[str, str]:
    """Return the metadata of a weights file.

    Raises:
        SanError: If the file is missing or damaged.
    """
    with _opened(path) as file:
        return _about(file)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with _opened(path) as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, _about(file)


def _about(file: Any) -> dict[str, str]:
    """Return what :func:`save_weights` was told; nothing of another program's file."""
    try:
        about = json.loads((file.metadata() or {}).get("about", "{}"))
    except json.JSONDecodeError:
        return {}
    return about if isinstance(about, dict) else {}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; it reads no more than is asked for."""
    if path.is_dir():
        raise SanError(f"{path} is a folder: give the weights file in it")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: run `dvc repro` to make it") from error
    except (SafetensorError, OSError) as error:
        raise SanError(
            f"{path} is damaged ({error}): delete it and run `dvc repro`, or `dvc checkout`"
        ) from error
