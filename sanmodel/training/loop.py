"""The loop of every training: batch, losses, step, checkpoint."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.throughput import Throughput
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.observer import Observer
from sanmodel.settings import Schedule
from sanmodel.training.checkpoint import Checkpoint, Progress
from sanmodel.training.data import Batch, RawBatch, Sampler, ahead, to_batch
from sanmodel.training.determinism import part_ways
from sanmodel.training.divergence import (
    check_losses,
    check_weights,
    has_exploded,
    outputs_checked,
)
from sanmodel.training.hardware import channels_last, computing_mixed
from sanmodel.training.rate import learning_rate

Losses = Callable[[Batch], dict[str, Tensor]]
"""Loss terms of a batch; the last one is minimised. Terms may join in a later step."""

Pictures = Callable[[], NDArray[np.uint8]]
"""Draws what a model does, grey (height, width) or RGB (height, width, 3)."""

SPEED_STEPS = 10
"""Steps over which images per second are averaged."""


@dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes:
        name: What the progress bar says.
        model: Holds all trainable parameters.
        losses: Computes the loss terms of a batch with ``model``; the last one is minimised. Each
            is a mean over the batch, so that parts of a batch can be averaged.
        float32: Parts of ``model`` that never compute in bfloat16.
        pictures: Shows what ``model`` does, while it is in evaluation mode.
    """

    name: str
    model: nn.Module
    losses: Losses
    float32: Sequence[nn.Module] = ()
    pictures: Pictures | None = None


def train(
    task: Task,
    sampler: Sampler,
    schedule: Schedule,
    checkpoint: Checkpoint,
    fabric: Fabric,
    observer: Observer,
) -> list[dict[str, float]]:
    """Train a model with Adam or AdamW, going on from its checkpoint if there is one.

    In several processes (``fabric``) each takes its parts of every step; gradients and reported
    losses are means over all of them. The model is on the CPU again in the end.

    Args:
        task: What is trained.
        sampler: Gives the parts of each step, ``schedule.accumulate`` for every process.
        schedule: Steps, learning rate, weight decay, distance of checkpoints and pictures.
        checkpoint: Written every ``checkpoint_every`` steps. An interrupt in the middle of a step
            writes none, since the weights may be half updated.
        fabric: Devices, processes and precision.
        observer: Hears every step's loss terms, images per second, and sees the pictures.

    Returns:
        The loss terms of every step.

    Raises:
        SanError: If the training diverges.
    """
    model = channels_last(_synchronised(task.model, fabric))
    optimizer = _optimizer(model, schedule)
    objective, stepper = fabric.setup(Objective(model, task.losses), optimizer)
    part_ways(fabric)
    progress = checkpoint.restore(model, optimizer, fabric, observer)
    observer.start(task.name, schedule.steps, progress.step)
    speed = Throughput(window_size=SPEED_STEPS)
    with (
        computing_mixed(model, fabric, task.float32),
        outputs_checked(model, progress, checkpoint.path),
    ):
        for parts in _batches(sampler, progress.step, schedule, fabric):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(schedule, progress.step)
            progress.history.append(_descend(fabric, objective, stepper, parts, progress.step))
            check_losses(progress, checkpoint.path)
            _tell(observer, progress, speed, sampler.images)
            if _saves(progress.step, schedule):
                _save(checkpoint, progress, model, optimizer, fabric)
            if _shows(progress.step, schedule):
                _show(observer, task, progress.step, fabric)
    model.cpu()
    return progress.history


class Objective(nn.Module):
    """A model together with its losses: what Fabric distributes and differentiates.

    Autocast ends here: losses are float32, and networks that may compute in less say so.
    """

    def __init__(self, model: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.model, self._losses = model, losses

    def forward(self, step: int, *raw: Tensor) -> dict[str, Tensor]:
        """Return the loss terms of a :class:`RawBatch` in a step, counted from 0."""
        batch = to_batch(RawBatch(*raw), step)
        with torch.autocast(batch.X.device.type, enabled=False):
            return self._losses(batch)


def _optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Return AdamW, which is Adam without weight decay; biases and normalisations do not decay."""
    parameters = list(model.parameters())
    weights = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": schedule.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate)


def _synchronised(model: nn.Module, fabric: Fabric) -> nn.Module:
    """Let the batch normalisations of several GPUs see each other's images."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-any-return,no-untyped-call]
    return model


def _batches(
    sampler: Sampler, first: int, schedule: Schedule, fabric: Fabric
) -> Iterator[list[RawBatch]]:
    """Yield this process's parts of every step from ``first`` on."""
    mine = range(fabric.global_rank, schedule.accumulate * fabric.world_size, fabric.world_size)

    def load(step: int) -> list[RawBatch]:
        return [sampler.batch(step, part) for part in mine]

    return ahead(load, range(first, schedule.steps))


def _descend(
    fabric: Fabric,
    objective: Any,
    optimizer: torch.optim.Optimizer,
    parts: list[RawBatch],
    step: int,
) -> dict[str, float]:
    """Descend along the mean gradient of the last term; return the means of all as numbers."""
    optimizer.zero_grad(set_to_none=True)
    values: list[Tensor] = []
    names: list[str] = []
    for number, part in enumerate(parts, start=1):
        with fabric.no_backward_sync(objective, enabled=number < len(parts)):
            terms = objective(step, *fabric.to_device(part))
            fabric.backward(list(terms.values())[-1] / len(parts))
        names = list(terms)
        values.append(torch.stack([term.detach() for term in terms.values()]))
    optimizer.step()
    means = fabric.all_reduce(torch.stack(values).mean(dim=0))
    assert isinstance(means, Tensor)
    return dict(zip(names, means.tolist(), strict=True))


def _tell(observer: Observer, progress: Progress, speed: Throughput, images: int) -> None:
    """Report the step that was done last."""
    done = progress.step
    speed.update(time=time.perf_counter(), batches=done, samples=done * images)
    per_second = speed.compute().get("device/samples_per_sec")
    if per_second is not None:
        observer.speed(per_second)
    observer.losses(done, progress.history[-1])
    observer.advance()


def _save(
    checkpoint: Checkpoint,
    progress: Progress,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    fabric: Fabric,
) -> None:
    """Write a checkpoint, unless it would not be a good one."""
    check_weights(progress, model, checkpoint.path)
    if not has_exploded(progress.history):
        checkpoint.save(progress, model, optimizer, fabric)


def _saves(step: int, schedule: Schedule) -> bool:
    """Say whether a checkpoint is due; after the last step, for what the stage has yet to do."""
    return step % schedule.checkpoint_every == 0 or step == schedule.steps


def _shows(step: int, schedule: Schedule) -> bool:
    return step % schedule.picture_every == 0 or step == schedule.steps


def _show(observer: Observer, task: Task, step: int, fabric: Fabric) -> None:
    """Let the first process draw, if the task has pictures."""
    if task.pictures and fabric.is_global_zero:
        observer.picture(task.name, step, _drawn(task.model, task.pictures, fabric))


def _drawn(model: nn.Module, pictures: Pictures, fabric: Fabric) -> NDArray[np.uint8]:
    """Draw a picture and leave no trace: neither in the model's modes nor in the random numbers."""
    training = [module for module in model.modules() if module.training]
    gpus = [fabric.device] if fabric.device.type == "cuda" else []
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(gpus):
        picture = pictures()
    for module in training:
        module.training = True
    return picture
