"""Seeds run side by side on Dask, in work trees of their own, and each has its figures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prefect.artifacts import Artifact
from prefect.testing.utilities import prefect_test_harness
from small import PROJECT, small_settings

from flows.seeds import SEEDS, seeds, task_runner
from sanmodel.files import read_json
from sanmodel.paths import Paths
from sanmodel.stages import pretrain, train_classifier, train_matcher
from sanmodel.tracking import stage_names

SETTINGS = small_settings(autoencoder="skip", pretrain={"steps": 0}, train={"steps": 2})


@pytest.fixture(scope="module")
def root(crops_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree that is ready for the semi-adversarial training."""
    root = tmp_path_factory.mktemp("seeds")
    (root / "data").symlink_to(crops_root / "data")
    (root / "models").mkdir()
    shutil.copy(Paths(crops_root).prototypes, root / "models")
    (root / "params.yaml").write_text(yaml.safe_dump(SETTINGS.model_dump(by_alias=True)))
    for stage in (train_classifier, train_matcher, pretrain):
        stage.run(SETTINGS, Paths(root))
    return root


def test_each_seed_has_figures_of_its_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAN_SEEDS_AT_ONCE", "2")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    with prefect_test_harness(server_startup_timeout=120):
        seeds.with_options(task_runner=task_runner())([5, 6], root)
        artifact = Artifact.get(SEEDS)
    assert artifact is not None
    assert '"seed": 5' in str(artifact.data)
    one, other = (read_json(Paths(root).seed_metrics(number)) for number in (5, 6))
    assert one["psnr"] != other["psnr"]
    assert one["error_original"] == other["error_original"]
    assert not list((root / ".san/seeds").iterdir())


def test_the_matrix_of_dvc_does_the_same(root: Path) -> None:
    """The stage `seed` alone, with the project's own definition of it."""
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    stages["seed"]["deps"] = [path for path in stages["seed"]["deps"] if "sanmodel" not in path]
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"seed": stages["seed"]}}))
    settings = SETTINGS.model_copy(update={"seeds": [2, 3]})
    (root / "params.yaml").write_text(yaml.safe_dump(settings.model_dump(by_alias=True)))
    assert stage_names(root) == ["seed@2", "seed@3"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for arguments in (["init", "--no-scm", "-q"], ["repro", "seed@2"]):
        command = [sys.executable, "-m", "dvc", *arguments]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert read_json(Paths(root).seed_metrics(2))["error_OP"] >= 0
