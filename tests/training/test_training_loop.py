"""The loop on a toy regression: resumption, learning rate, accumulation, pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toy_training import EXAMPLES, SCHEDULE, Heard, Toy, train_toy

from sanmodel.settings import Schedule, TrainerSettings
from sanmodel.training.checkpoint import Checkpoint
from sanmodel.training.data import Sampler
from sanmodel.training.determinism import derived_seed
from sanmodel.training.hardware import launch
from sanmodel.training.loop import Task, train

CPU = TrainerSettings(accelerator="cpu")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("joins", [None, 3, 7])
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path, joins: int | None):
    """A second loss term joins never, before the checkpoint at 5 steps, or after it."""
    schedule = Schedule(**SCHEDULE.model_dump() | {"warmup": 4, "decay": "cosine"})
    whole, history = train_toy(tmp_path / "a", schedule=schedule, joins=joins)
    alone = [list(terms) == ["error"] for terms in history]
    assert alone == [joins is None or step < joins for step in range(12)]
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path / "b", Heard(stop_at=8), schedule, joins=joins)
    heard = Heard()
    resumed, resumed_history = train_toy(tmp_path / "b", heard, schedule, joins=joins)
    assert heard.starts == [5]
    assert resumed_history == history
    assert same(whole, resumed)


def test_the_learning_rate_follows_its_schedule(tmp_path: Path):
    """With one weight and the gradient 1, Adam's first steps are as long as the learning rate."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    places = []

    def losses(batch):
        places.append(model.weight.item())
        return {"slope": model(torch.ones(1, 1)).sum()}

    schedule = Schedule(steps=6, batch_size=3, learning_rate=0.1, warmup=2, decay="cosine")
    checkpoint = Checkpoint(tmp_path / "c.safetensors", {})
    task, sampler = Task("slope", model, losses), Sampler(EXAMPLES, 3, 1)
    train(task, sampler, schedule, checkpoint, launch(CPU), Heard())
    lengths = -np.diff([*places, model.weight.item()])
    half = 0.5 + np.sqrt(0.125)  # half a cosine after 1 of 4 steps: (1 + cos 45 degrees) / 2
    expected = [0.05, 0.1, 0.1, 0.1 * half, 0.05, 0.1 * (1 - half)]
    np.testing.assert_allclose(lengths, expected, rtol=1e-4)


def test_weights_without_a_gradient_decay_and_biases_do_not(tmp_path: Path):
    model = nn.Linear(2, 2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def losses(batch):
        return {"nothing": 0 * model(torch.ones(1, 2)).sum()}

    schedule = Schedule(steps=2, learning_rate=0.1, warmup=2, weight_decay=0.5)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", {})
    task, sampler = Task("decay", model, losses), Sampler(EXAMPLES, 3, 1)
    train(task, sampler, schedule, checkpoint, launch(CPU), Heard())
    expected = before["weight"] * (1 - 0.05 * 0.5) * (1 - 0.1 * 0.5)
    torch.testing.assert_close(model.weight, expected)
    assert torch.equal(model.bias, before["bias"])


def test_batches_that_are_accumulated_are_one_large_batch(tmp_path: Path):
    """Without dropout; the mean of the parts' gradients is the gradient of the whole."""
    results = {}
    for size, accumulate in ((6, 1), (2, 3)):
        torch.manual_seed(0)
        model = Toy().eval()

        def losses(batch, model=model):
            return {"error": (model(batch.X) - batch.y).square().mean()}

        schedule = Schedule(steps=5, batch_size=size, accumulate=accumulate, learning_rate=0.01)
        sampler = Sampler(EXAMPLES, size, seed=1, mirror=True, parts=accumulate)
        checkpoint = Checkpoint(tmp_path / f"{size}.safetensors", {})
        task = Task("toy", model, losses)
        history = train(task, sampler, schedule, checkpoint, launch(CPU), Heard())
        results[size] = model.state_dict(), [terms["error"] for terms in history]
    (whole, losses_whole), (parts, losses_parts) = results.values()
    np.testing.assert_allclose(losses_parts, losses_whole, rtol=1e-5)
    for name in whole:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-4, atol=1e-6)


def test_pictures_come_every_so_many_steps_and_change_nothing(tmp_path: Path):
    without, _ = train_toy(tmp_path / "a")
    model_modes = []

    def draw_with(model):
        def draw():
            model_modes.append((model.training, torch.is_grad_enabled()))
            torch.rand(3)  # numbers that the training must not miss
            return np.zeros((4, 8), np.uint8)

        return draw

    torch.manual_seed(derived_seed(1, "toy"))
    model = Toy()

    def losses(batch):
        return {"error": (model(batch.X) - batch.y).square().mean()}

    schedule = Schedule(**SCHEDULE.model_dump() | {"picture_every": 5})
    task, heard = Task("toy", model, losses, pictures=draw_with(model)), Heard()
    sampler = Sampler(EXAMPLES, 3, seed=1, mirror=True)
    train(task, sampler, schedule, Checkpoint(tmp_path / "b", {}), launch(CPU), heard)
    assert heard.pictures == [("toy", step, (4, 8)) for step in (5, 10, 12)]
    assert model_modes == [(False, False)] * 3
    assert model.training
    assert same(without, model.state_dict())


def test_images_per_second_are_told(tmp_path: Path):
    heard = Heard()
    train_toy(tmp_path, heard)
    assert len(heard.speeds) == 3  # of 12 steps, those with nine others before them
    assert min(heard.speeds) > 0


def test_bfloat16_computes_the_networks_and_keeps_weights_and_losses(tmp_path: Path):
    trainer = TrainerSettings(accelerator="cpu", precision="bf16-mixed")
    exact, history = train_toy(tmp_path / "a")
    mixed, mixed_history = train_toy(tmp_path / "b", trainer=trainer)
    assert all(weight.dtype == torch.float32 for weight in mixed.values())
    assert not same(exact, mixed)
    for one, other in zip(history, mixed_history, strict=True):
        assert one["error"] == pytest.approx(other["error"], abs=0.02)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_gpu_trains_resumes_and_gives_the_model_back(tmp_path: Path, precision: str):
    trainer = TrainerSettings(accelerator="cuda", precision=precision)
    whole, _ = train_toy(tmp_path / "a", trainer=trainer)
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path / "b", Heard(stop_at=8), trainer=trainer)
    heard = Heard()
    resumed, _ = train_toy(tmp_path / "b", heard, trainer=trainer)
    assert heard.starts == [5]
    for name, tensor in whole.items():
        assert tensor.device.type == "cpu"
        torch.testing.assert_close(resumed[name], tensor)
