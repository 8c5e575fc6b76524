"""A training that is lost stops with one sentence; one that is not goes on."""

from pathlib import Path

import pytest
import torch
from torch import nn
from toy_training import EXAMPLES, Heard

from sanmodel.errors import SanError
from sanmodel.settings import Schedule, TrainerSettings
from sanmodel.training.checkpoint import Checkpoint, Progress
from sanmodel.training.data import Sampler
from sanmodel.training.divergence import WINDOW, has_exploded, outputs_checked
from sanmodel.training.hardware import launch
from sanmodel.training.loop import Task, train


def run(folder: Path, factors: list[float], model: nn.Module | None = None, every: int = 2):
    """Train a weight of 1 whose loss is multiplied by another factor in each step."""
    model = model or nn.Linear(1, 1, bias=False)
    nn.init.ones_(next(model.parameters()))
    remaining = iter(factors)

    def losses(batch):
        value = model(torch.ones(1, 1)).sum()
        return {"steady": value * 0 + 1, "error": value * next(remaining)}

    schedule = Schedule(steps=len(factors), learning_rate=1e-6, checkpoint_every=every)
    checkpoint = Checkpoint(folder / "c.safetensors", {})
    fabric = launch(TrainerSettings(accelerator="cpu"))
    sampler = Sampler(EXAMPLES, 3, 1)
    return train(Task("toy", model, losses), sampler, schedule, checkpoint, fabric, Heard())


def test_a_loss_that_is_no_number_names_step_terms_and_the_last_checkpoint(tmp_path: Path):
    message = (
        r"diverged at step 4 \(steady=1, error=nan\): lower the learning_rate, with which"
        r" it starts again;"
        r" the last good checkpoint is .*c\.safetensors, step 2"
    )
    with pytest.raises(SanError, match=message):
        run(tmp_path, [1, 1, 1, float("nan"), 1])


def test_there_may_be_no_checkpoint_yet(tmp_path: Path):
    with pytest.raises(SanError, match=r"step 1 \(.*error=inf\): .*; there is no checkpoint yet"):
        run(tmp_path, [float("inf"), 1])


def test_a_checkpoint_with_weights_that_are_no_numbers_is_not_written(tmp_path: Path):
    """The loss is finite, its gradient is not: the square root at zero."""

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))
            self.calls = 0

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return (self.weight * 0).sqrt() if self.calls == 4 else self.weight

    with pytest.raises(SanError, match=r"step 4 \(.*then weight is not finite\).*, step 2"):
        run(tmp_path, [1] * 5, Root())


def test_an_output_that_is_no_number_is_found_before_the_losses_stumble(tmp_path: Path):
    class Overflow(nn.Linear):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            return super().forward(X) * (float("inf") if len(calls) == 3 else 1)

    calls: list[int] = []
    with pytest.raises(
        SanError, match=r"step 3 \(steady=1, error=1, then the output of Overflow is not finite\)"
    ):
        run(tmp_path, [1] * 5, Overflow(1, 1, bias=False))


@pytest.mark.parametrize("pack", [list, tuple, lambda two: {"a": two[0], "b": [two[1], None]}])
def test_outputs_are_found_however_they_are_packed(pack, tmp_path: Path):
    class Packing(nn.Linear):
        def forward(self, X: torch.Tensor):
            return pack([super().forward(X), X / 0])

    network = Packing(1, 1)
    with pytest.raises(SanError, match=r"step 1 \(the output of Packing is not finite\)"):
        with outputs_checked(network, Progress(), tmp_path):
            network(torch.ones(1, 1))


def test_a_loss_that_stays_far_above_its_start_stops_and_keeps_the_checkpoint_before(
    tmp_path: Path,
):
    with pytest.raises(SanError, match=r"diverged at step 42 \(.*error=100\): .*, step 22"):
        run(tmp_path, [1.0] * 22 + [100.0] * 30)
    with pytest.raises(SanError, match=r"diverged at step 21 "):
        run(tmp_path / "at once", [1.0] + [100.0] * 30)


def test_a_loss_that_jumps_comes_back_and_may_be_small(tmp_path: Path):
    jumps = [1.0] + [1000.0] * (WINDOW - 1) + [1.0] + [40.0] * 2 * WINDOW
    small = [1.0] * WINDOW + [1e-6] * WINDOW + [0.5] * WINDOW
    for number, factors in enumerate((jumps, small)):
        assert len(run(tmp_path / str(number), factors)) == len(factors)


def test_a_term_that_joins_makes_another_loss_with_a_start_of_its_own():
    alone, joined = [{"error": 1.0}] * 5, {"more": 1e3, "error": 1e3}
    assert not has_exploded([*alone, joined, joined])
    assert not has_exploded([*alone, joined], back=1)
    assert not has_exploded([*alone, joined, joined | {"error": 4e4}])
    assert has_exploded([*alone, joined, joined | {"error": 6e4}])


def test_a_loss_that_starts_at_or_below_zero_is_not_compared():
    assert not has_exploded([{"error": -1.0}, {"error": 1e9}])
