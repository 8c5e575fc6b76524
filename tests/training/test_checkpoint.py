"""A checkpoint is used by the training that wrote it, and by no other."""

from pathlib import Path

import pytest
import torch
from torch import nn
from toy_training import SCHEDULE, Heard, train_toy

from sanmodel.models.weights import load_weights, read_about, save_weights
from sanmodel.settings import Schedule, TrainerSettings
from sanmodel.training.checkpoint import Checkpoint
from sanmodel.training.hardware import launch


def restart(folder: Path, **changes) -> Heard:
    heard = Heard()
    train_toy(folder, heard, **changes)
    return heard


def test_the_configuration_stands_in_the_file_in_words(tmp_path: Path):
    train_toy(tmp_path)
    about = read_about(tmp_path / "toy.safetensors")
    assert about["config"] == '{"seed": 1, "toy.learning_rate": 0.01}'
    assert about["terms"] == '["error"]'


def test_another_configuration_starts_again_and_the_key_is_named(tmp_path: Path):
    train_toy(tmp_path)
    changed = Schedule(**SCHEDULE.model_dump() | {"learning_rate": 0.02})
    heard = restart(tmp_path, schedule=changed)
    assert heard.starts == [0]
    (note,) = heard.notes
    (kept,) = tmp_path.glob("toy.*.safetensors")
    assert note == (
        f"the checkpoint {tmp_path / 'toy.safetensors'} is of another configuration:"
        f" toy.learning_rate was 0.01 and is 0.02; it is kept as {kept}, and the training starts"
        " again at step 0"
    )
    (note,) = restart(tmp_path, seed=2).notes
    assert "seed was 1 and is 2, toy.learning_rate was 0.02 and is 0.01" in note


def test_with_the_old_configuration_the_training_goes_on(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, Heard(stop_at=8))
    restart(tmp_path, seed=2)
    heard = Heard()
    weights, history = train_toy(tmp_path, heard)
    assert heard.starts == [5]
    assert "and the training goes on from" in heard.notes[0]
    expected, losses = train_toy(tmp_path / "whole")
    assert history == losses
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert restart(tmp_path, seed=2).starts == [12]


def test_how_often_checkpoints_are_written_is_no_other_configuration(tmp_path: Path):
    train_toy(tmp_path)
    heard = restart(tmp_path, schedule=Schedule(**SCHEDULE.model_dump() | {"checkpoint_every": 2}))
    assert (heard.starts, heard.notes) == ([12], [])


def test_a_network_of_another_shape_starts_again(tmp_path: Path):
    train_toy(tmp_path)
    heard = restart(tmp_path, ballast=3)
    assert heard.starts == [0]
    assert "the shape of ballast was 0 and is 3" in heard.notes[0]


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_a_checkpoint_that_is_cut_short_is_named_and_not_used(tmp_path: Path, size: int):
    train_toy(tmp_path)
    path = tmp_path / "toy.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    heard = restart(tmp_path)
    assert heard.starts == [0]
    assert heard.notes == [
        f"the checkpoint {path} is damaged or cut short; the training starts again at step 0"
    ]


def test_a_file_of_another_kind_or_an_older_form_is_not_used(tmp_path: Path):
    own = '{"seed": 1, "toy.learning_rate": 0.01}'
    for about in (
        {"kind": "autoencoder"},
        {"kind": "checkpoint", "key": "0123"},
        {"kind": "checkpoint", "config": own},
        {"kind": "checkpoint", "config": own, "terms": "["},
    ):
        save_weights(tmp_path / "toy.safetensors", {"a": torch.ones(1)}, **about)
        heard = restart(tmp_path)
        assert heard.starts == [0]
        assert len(heard.notes) == 1


def test_it_holds_the_random_state_and_the_optimizers(tmp_path: Path):
    fabric = launch(TrainerSettings(accelerator="cpu"))
    train_toy(tmp_path)
    tensors = load_weights(tmp_path / "toy.safetensors")
    assert tensors["random.cpu"].shape == (1, len(torch.get_rng_state()))
    assert tensors["optimizer.0.step"] == 12
    assert tensors["history"].shape == (12, 1)
    checkpoint = Checkpoint(tmp_path / "toy.safetensors", {})
    assert checkpoint.restore(nn.Linear(1, 1), torch.optim.Adam([nn.Parameter()]), fabric).step == 0


def test_deleting_takes_an_unfinished_file_along_and_nothing_else(tmp_path: Path):
    names = ["a.safetensors", ".a.safetensors.partial", "aa.safetensors"]
    for name in names:
        (tmp_path / name).touch()
    Checkpoint(tmp_path / names[0], {}).delete()
    assert [path.name for path in tmp_path.iterdir()] == ["aa.safetensors"]
