"""Checkpoints: everything that a training needs to go on as if it had never stopped.

A stage has one checkpoint. That of another configuration is put aside under the configuration's own
name, and taken up again when the settings are those again: a second thought costs no training.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from sanmodel.errors import SanError
from sanmodel.models.weights import load_weights, read_about, save_weights
from sanmodel.observer import SILENT, Observer
from sanmodel.training.determinism import random_states, restore_random_states

DIFFERENCES = 3
"""Keys that a message names at most."""

DIGITS = 8
"""Of a configuration's SHA-256, in the name of a checkpoint that is put aside."""


@dataclass
class Progress:
    """How far a training is; the learning rate and the place in the epoch follow from the step.

    Attributes:
        history: Loss terms of every step that is done, in order.
        saved: Steps that were done at the last checkpoint, 0 without one.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    saved: int = 0

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.history)


@dataclass(frozen=True)
class Checkpoint:
    """A safetensors file with model, optimizer, random states and history.

    Attributes:
        path: Where it lies.
        about: What decides the result of the training, by key: settings, seed, inputs.
    """

    path: Path
    about: Mapping[str, object]

    def save(
        self, progress: Progress, model: nn.Module, optimizer: Optimizer, fabric: Fabric
    ) -> None:
        """Write the state after ``progress.step`` steps, atomically; all processes call this."""
        random = random_states(fabric)
        if fabric.is_global_zero:
            tensors = _named("model", model.state_dict()) | _named("random", random)
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= _named(f"optimizer.{index}", state)
            names = term_names(progress.history)
            rows = [[terms.get(name, math.nan) for name in names] for terms in progress.history]
            tensors["history"] = torch.tensor(rows, dtype=torch.float64)
            about = {"config": json.dumps(dict(self.about), sort_keys=True)}
            save_weights(self.path, tensors, kind="checkpoint", terms=json.dumps(names), **about)
        progress.saved = progress.step

    def restore(
        self, model: nn.Module, optimizer: Optimizer, fabric: Fabric, observer: Observer = SILENT
    ) -> Progress:
        """Load the state if there is one of this very training; start at step 0 otherwise.

        One of another configuration is put aside; all processes call this.

        Args:
            model: To be filled.
            optimizer: To be filled.
            fabric: Knows which process this is.
            observer: Hears why a checkpoint that is there is of no use.
        """
        with fabric.rank_zero_first():  # which puts files in their places
            found = self._own(model, observer) if self.path.exists() else None
        if found is None:
            return Progress()
        model.load_state_dict(_under("model", found.tensors))
        _restore_optimizer(optimizer, _under("optimizer", found.tensors))
        restore_random_states(_under("random", found.tensors), fabric)
        return Progress(found.history, len(found.history))

    def delete(self) -> None:
        """Remove the file, and what is left of one that was never finished: training has ended."""
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)

    def _own(self, model: nn.Module, observer: Observer) -> "_Content | None":
        """Return what this training left, perhaps aside; put aside what another one left."""
        try:
            found = _read(self.path)
        except SanError:
            observer.note(
                f"the checkpoint {self.path} is damaged or cut short; the training starts again at"
                " step 0"
            )
            return None
        different = self._differences(found.config, model, found.tensors)
        if not different:
            return found
        kept, own = self._aside(found.config), self._aside(self.about)
        self.path.replace(kept)
        note = f"the checkpoint {self.path} is of another configuration: {different}; it is kept as"
        if own.exists() and own != kept:
            observer.note(f"{note} {kept}, and the training goes on from {own}")
            own.replace(self.path)
            return self._own(model, observer)
        observer.note(f"{note} {kept}, and the training starts again at step 0")
        return None

    def _aside(self, config: Mapping[str, object]) -> Path:
        """Return where the checkpoint of a configuration waits while another one trains."""
        digest = hashlib.sha256(json.dumps(dict(config), sort_keys=True).encode()).hexdigest()
        return self.path.with_suffix(f".{digest[:DIGITS]}{self.path.suffix}")

    def _differences(
        self, config: Mapping[str, object], model: nn.Module, tensors: Mapping[str, Tensor]
    ) -> str:
        """Say in which keys a checkpoint differs from this training; nothing if it does not."""
        now = {name: tensor.shape for name, tensor in model.state_dict().items()}
        then = {name: tensor.shape for name, tensor in _under("model", tensors).items()}
        found = [
            f"{key} was {config.get(key)} and is {self.about.get(key)}"
            for key in sorted(config.keys() | self.about.keys())
            if config.get(key) != self.about.get(key)
        ] or [
            f"the shape of {name} was {_shape(then.get(name))} and is {_shape(now.get(name))}"
            for name in sorted(now.keys() | then.keys())
            if now.get(name) != then.get(name)
        ]
        more = [f"{len(found) - DIFFERENCES} more"] if len(found) > DIFFERENCES else []
        return ", ".join(found[:DIFFERENCES] + more)


@dataclass(frozen=True)
class _Content:
    """What a checkpoint holds.

    Attributes:
        config: What decided the result of the training, by key.
        tensors: Model, optimizer and random states.
        history: Loss terms of every step that was done.
    """

    config: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    history: list[dict[str, float]]


def _read(path: Path) -> _Content:
    """Read a checkpoint.

    Raises:
        SanError: If it is damaged, or none.
    """
    about, tensors = read_about(path), load_weights(path, kind="checkpoint")
    try:
        config = json.loads(about.get("config", "{}"))
        history = _history(json.loads(about["terms"]), tensors["history"])
    except (KeyError, ValueError) as error:
        raise SanError(f"{path} is damaged ({error}): delete it") from error
    return _Content(config, tensors, history)


def term_names(history: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the names of all loss terms; a term that joined later has its place among them."""
    longest: Mapping[str, float] = max(history, key=len, default={})
    return list(longest)


def _history(names: Sequence[str], rows: Tensor) -> list[dict[str, float]]:
    """Return the terms of every step; where one is no number it was not there yet."""
    steps = [zip(names, values, strict=True) for values in rows.tolist()]
    return [{name: value for name, value in terms if not math.isnan(value)} for terms in steps]


def _shape(shape: torch.Size | None) -> str:
    return "none" if shape is None else "x".join(map(str, shape))


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Fill a fresh optimizer's state from tensors named ``<parameter>.<quantity>``."""
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        index, quantity = name.split(".", 1)
        state.setdefault(int(index), {})[quantity] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
