"""One year in small: train, promote, retrain better and worse, roll back, reproduce.

Stages, networks, registry and gate are the real ones, on six people and three training steps. So
small a model protects nothing: the rules of this year ask how much it spoils the images.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient
from small import small_settings

from sanmodel.files import read_json, sha256
from sanmodel.tracking import tracking_uri

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RULES = {
    "floors": {
        "min_error": None,
        "max_match_loss": None,
        "max_same_error_rise": None,
        "max_undetected": None,
        "max_attacker_auc": None,
        "min_psnr": 12,
        "min_ssim": None,
        "max_latency": 60,
    },
    "champion": {"min_error_gain": None, "max_match_fall": None, "max_psnr_fall": 1},
}


def shell(root: Path, *command: str, expect: int = 0) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": str(PROJECT), "PREFECT_HOME": str(root / ".san/prefect")}
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(root: Path, message: str) -> None:
    shell(root, "git", "add", "--all")
    shell(root, "git", "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-qm", message)


def retrain(root: Path, **train: float) -> str:
    """Change the training's settings, commit them, run the pipeline and register its model."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["train"] |= train
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    commit(root, f"train with {train}")
    shell(root, "dvc", "repro")
    shell(root, "san", "register")
    return sha256(root / "models/autoencoder.safetensors")


def aliases(root: Path) -> dict[str, str]:
    found: dict[str, Any] = (
        MlflowClient(tracking_uri(root)).get_registered_model("san-male").aliases
    )
    return {alias: str(version) for alias, version in found.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of this project, shrunk, before anything ran."""
    root = tmp_path_factory.mktemp("year")
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(PROJECT / name, root)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "sanmodel", root / "sanmodel", ignore=ignore)
    (root / "data/sets").mkdir(parents=True)
    shutil.copy(PROJECT / "data/sets/README.md", root / "data/sets")
    settings = small_settings(evaluate={"probes": ["detection"]})
    (root / "params.yaml").write_text(yaml.safe_dump(settings.model_dump(by_alias=True)))
    (root / "mlflow").mkdir()
    (root / "mlflow/promotion.yaml").write_text(yaml.safe_dump(RULES))
    shell(root, "git", "init", "-q")
    shell(root, "dvc", "init", "-q")
    commit(root, "start")
    return root


def test_a_year(root: Path, tmp_path: Path) -> None:
    # January: a first model. It has to pass the floors; there is no champion to beat.
    retrain(root, learning_rate=0.02)
    told = shell(root, "san", "registry", "promote")
    assert "accepted" in told
    assert aliases(root) == {"champion": "1"}

    # April: a better one.
    weights = retrain(root, learning_rate=0.001)
    assert aliases(root) == {"champion": "1", "challenger": "2"}
    shell(root, "san", "registry", "gate")
    assert aliases(root) == {"champion": "1", "challenger": "2"}
    told = shell(root, "python", "-m", "flows.promote")
    assert "Promoted" in told
    assert aliases(root) == {"champion": "2", "previous": "1"}

    # A night in May: does the champion still protect, by the networks of today?
    shell(root, "python", "-m", "flows.evaluate")
    assert "| champion |" in (root / "reports/promotion/assessment.md").read_text()

    # July: a worse one does not get in, and the reasons are written down.
    retrain(root, learning_rate=0.2)
    told = shell(root, "san", "registry", "promote", expect=3)
    assert "refused" in told
    assert "PSNR" in told
    decision = read_json(root / "reports/promotion/decision.json")
    assert (decision["accepted"], decision["promoted"]) == (False, False)
    assert any("PSNR" in reason for reason in decision["reasons"])
    assert aliases(root) == {"champion": "2", "previous": "1", "challenger": "3"}
    version = MlflowClient(tracking_uri(root)).get_model_version("san-male", "3")
    assert version.tags["san.decision"] == "refused"
    assert "PSNR" in version.tags["san.reasons"]

    # October: the champion leaks, and one command goes back.
    shell(root, "san", "registry", "rollback", "--reason", "a new classifier reads gender")
    assert aliases(root)["champion"] == "1"
    assert "a new classifier" in shell(root, "san", "registry", "show", "2")

    # December: the model of April is asked for again, and comes out the same.
    rebuilt = tmp_path / "rebuilt"
    told = shell(root, "san", "reproduce", "models:/san-male/2", "--run", "--to", str(rebuilt))
    assert "the same weights" in told
    assert sha256(rebuilt / "models/autoencoder.safetensors") == weights

    # Production pulls what is in use.
    told = shell(root, "san", "pull", "models:/san-male@champion", str(tmp_path / "model"))
    assert "version 1 of san-male" in told
    table = shell(root, "san", "registry", "list")
    assert all(word in table for word in ("champion", "challenger", "refused", "promoted"))
