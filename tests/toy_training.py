"""A small regression with dropout, trained by the real loop in this process or another one."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sanmodel.observer import SILENT, Observer
from sanmodel.settings import Schedule, TrainerSettings
from sanmodel.training.checkpoint import Checkpoint
from sanmodel.training.data import Batch, Examples, Sampler
from sanmodel.training.determinism import seed_everything
from sanmodel.training.hardware import launch
from sanmodel.training.loop import Task, train

EXAMPLES = Examples(
    images=np.random.default_rng(0).integers(0, 256, (10, 4, 4), dtype=np.uint8),
    y=np.arange(10) % 2,
    identity=np.arange(10),
    landmarks=np.random.default_rng(1).uniform(0, 3, (10, 5, 2)).astype(np.float32),
    digest="toy",
)
SCHEDULE = Schedule(steps=12, batch_size=3, learning_rate=0.01, checkpoint_every=5)


class Toy(nn.Module):
    """Two layers with dropout between; ``ballast`` values make its checkpoint large."""

    def __init__(self, ballast: int = 0, dropout: float = 0.5) -> None:
        super().__init__()
        layers = (nn.Flatten(), nn.Linear(16, 8), nn.Dropout(dropout), nn.Linear(8, 1))
        self.layers = nn.Sequential(*layers)
        self.register_buffer("ballast", torch.zeros(ballast))

    def forward(self, X: Tensor) -> Tensor:
        return self.layers(X).squeeze(1)


def train_toy(
    folder: Path,
    observer: Observer = SILENT,
    schedule: Schedule = SCHEDULE,
    seed: int = 1,
    trainer: TrainerSettings = TrainerSettings(accelerator="cpu"),  # noqa: B008
    ballast: int = 0,
    dropout: float = 0.5,
    joins: int | None = None,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train with a checkpoint in ``folder``; return the weights and the history.

    From step ``joins`` on, counted from 0, there is a second loss term.
    """
    seed_everything(seed, "toy")
    model = Toy(ballast, dropout)

    def losses(batch: Batch) -> dict[str, Tensor]:
        error = (model(batch.X) - batch.y).square().mean()
        if joins is None or batch.step < joins:
            return {"error": error}
        penalty = sum(weight.square().sum() for weight in model.parameters())
        return {"penalty": penalty, "error": error + penalty}

    fabric = launch(trainer)
    parts = schedule.accumulate * fabric.world_size
    sampler = Sampler(EXAMPLES, schedule.batch_size, seed, mirror=True, parts=parts)
    about = {"toy.learning_rate": schedule.learning_rate, "seed": seed}
    checkpoint = Checkpoint(folder / "toy.safetensors", about)
    history = train(Task("toy", model, losses), sampler, schedule, checkpoint, fabric, observer)
    return model.state_dict(), history


class Heard(Observer):
    """Writes down what it hears; presses Ctrl-C when step ``stop_at`` has been reported."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.starts: list[int] = []
        self.notes: list[str] = []
        self.speeds: list[float] = []
        self.pictures: list[tuple[str, int, tuple[int, ...]]] = []

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.starts.append(done)

    def losses(self, step: int, terms) -> None:
        if step == self.stop_at:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)

    def speed(self, images_per_second: float) -> None:
        self.speeds.append(images_per_second)

    def picture(self, name: str, step: int, array) -> None:
        assert array.dtype == np.uint8
        self.pictures.append((name, step, array.shape))


BALLAST = 4_000_000
"""16 MB: long enough to write that a signal can arrive meanwhile."""

LONG = Schedule(steps=24, batch_size=3, learning_rate=0.01, checkpoint_every=3)


class Diary(Observer):
    """Leaves a file with the number of the step that is done, for whoever watches the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def losses(self, step: int, terms) -> None:
        self.path.write_text(str(step))
        time.sleep(0.002)


def train_watched(folder: Path, kill_at: int | None = None) -> None:
    """Train in a process of its own and leave the weights as ``done.pt``.

    Args:
        folder: Where checkpoint, diary and weights go.
        kill_at: Step after which the process kills itself, in the middle of the loop.
    """
    diary = Diary(folder / "step")
    if kill_at is not None:
        diary.losses = lambda step, terms: step == kill_at and os.kill(os.getpid(), signal.SIGKILL)
    weights, _ = train_toy(folder, diary, LONG, ballast=BALLAST, joins=8)
    torch.save(weights, folder / "done.pt")
