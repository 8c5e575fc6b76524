"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sanmodel.errors import SanError
from sanmodel.models.weights import load_weights, read_about, save_weights


@dataclass
class Progress:
    """How far a training is.

    Attributes:
        history: Loss terms of every step that is done, in order.
    """

    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.history)


@dataclass(frozen=True)
class Checkpoint:
    """A safetensors file with model, optimizer, random state and history.

    Attributes:
        path: Where it lies.
        key: Names settings, seed and inputs of the training; another training's is ignored.
    """

    path: Path
    key: str

    def save(self, progress: Progress, model: nn.Module, optimizer: Optimizer) -> None:
        """Write the state after ``progress.step`` steps, atomically."""
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        tensors["random"] = torch.get_rng_state()
        tensors["history"] = torch.tensor(
            [list(terms.values()) for terms in progress.history], dtype=torch.float64
        )
        names = ",".join(progress.history[0])
        save_weights(self.path, tensors, kind="checkpoint", key=self.key, terms=names)

    def restore(self, model: nn.Module, optimizer: Optimizer) -> Progress:
        """Load the state if there is one of this very training; start at step 0 otherwise."""
        try:
            about = read_about(self.path)
        except SanError:  # none there, or damaged: a checkpoint is a convenience, not a result
            return Progress()
        if about.get("key") != self.key:
            return Progress()
        tensors = load_weights(self.path, kind="checkpoint")
        model.load_state_dict(_under("model.", tensors))
        _restore_optimizer(optimizer, _under("optimizer.", tensors))
        torch.set_rng_state(tensors["random"])
        names, history = about["terms"].split(","), tensors["history"].tolist()
        return Progress([dict(zip(names, values, strict=True)) for values in history])

    def delete(self) -> None:
        """Remove the file: the training has ended."""
        self.path.unlink(missing_ok=True)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Fill a fresh optimizer's state from tensors named ``<parameter>.<quantity>``."""
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        index, quantity = name.split(".", 1)
        state.setdefault(int(index), {})[quantity] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def training_key(*parts: object) -> str:
    """Return a name for a training from what decides its result: settings, seed, inputs."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
