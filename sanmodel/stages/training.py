"""What the four training stages share: examples in, weights, curve and checkpoint out."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from sanmodel.faces import load_examples
from sanmodel.files import atomic_file, sha256
from sanmodel.models.weights import save_weights
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.settings import Schedule, Settings
from sanmodel.training.checkpoint import Checkpoint, training_key
from sanmodel.training.data import Examples, Sampler
from sanmodel.training.determinism import derived_seed, seed_everything
from sanmodel.training.loop import Losses, train


def load_side(settings: Settings, paths: Paths, split: str) -> Examples:
    """Load the crops of one side of the split.

    Raises:
        SanError: See :func:`sanmodel.faces.load_examples`.
    """
    return load_examples(paths.crops, split, settings.attribute, paths.scratch / "crops")


@dataclass(frozen=True)
class Training:
    """One training stage: construct it before the network, since it seeds the first weights.

    Attributes:
        stage: Name of the stage.
        settings: All settings.
        schedule: The stage's own section.
        paths: The work tree.
        inputs: Weights that the training starts from or looks through.
        mirror: Mirror every image with probability 1/2.
    """

    stage: str
    settings: Settings
    schedule: Schedule
    paths: Paths
    inputs: Sequence[Path] = ()
    mirror: bool = False

    def __post_init__(self) -> None:
        seed_everything(self.settings.seed, self.stage)

    def fit(
        self, model: nn.Module, losses: Losses, examples: Examples, observer: Observer
    ) -> list[dict[str, float]]:
        """Train, write the curve, and return every step's loss terms.

        Raises:
            SanError: If the training diverges.
        """
        seed = derived_seed(self.settings.seed, f"{self.stage} batches")
        sampler = Sampler(examples, self.schedule.batch_size, seed, self.mirror)
        checkpoint = self._checkpoint(examples)
        history = train(self.stage, model, losses, sampler, self.schedule, checkpoint, observer)
        write_curve(self.paths.curve(self.stage), history)
        return history

    def save(self, path: Path, network: nn.Module, kind: str, **about: str) -> None:
        """Write the weights; the checkpoint has served and goes."""
        attribute = self.settings.attribute
        save_weights(path, network.state_dict(), kind=kind, attribute=attribute, **about)
        self._checkpoint_path.unlink(missing_ok=True)

    @property
    def _checkpoint_path(self) -> Path:
        return self.paths.scratch / "checkpoints" / f"{self.stage}.safetensors"

    def _checkpoint(self, examples: Examples) -> Checkpoint:
        inputs = [sha256(path) for path in self.inputs]
        about = (self.settings.attribute, self.settings.seed, self.schedule.model_dump_json())
        return Checkpoint(self._checkpoint_path, training_key(*about, examples.digest, *inputs))


def final_losses(history: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each loss term over the last tenth of the steps."""
    last = history[-max(1, len(history) // 10) :]
    return {name: sum(terms[name] for terms in last) / len(last) for name in last[0]}


def write_curve(path: Path, history: list[dict[str, float]]) -> None:
    """Write one line per step, so that DVC and MLflow draw the same curve."""
    with atomic_file(path) as partial, partial.open("w", newline="") as stream:
        names = list(history[0]) if history else []
        writer = csv.DictWriter(stream, ["step", *names], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"step": step, **terms} for step, terms in enumerate(history, start=1))
