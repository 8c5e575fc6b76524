"""Fixtures: work trees with a real DVC pipeline, real MLflow databases, and nothing big."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

STAGE = Path(__file__).with_name("tiny_stage.py")
PARAMS = {
    "attribute": "Young",
    "seed": 1,
    "prototypes": {"align": "none"},
    "train": {"steps": 5, "learning_rate": 0.25},
}
REPORTS = {"train": ["reports/curves/train.csv", "reports/pictures/train.png"]}
OUTS = {
    "preprocess": ["data/crops"],
    "validate": ["reports/data_docs"],
    "train": ["models/autoencoder.safetensors", *REPORTS["train"]],
    "evaluate": ["reports/evaluation"],
    "export": ["models/export"],
}
DEPS = {
    "preprocess": [],
    "validate": ["data/crops"],
    "train": ["data/crops"],
    "evaluate": ["models/autoencoder.safetensors", "data/crops"],
    "export": ["models/autoencoder.safetensors"],
}
SETTINGS = {
    "preprocess": ["attribute"],
    "train": ["attribute", "seed", "train"],
    "export": ["attribute", "prototypes"],
}


def dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def repro(root: Path, **params: object) -> None:
    """Change parameters and let DVC bring the pipeline up to date."""
    change(root, **params)
    done = dvc(root, "repro")
    assert done.returncode == 0, done.stdout + done.stderr


def change(root: Path, **params: object) -> None:
    path = root / "params.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **params}))


def build(root: Path) -> None:
    (root / ".gitignore").write_text("/.san/\n/mlflow/\n/empty.db\n")
    (root / "mlflow").mkdir()
    shutil.copy(root / "empty.db", root / "mlflow/mlflow.db")
    stages = {
        name: {
            "cmd": f"{sys.executable} {STAGE} {name}",
            "deps": DEPS[name],
            "params": SETTINGS.get(name, ["attribute"]),
            "outs": OUTS[name],
            "metrics": [{f"reports/{name}.json": {"cache": False}}],
        }
        for name in OUTS
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    git(root, "init", "--quiet")
    assert dvc(root, "init", "--quiet").returncode == 0
    repro(root)
    git(root, "add", "--all", ".")
    git(root, "commit", "--quiet", "--message", "reproduced")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reproduced work tree with an MLflow database that holds nothing of it."""
    root = tmp_path_factory.getbasetemp() / "tiny-template"
    if not root.exists():  # the fixture is known to two folders of tests
        root.mkdir()
        MlflowClient(f"sqlite:///{root}/empty.db").search_experiments()
        build(root)
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reproduced work tree of which MLflow knows nothing yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("SAN_PIPELINE_RUN", raising=False)
    root = tmp_path / "project"
    shutil.copytree(template, root, ignore=shutil.ignore_patterns(".san", "mlflow"))
    (root / "mlflow").mkdir()
    # Making a database takes MLflow seconds, opening one does not.
    (root / "empty.db").rename(root / "mlflow/mlflow.db")
    return root
