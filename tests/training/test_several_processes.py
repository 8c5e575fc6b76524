"""Two processes on the CPU do what one does with twice the batch."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from small import PROJECT, small_settings
from toy_training import SCHEDULE, train_toy

from sanmodel.files import read_json
from sanmodel.models.weights import load_weights
from sanmodel.paths import Paths
from sanmodel.settings import Schedule
from sanmodel.stages import pretrain

TESTS = PROJECT / "tests"


def start(command: list[str], folder: Path, **variables: str) -> str:
    """Run a command that is or starts two processes; return what it says."""
    places = os.pathsep.join([str(PROJECT), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": places, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes, the second one started by Fabric, leave of the toy training."""
    folder = tmp_path_factory.mktemp("toys")
    start([sys.executable, str(TESTS / "two_processes.py"), str(folder)], folder)
    return folder


def result(folder: Path, case: str, process: int = 0):
    content = json.loads((folder / f"{case}.{process}.json").read_text())
    return content["weights"], [terms["error"] for terms in content["history"]]


@pytest.mark.parametrize("case", ["plain", "accumulated"])
def test_losses_and_weights_are_those_of_one_process(case: str, toys: Path, tmp_path: Path):
    schedule = Schedule(**SCHEDULE.model_dump() | {"batch_size": 4})
    weights, history = train_toy(tmp_path, schedule=schedule, dropout=0)
    found, errors = result(toys, case)
    np.testing.assert_allclose(errors, [terms["error"] for terms in history], rtol=1e-5)
    for name, tensor in weights.items():
        np.testing.assert_allclose(found[name], tensor.numpy(), rtol=1e-4, atol=1e-6)


def test_both_processes_have_the_same_weights_and_losses(toys: Path):
    for case in ("plain", "accumulated", "dropout"):
        assert result(toys, case, 0) == result(toys, case, 1)


def test_each_process_has_random_numbers_of_its_own_and_resumes_them(toys: Path):
    assert result(toys, "resumed") == result(toys, "dropout")
    states = load_weights(toys / "dropout/toy.safetensors")["random.cpu"]
    assert len(states) == 2
    assert not torch.equal(*states)


def test_a_process_waits_for_the_weights_that_the_first_one_writes(tree: Paths):
    """All trainings, one after the other; the second process reads what the first one writes."""
    settings = small_settings()
    tree.params.write_text(yaml.safe_dump(settings.model_dump(by_alias=True)))
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = [str(TESTS / "two_process_stages.py"), str(tree.root)]
    start([sys.executable, "-m", *launcher, *program], tree.root)
    stages = ("train_classifier", "train_matcher", "pretrain", "train")
    assert all(tree.metrics(stage).exists() for stage in stages)
    assert not list(tree.scratch.glob("checkpoints/*"))


def test_a_stage_under_torchrun_is_one_stage_with_the_double_batch(tree: Paths, tmp_path: Path):
    """The command as it is documented; the second process writes nothing and is not heard."""
    settings = small_settings(pretrain={"steps": 5, "batch_size": 4})
    whole = Paths(tmp_path / "whole")
    whole.root.mkdir()
    for name in ("data", "models"):
        (whole.root / name).mkdir()
    (whole.root / "data/crops").symlink_to(tree.crops.resolve())
    whole.prototypes.symlink_to(tree.prototypes.resolve())
    pretrain.run(settings, whole)

    halves = small_settings(pretrain={"steps": 5, "batch_size": 2})
    tree.params.write_text(yaml.safe_dump(halves.model_dump(by_alias=True)))
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, "-m", *launcher, "-m", "sanmodel.cli", "pretrain"]
    nowhere = {"MLFLOW_TRACKING_URI": "http://localhost:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    said = start(command, tree.root, **nowhere)

    assert said.count("pretrain: 5/5") == 1
    one, two = (list(csv.DictReader(p.curve("pretrain").open())) for p in (whole, tree))
    for row, other in zip(one, two, strict=True):
        assert float(other["J_D"]) == pytest.approx(float(row["J_D"]), rel=1e-4)
    loss = read_json(whole.metrics("pretrain"))["J_D"]
    assert read_json(tree.metrics("pretrain"))["J_D"] == pytest.approx(loss, rel=1e-4)
    weights, others = load_weights(whole.pretrained), load_weights(tree.pretrained)
    for name, tensor in weights.items():
        torch.testing.assert_close(others[name], tensor, rtol=1e-3, atol=1e-4)
