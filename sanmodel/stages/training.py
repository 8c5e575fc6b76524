"""What the four training stages share: examples in, weights, curve and checkpoint out."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sanmodel.faces import load_examples
from sanmodel.files import atomic_file, sha256, write_json
from sanmodel.images import Picture
from sanmodel.models.weights import save_weights
from sanmodel.observer import Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Schedule, Settings
from sanmodel.training.checkpoint import Checkpoint, term_names
from sanmodel.training.data import Batch, Examples, Sampler, to_batch
from sanmodel.training.determinism import derived_seed, seed_everything
from sanmodel.training.hardware import launch, place, precision_of
from sanmodel.training.loop import Losses, Task, train

T = TypeVar("T")

Outputs = Callable[[Batch], Sequence[Tensor]]
"""Images that an autoencoder makes of a batch, (B, 1, 224, 224) and 0 to 1 each."""

NO_RESULT = {"checkpoint_every", "picture_every"}
"""Keys of a schedule that no result depends on."""

DIGITS = 16
"""Of a SHA-256 that stands in a checkpoint, and perhaps in a message."""

FACES = 6
"""Training faces in a picture."""


def load_side(settings: Settings, paths: Paths, split: str) -> Examples:
    """Load the crops of one side of the split; of several processes the first one decodes them.

    Raises:
        SanError: See :func:`sanmodel.faces.load_examples`.
    """
    with launch(settings.trainer).rank_zero_first():
        return load_examples(paths.crops, split, settings.attribute, paths.decoded)


@dataclass(frozen=True)
class Training:
    """One training stage: construct it before the network, since it seeds the first weights.

    It starts further processes, too, if the settings ask for them: all of them run the whole
    stage, and only what the first one writes counts.

    Attributes:
        stage: Name of the stage.
        settings: All settings.
        schedule: The stage's own section.
        paths: The work tree.
        inputs: Weights that the training starts from or looks through.
        mirror: Mirror every image with probability 1/2.
        choices: Settings of no section that decide the result, by key.
    """

    stage: str
    settings: Settings
    schedule: Schedule
    paths: Paths
    inputs: Sequence[Path] = ()
    mirror: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        launch(self.settings.trainer)
        seed_everything(self.settings.seed, self.stage)

    def place(self, thing: T) -> T:
        """Put what the losses look through on the device; see :func:`hardware.place`."""
        return place(thing, self._fabric)

    def fit(
        self,
        model: nn.Module,
        losses: Losses,
        examples: Examples,
        observer: Observer,
        outputs: Outputs | None = None,
        float32: Sequence[nn.Module] = (),
    ) -> list[dict[str, float]]:
        """Train, write the curve, and return every step's loss terms.

        Args:
            model: Holds all trainable parameters.
            losses: Loss terms of a batch, computed with ``model``; the last one is minimised.
            examples: What it learns from.
            observer: Hears how it goes.
            outputs: What ``model`` makes of a batch, for pictures.
            float32: Parts of ``model`` that never compute in bfloat16.

        Raises:
            SanError: If the training diverges, or there are too few examples.
        """
        fabric, schedule = self._fabric, self.schedule
        seed = derived_seed(self.settings.seed, f"{self.stage} batches")
        parts = schedule.accumulate * fabric.world_size
        sampler = Sampler(examples, schedule.batch_size, seed, self.mirror, parts)
        pictures = outputs and partial(face_grid, examples, outputs, fabric)
        task = Task(self.stage, model, losses, float32, pictures)
        history = train(task, sampler, schedule, self._checkpoint(examples), fabric, observer)
        write_curve(self.paths.curve(self.stage), history)
        return history

    def save(self, path: Path, network: nn.Module, kind: str, **about: str) -> None:
        """Write the weights; every process goes on when they are there."""
        attribute = self.settings.attribute
        save_weights(path, network.state_dict(), kind=kind, attribute=attribute, **about)
        self._fabric.barrier()

    def finish(self, metrics: Metrics) -> Metrics:
        """Write the stage's metrics, its last file; the checkpoint has served and goes.

        Returns:
            The same metrics.
        """
        write_json(self.paths.metrics(self.stage), metrics)
        if self._fabric.is_global_zero:
            Checkpoint(self._checkpoint_path, {}).delete()
        return metrics

    @property
    def _fabric(self) -> Fabric:
        return launch(self.settings.trainer)

    @property
    def _checkpoint_path(self) -> Path:
        return self.paths.scratch / "checkpoints" / f"{self.stage}.safetensors"

    def _checkpoint(self, examples: Examples) -> Checkpoint:
        return Checkpoint(self._checkpoint_path, self._about(examples))

    def _about(self, examples: Examples) -> Mapping[str, object]:
        """Return what decides the result, by the keys and files that a person knows."""
        section = self.schedule.model_dump(exclude=NO_RESULT)
        inputs = {path.relative_to(self.paths.root).as_posix(): path for path in self.inputs}
        return {
            "attribute": self.settings.attribute,
            "seed": self.settings.seed,
            **self.choices,
            "trainer.precision": precision_of(self._fabric),
            "the number of processes": self._fabric.world_size,
            **{f"{self.stage}.{key}": value for key, value in section.items()},
            "data/crops": examples.digest[:DIGITS],
            **{name: sha256(path)[:DIGITS] for name, path in inputs.items()},
        }


def face_grid(examples: Examples, outputs: Outputs, fabric: Fabric) -> Picture:
    """Draw the first training faces and below them what an autoencoder makes of them.

    Returns:
        (rows, columns) of 224x224 grey faces, uint8.
    """
    faces = examples.take(np.arange(min(FACES, len(examples))))
    batch = to_batch(fabric.to_device(faces))
    rows = torch.stack([batch.X, *outputs(batch)])[:, :, 0]  # (rows, faces, 224, 224)
    levels = rows.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    return np.concatenate([np.concatenate(list(row), axis=1) for row in levels])


def final_losses(history: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each loss term over the last tenth of the steps; none without steps.

    Steps before the last term joined do not count: their losses are others.
    """
    last = history[-max(1, len(history) // 10) :]
    names = last[-1].keys() if last else {}
    alike = [terms for terms in last if terms.keys() == names]
    return {name: sum(terms[name] for terms in alike) / len(alike) for name in names}


def write_curve(path: Path, history: list[dict[str, float]]) -> None:
    """Write one line per step, so that DVC and MLflow draw the same curve.

    The cell of a term that has not joined yet is empty.
    """
    with atomic_file(path) as partial, partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["step", *term_names(history)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"step": step, **terms} for step, terms in enumerate(history, start=1))
