"""The loop of every training: batch, losses, step, checkpoint."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.observer import Observer
from sanmodel.settings import Schedule
from sanmodel.training.checkpoint import Checkpoint
from sanmodel.training.data import Batch, Sampler

Losses = Callable[[Batch], dict[str, Tensor]]
"""Loss terms of a batch; the last one is minimised."""


def train(
    name: str,
    model: nn.Module,
    losses: Losses,
    sampler: Sampler,
    schedule: Schedule,
    checkpoint: Checkpoint,
    observer: Observer,
) -> list[dict[str, float]]:
    """Train ``model`` with Adam, going on from its checkpoint if there is one.

    Args:
        name: What the progress bar says.
        model: Holds all trainable parameters.
        losses: Computes the loss terms of a batch; the last one is minimised.
        sampler: Gives the batch of each step.
        schedule: Steps, learning rate and the distance of checkpoints.
        checkpoint: Written every ``checkpoint_every`` steps. An interrupt in the middle of a step
            writes none, since the weights may be half updated.
        observer: Hears every step's loss terms.

    Returns:
        The loss terms of every step.

    Raises:
        SanError: If a loss is not finite.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate)
    progress = checkpoint.restore(model, optimizer)
    observer.start(name, schedule.steps, progress.step)
    while progress.step < schedule.steps:
        terms = _step(losses(sampler.batch(progress.step)), optimizer)
        _check_finite(terms, progress.step)
        progress.history.append(terms)
        observer.losses(progress.step, terms)
        observer.advance()
        if progress.step % schedule.checkpoint_every == 0:
            checkpoint.save(progress, model, optimizer)
    return progress.history


def _step(terms: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """Descend along the gradient of the last term; return all as numbers."""
    optimizer.zero_grad(set_to_none=True)
    list(terms.values())[-1].backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return {name: term.item() for name, term in terms.items()}


def _check_finite(terms: dict[str, float], step: int) -> None:
    wrong = [f"{name}={value}" for name, value in terms.items() if not math.isfinite(value)]
    if wrong:
        raise SanError(
            f"training diverged at step {step + 1} ({', '.join(wrong)}): lower the learning_rate"
        )
