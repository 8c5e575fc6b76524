"""A program that Fabric starts once more: what two processes make of the toy training.

``python two_processes.py FOLDER`` leaves ``<case>.<process>.json`` in FOLDER: weights, history.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

from toy_training import SCHEDULE, Heard, train_toy

from sanmodel.settings import Schedule, TrainerSettings
from sanmodel.training.hardware import launch

TWO = TrainerSettings(accelerator="cpu", devices=2)


def schedule(batch_size: int, accumulate: int = 1) -> Schedule:
    """A schedule of another batch."""
    changes = {"batch_size": batch_size, "accumulate": accumulate}
    return Schedule(**SCHEDULE.model_dump() | changes)


def main(folder: Path) -> None:
    """Train as one of two processes in several ways."""
    rank = launch(TWO).global_rank
    cases = {
        "plain": train_toy(folder / "plain", schedule=schedule(2), trainer=TWO, dropout=0),
        "accumulated": train_toy(folder / "acc", schedule=schedule(1, 2), trainer=TWO, dropout=0),
        "dropout": train_toy(folder / "dropout", trainer=TWO),
    }
    with suppress(KeyboardInterrupt):
        train_toy(folder / "interrupted", Heard(stop_at=8), trainer=TWO)
    heard = Heard()
    cases["resumed"] = train_toy(folder / "interrupted", heard, trainer=TWO)
    assert heard.starts == [5]
    for name, (weights, history) in cases.items():
        content = {key: tensor.tolist() for key, tensor in weights.items()}
        path = folder / f"{name}.{rank}.json"
        path.write_text(json.dumps({"weights": content, "history": history}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
