"""A registered model perturbs faces where only MLflow, NumPy and ONNX Runtime are."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from tiny_project import repro

from sanmodel.errors import SanError
from sanmodel.files import read_json, sha256
from sanmodel.tracking import file_pipeline, register, tracking_uri

NAME = "san-young"
ELSEWHERE = """
import sys
sys.modules["sanmodel"] = None  # as if it were not installed
import mlflow.pyfunc, numpy as np
model = mlflow.pyfunc.load_model("models:/san-young@challenger")
faces = {"image": np.full((1, 224, 224), 55, np.uint8), "attribute": np.array([1])}
print(model.predict(faces, params={"mode": "opposite"})[0, 0, 0])
assert "torch" not in sys.modules
"""


@pytest.fixture
def predict(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., NDArray[np.uint8]]:
    register(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(project))
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")

    def call(count: int, label: int, **params: str) -> NDArray[np.uint8]:
        faces = {"image": np.full((count, 224, 224), 51, np.uint8)}
        perturbed: NDArray[np.uint8] = model.predict(
            {**faces, "attribute": np.full(count, label)}, params=params
        )
        return perturbed

    return call


def test_the_registered_model_perturbs(predict: Callable[..., NDArray[np.uint8]]) -> None:
    # The tiny graph: X, X / 2 and |y - X|.
    for mode, label, expected in [
        ("same", 0, 51), ("neutral", 0, 26), ("opposite", 0, 51), ("opposite", 1, 204)
    ]:  # fmt: skip
        perturbed = predict(1, label, mode=mode)
        assert (perturbed.shape, perturbed.dtype) == ((1, 224, 224), np.uint8)
        assert (perturbed == expected).all()
    assert (predict(2, 1) == 204).all()  # opposite is the default
    assert predict(10, 1).shape == (10, 224, 224)  # more than the graph takes at once


def test_wrong_inputs_are_refused(predict: Callable[..., NDArray[np.uint8]]) -> None:
    with pytest.raises(ValueError, match="there is no mode 'other': choose one of same"):
        predict(1, 1, mode="other")
    with pytest.raises(ValueError, match="give 0 or 1 for each image"):
        predict(1, -1)


def test_an_aligned_model_asks_for_landmarks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repro(project, prototypes={"align": "landmarks"})
    register(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(project))
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")
    faces = {"image": np.full((9, 224, 224), 5, np.uint8), "attribute": np.ones(9, np.int64)}
    # The tiny graph: X times the mean of the face's landmarks, here 5 to 13.
    landmarks = np.tile(np.linspace(0, 10, 10, dtype=np.float32).reshape(5, 2), (9, 1, 1))
    landmarks += np.arange(9, dtype=np.float32)[:, None, None]
    perturbed = model.predict({**faces, "landmarks": landmarks}, params={"mode": "same"})
    assert perturbed[:, 0, 0].tolist() == [5 * (5 + n) for n in range(9)]
    with pytest.raises(MlflowException, match="missing inputs.*landmarks"):
        model.predict(faces)
    with pytest.raises(ValueError, match="give five different points for each image"):
        model.predict({**faces, "landmarks": np.full_like(landmarks, 100)})


def test_a_version_says_what_it_is_of(project: Path) -> None:
    number = register(project)
    client = MlflowClient(tracking_uri(project))
    version = client.get_model_version_by_alias(NAME, "challenger")
    manifest = read_json(project / "models/export/manifest.json")
    assert str(version.version) == number
    assert version.run_id == file_pipeline(project)
    assert version.tags["san.dvc_lock"] == sha256(project / "dvc.lock")
    assert version.tags["san.onnx_sha256"] == manifest["files"][0]["sha256"]
    assert version.tags["crop.crop_scale"] == "1.7"
    assert version.tags["classifiers.tiny_1.opposite.error"] == "0.4"
    assert not any(name.startswith(("probes.", "sets.")) for name in version.tags)
    assert len(version.tags["mlflow.source.git.commit"]) == 40
    assert client.get_run(version.run_id).info.status == "FINISHED"


def test_a_state_is_registered_once_and_a_new_one_becomes_the_challenger(project: Path) -> None:
    first = register(project)
    assert register(project) == first
    repro(project, seed=2)
    second = register(project)
    assert int(second) == int(first) + 1
    client = MlflowClient(tracking_uri(project))
    assert str(client.get_model_version_by_alias(NAME, "challenger").version) == second
    (project / ".san/registered.json").unlink()  # the scratch folder is safe to delete
    assert register(project) == second


def test_the_model_runs_in_another_process_without_this_package(project: Path) -> None:
    register(project)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(project)}
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200"]


def test_no_pickle_is_stored(project: Path) -> None:
    register(project)
    names = {path.name for path in (project / "mlflow/artifacts").rglob("*") if path.is_file()}
    assert {"san.onnx", "manifest.json", "pyfunc_model.py"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]


def test_an_altered_model_is_not_loaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(project)
    (stored,) = (project / "mlflow/artifacts").rglob("san.onnx")
    stored.write_bytes(stored.read_bytes() + b" ")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(project))
    with pytest.raises((ValueError, MlflowException), match=r"san\.onnx is not the file that"):
        mlflow.pyfunc.load_model(f"models:/{NAME}@challenger")


def test_an_altered_export_is_not_registered(project: Path) -> None:
    exported = project / "models/export/san.onnx"
    exported.write_bytes(exported.read_bytes() + b" ")
    with pytest.raises(SanError, match=r"stage export\): run `dvc repro` first"):
        register(project)


def test_registering_is_quiet(project: Path) -> None:
    program = "from pathlib import Path; from sanmodel.tracking import register; register(Path())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
