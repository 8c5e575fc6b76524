"""One experiment of an MLflow store: the only part that speaks to MLflow's tracking API."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from sanmodel.errors import SanError
from sanmodel.settings import Settings
from sanmodel.tracking.location import (
    TRACKING_URI,
    artifact_location,
    experiment_name,
    reason,
    tracking_uri,
)

LOCK_TAG = "san.dvc_lock"
"""Tag of a pipeline run and of a model version: SHA-256 of the ``dvc.lock`` that it is of."""

# Largest numbers that MLflow accepts in one request, together at most 1,000.
_METRICS, _PARAMS, _TAGS = 800, 100, 100


@dataclass(frozen=True)
class Store:
    """The experiment of one attribute.

    Attributes:
        uri: Tracking URI.
        client: Client of that store.
        experiment_id: The experiment.
    """

    uri: str
    client: MlflowClient
    experiment_id: str

    def start(
        self,
        name: str,
        parent: str | None = None,
        started: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Open a run.

        Args:
            name: What the run table calls it.
            parent: Run that it belongs to.
            started: When it began, in milliseconds since 1970; now if None.
            tags: Of the run from its first moment on.
        """
        tags = {**(tags or {}), **({MLFLOW_PARENT_RUN_ID: parent} if parent else {})}
        run = self.client.create_run(
            self.experiment_id, run_name=name, tags=tags, start_time=started or now()
        )
        return str(run.info.run_id)

    def log(
        self,
        run_id: str,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add parameters that the run lacks, and metrics and tags."""
        known = self.client.get_run(run_id).data.params if params else {}
        new = [Param(k, str(v)) for k, v in (params or {}).items() if k not in known]
        labels = [RunTag(k, str(v)) for k, v in (tags or {}).items()]
        for part in _parts(new, _PARAMS):
            self.client.log_batch(run_id, params=part)
        for part in _parts(labels, _TAGS):
            self.client.log_batch(run_id, tags=part)
        self.log_steps(run_id, {0: metrics or {}}, now())

    def log_steps(
        self, run_id: str, steps: Mapping[int, Mapping[str, float]], timestamp: int
    ) -> None:
        """Add the metrics of several steps, all with one time in milliseconds since 1970."""
        values = [
            Metric(name, value, timestamp, step)
            for step, terms in steps.items()
            for name, value in terms.items()
        ]
        for part in _parts(values, _METRICS):
            self.client.log_batch(run_id, metrics=part)

    def logged_steps(self, run_id: str, name: str) -> set[int]:
        """Return the steps that a run has a metric of."""
        return {metric.step for metric in self.client.get_metric_history(run_id, name)}

    def log_files(self, run_id: str, files: Sequence[Path], folder: str | None = None) -> None:
        """Copy files and folders to the run's artifacts, under ``folder``."""
        for path in files:
            if path.is_dir():
                target = f"{folder}/{path.name}" if folder else path.name
                self.client.log_artifacts(run_id, str(path), target)
            else:
                self.client.log_artifact(run_id, str(path), folder)

    def log_inputs(self, run_id: str, inputs: Sequence[DatasetInput]) -> None:
        """Note the data sets that a run read."""
        self.client.log_inputs(run_id, datasets=list(inputs))

    def finish(self, run_id: str, status: str = "FINISHED", ended: int | None = None) -> None:
        """Close a run with MLflow's ``status``, at ``ended`` in milliseconds since 1970 or now."""
        self.client.set_terminated(run_id, status, ended or now())

    def adopt(self, run_id: str, parent: str) -> bool:
        """Make a run a child of ``parent``; False if it is gone."""
        run = self.find(run_id)
        if run is None or run.info.lifecycle_stage != "active":
            return False
        self.client.set_tag(run_id, MLFLOW_PARENT_RUN_ID, parent)
        return True

    def find(self, run_id: str) -> Run | None:
        """Return a run, or None if the store has no such run."""
        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def filed(self, lock_sha256: str) -> str | None:
        """Return the finished pipeline run of a ``dvc.lock``, if there is one."""
        query = f"tags.`{LOCK_TAG}` = '{lock_sha256}' and attributes.status = 'FINISHED'"
        runs = self.client.search_runs([self.experiment_id], query, max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def discard(self, run_id: str) -> None:
        """Delete a run that turned out to be superfluous."""
        self.finish(run_id)
        self.client.delete_run(run_id)

    @contextmanager
    def closing(self, run_id: str) -> Iterator[None]:
        """Close the run when the block ends: FINISHED, FAILED, or KILLED by an interrupt."""
        try:
            yield
        except BaseException as error:
            self.finish(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        self.finish(run_id)


def open_store(root: Path, settings: Settings) -> Store:
    """Open the experiment of ``settings.attribute``, making database and experiment if need be.

    Raises:
        SanError: If the database is another work tree's.
        MlflowException: If the store cannot be reached; see :func:`explained`.
    """
    uri, location = tracking_uri(root), artifact_location(root)
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(uri)
    name = experiment_name(settings)
    experiment: Experiment | None = client.get_experiment_by_name(name)
    if experiment is None:
        return Store(uri, client, client.create_experiment(name, artifact_location=location))
    if TRACKING_URI not in os.environ and experiment.artifact_location != location:
        # MLflow stores absolute paths: new runs would write into the other work tree.
        raise SanError(
            f"{root.resolve() / 'mlflow'} was made in another folder: delete mlflow.db and"
            f" artifacts in it, or set {TRACKING_URI}"
        )
    return Store(uri, client, experiment.experiment_id)


def require_store(root: Path) -> None:
    """Check that there is a store to look things up in, without making one.

    Raises:
        SanError: If MLflow's database is a file that is not there.
    """
    path = Path(tracking_uri(root).removeprefix("sqlite:///"))
    if tracking_uri(root).startswith("sqlite:///") and not path.exists():
        raise SanError(f"MLflow has kept no run yet, {path} is missing: run `dvc repro` first")


@contextmanager
def explained() -> Iterator[None]:
    """Turn MLflow's errors into a sentence.

    Raises:
        SanError: If MLflow refuses or cannot be reached.
    """
    try:
        yield
    except MlflowException as error:
        raise SanError(
            f"MLflow failed ({reason(error)}): check the server at {TRACKING_URI}, or unset it to"
            " use the database in the folder mlflow"
        ) from error


@contextmanager
def ambient(uri: str) -> Iterator[None]:
    """Make ``uri`` the default of all of MLflow while the block runs."""
    before = os.environ.get(TRACKING_URI)
    os.environ[TRACKING_URI] = uri
    try:
        yield
    finally:
        del os.environ[TRACKING_URI]
        if before is not None:
            os.environ[TRACKING_URI] = before


def now() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
