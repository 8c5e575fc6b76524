"""The exported model as a new version of the registered model, under the alias ``challenger``."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec
from numpy.typing import NDArray

from sanmodel.images import IMAGE_SIZE
from sanmodel.paths import Paths
from sanmodel.runtime.manifest import Manifest, load_manifest
from sanmodel.settings import load_settings
from sanmodel.tracking.aliases import CHALLENGER
from sanmodel.tracking.location import experiment_name, tracking_uri
from sanmodel.tracking.lock import check_current, read_lock
from sanmodel.tracking.memory import remember_state
from sanmodel.tracking.pipeline import file_state, headline_metrics, lock_tags
from sanmodel.tracking.source import source_tags
from sanmodel.tracking.store import LOCK_TAG, ambient, explained

SCRIPT = Path(__file__).with_name("pyfunc_model.py")
REQUIREMENTS = ("mlflow", "numpy", "onnxruntime")

LEFT_OUT = ("probes.", "sets.")
"""Beginnings of names of figures, hundreds, that a version leaves to its run."""

_LANDMARKS = [[145, 104], [126, 105], [79, 104], [98, 105], [112, 145]]
_EXAMPLES = {
    "image": np.ones((2, IMAGE_SIZE, IMAGE_SIZE), np.uint8),
    "attribute": np.array([0, 1]),
    "landmarks": np.array([_LANDMARKS, _LANDMARKS], np.float32),
}
"""Two faces, by the name of the input."""


def register_state(root: Path) -> str:
    """Register the export of the state in ``dvc.lock``; returns the version's number.

    A state that is registered already keeps its version, which becomes the challenger again.

    Raises:
        SanError: If the work tree is not in that state, a file of the export is altered, or
            MLflow refuses or cannot be reached.
    """
    paths = Paths(root)
    check_current(root)
    manifest = load_manifest(paths.export)
    run_id = file_state(root)
    name = experiment_name(load_settings(paths.params))
    # The registry and `log_model` take the store from the environment.
    with explained(), ambient(tracking_uri(root)):
        client = MlflowClient()
        tags = _version_tags(paths, manifest)
        number = _registered(client, name, tags[LOCK_TAG])
        if number is None:
            number = _create(client, name, run_id, tags, _log_model(paths, manifest, run_id))
        else:  # by now a commit may hold what made it
            for key, value in source_tags(root).items():
                client.set_model_version_tag(name, number, key, value)
        client.set_registered_model_alias(name, CHALLENGER, number)
    remember_state(paths, "registered", number)
    return number


def _registered(client: MlflowClient, name: str, lock_sha256: str) -> str | None:
    """Return the version that was made of a ``dvc.lock``, if there is one."""
    query = f"name = '{name}' and tags.`{LOCK_TAG}` = '{lock_sha256}'"
    versions = client.search_model_versions(query, max_results=1)
    return str(versions[0].version) if versions else None


def _log_model(paths: Paths, manifest: Manifest, run_id: str) -> str:
    """Store the pyfunc model with the pipeline run; returns its URI."""
    # The mode is a parameter, one for all faces.
    ports = [port for port in manifest.inputs if port.name != "mode"]
    example = {port.name: _EXAMPLES[port.name].astype(port.dtype) for port in ports}
    with mlflow.start_run(run_id=run_id):
        info = mlflow.pyfunc.log_model(
            name="san",
            python_model=str(SCRIPT),
            artifacts={"export": str(paths.export)},
            signature=_signature(example),
            input_example=example,
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        )
    return str(info.model_uri)


def _signature(example: dict[str, NDArray[Any]]) -> ModelSignature:
    """Return the types of the model's inputs, of any number of faces, and of its output."""
    return ModelSignature(
        inputs=Schema(
            [
                TensorSpec(values.dtype, (-1, *values.shape[1:]), name)
                for name, values in example.items()
            ]
        ),
        outputs=Schema([TensorSpec(example["image"].dtype, (-1, IMAGE_SIZE, IMAGE_SIZE))]),
        params=ParamSchema([ParamSpec("mode", "string", "opposite")]),
    )


def _create(
    client: MlflowClient, name: str, run_id: str, tags: dict[str, str], model_uri: str
) -> str:
    """Make the version, and the registered model if this is its first."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = model_uri.removeprefix("models:/")
    created = client.create_model_version(name, model_uri, run_id, tags, model_id=model_id)
    return str(created.version)


def _version_tags(paths: Paths, manifest: Manifest) -> dict[str, str]:
    """Return what a reader of the registry wants to know of a version."""
    metrics = headline_metrics(paths, read_lock(paths.root))
    told = {name: value for name, value in metrics.items() if not name.startswith(LEFT_OUT)}
    crop = {f"crop.{name}": str(value) for name, value in manifest.crop}
    return {
        **lock_tags(paths.root),
        "san.onnx_sha256": manifest.file("onnx").sha256,
        **crop,
        **{name: f"{value:.6g}" for name, value in told.items()},
    }
