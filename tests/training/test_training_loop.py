"""The loop on a toy regression: order, resumption, divergence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sanmodel.errors import SanError
from sanmodel.observer import Observer
from sanmodel.settings import Schedule
from sanmodel.training.checkpoint import Checkpoint
from sanmodel.training.data import Batch, Examples, Sampler
from sanmodel.training.determinism import derived_seed, seed_everything
from sanmodel.training.loop import train

EXAMPLES = Examples(
    images=np.random.default_rng(0).integers(0, 256, (10, 4, 4), dtype=np.uint8),
    y=np.arange(10) % 2,
    identity=np.arange(10),
    landmarks=np.random.default_rng(1).uniform(0, 3, (10, 5, 2)).astype(np.float32),
    digest="toy",
)
SCHEDULE = Schedule(steps=12, batch_size=3, learning_rate=0.01, checkpoint_every=5)


class Interrupt(Observer):
    """Presses Ctrl-C when a step has been reported."""

    def __init__(self, step: int | None) -> None:
        self.step = step
        self.starts: list[int] = []

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.starts.append(done)

    def losses(self, step: int, terms) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def run(folder: Path, stop_at: int | None = None, key: str = "a"):
    """Train a small network with dropout; return its weights, history and what was heard."""
    seed_everything(1, "toy")
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def losses(batch: Batch) -> dict[str, torch.Tensor]:
        return {"error": (model(batch.X).squeeze(1) - batch.y).square().mean()}

    observer = Interrupt(stop_at)
    checkpoint = Checkpoint(folder / "toy.safetensors", key)
    sampler = Sampler(EXAMPLES, 3, seed=1, mirror=True)
    history = train("toy", model, losses, sampler, SCHEDULE, checkpoint, observer)
    return model.state_dict(), history, observer


def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path):
    whole, history, _ = run(tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", stop_at=8)
    resumed, resumed_history, observer = run(tmp_path / "b")
    assert observer.starts == [5]
    assert resumed_history == history
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_checkpoint_of_another_training_or_a_damaged_one_is_not_used(tmp_path: Path):
    run(tmp_path, key="a")
    assert run(tmp_path, key="b")[2].starts == [0]
    path = tmp_path / "toy.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    assert run(tmp_path, key="b")[2].starts == [0]


def test_divergence_names_step_and_term(tmp_path: Path):
    model = nn.Linear(1, 1)
    losses = [torch.tensor(1.0), torch.tensor(float("nan"))]

    def diverge(batch: Batch) -> dict[str, torch.Tensor]:
        return {"error": model(torch.ones(1, 1)).sum() * losses.pop(0)}

    sampler, checkpoint = Sampler(EXAMPLES, 3, 1), Checkpoint(tmp_path / "c.safetensors", "a")
    with pytest.raises(SanError, match=r"diverged at step 2 \(error=nan\): lower the learning"):
        train("toy", model, diverge, sampler, SCHEDULE, checkpoint, Observer())


def test_every_epoch_shows_every_example_once_in_a_new_order():
    sampler = Sampler(EXAMPLES, 5, seed=1)
    epochs = [
        torch.cat([sampler.batch(step).identity for step in steps]).tolist()
        for steps in ((0, 1), (2, 3))
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_a_batch_depends_on_its_step_only():
    straight, jumping = Sampler(EXAMPLES, 3, 1, mirror=True), Sampler(EXAMPLES, 3, 1, mirror=True)
    batches = [straight.batch(step) for step in range(8)]
    for step in (7, 2, 5):
        assert torch.equal(jumping.batch(step).X, batches[step].X)


def test_pixels_become_0_to_1_and_a_mirror_turns_left_and_right():
    X = Sampler(EXAMPLES, 10, seed=1).batch(0).X
    mirrored = Sampler(EXAMPLES, 10, seed=1, mirror=True).batch(0).X
    assert X.shape == (10, 1, 4, 4)
    assert X.max() <= 1
    turned = [torch.equal(a, b.flip(-1)) for a, b in zip(X, mirrored, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(X, mirrored, strict=True)]
    assert any(turned)
    assert any(same)
    assert all(a or b for a, b in zip(turned, same, strict=True))


def test_landmarks_go_with_their_image_into_the_mirror():
    straight = Sampler(EXAMPLES, 10, seed=1).batch(0)
    mirrored = Sampler(EXAMPLES, 10, seed=1, mirror=True).batch(0)
    for n in range(10):
        before, after = straight.landmarks[n], mirrored.landmarks[n]
        if torch.equal(straight.X[n], mirrored.X[n]):
            assert torch.equal(after, before)
        else:  # the eyes change places, and the first of four columns is the last
            expected = before[[2, 3, 0, 1, 4]] * torch.tensor([-1, 1]) + torch.tensor([3, 0])
            torch.testing.assert_close(after, expected)
    assert not torch.equal(straight.landmarks, mirrored.landmarks)


def test_stages_draw_different_numbers_from_one_seed():
    assert derived_seed(1, "train") != derived_seed(1, "pretrain")
    assert derived_seed(1, "train") == derived_seed(1, "train") < 2**63
