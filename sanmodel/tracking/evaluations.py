"""Evaluations that MLflow keeps, to set beside others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from sanmodel.errors import SanError
from sanmodel.settings import load_settings
from sanmodel.tracking.store import explained, open_store, require_store

STAGE = "evaluate"
METRICS = "evaluate.json"
"""Artifact of the stage's run that holds the figures, the same as the report's metrics.json."""


@contextmanager
def evaluation_of(run_id: str, root: Path) -> Iterator[Path]:
    """Yield a copy of the metrics of an evaluation, which is gone afterwards.

    Args:
        run_id: Run of a pipeline, or of its stage ``evaluate``.
        root: Work tree whose settings name the experiment.

    Raises:
        SanError: If there is no such run, it has no evaluation, or MLflow cannot be reached.
    """
    with TemporaryDirectory() as folder:
        with explained():
            require_store(root)
            store = open_store(root, load_settings(root / "params.yaml"))
            run = store.find(run_id)
            if run is None:
                raise SanError(
                    f"{run_id} is neither a file nor a run of MLflow at {store.uri}: give a"
                    " metrics.json, its folder, or the id of a run"
                )
            path = download_metrics(store.client, run_id, Path(folder))
        if path is None:
            raise SanError(f"the run {run_id} has no {METRICS}: give one of a whole pipeline")
        yield path


def download_metrics(client: MlflowClient, run_id: str, folder: Path) -> Path | None:
    """Download the metrics of a run, or of the evaluation below a pipeline's run.

    Args:
        client: Of the store.
        run_id: The run, which must be there.
        folder: Where to.

    Returns:
        The file, or None if there are none.
    """
    run = client.get_run(run_id)
    for one in [*_children(client, run), run]:
        if any(item.path == METRICS for item in client.list_artifacts(one.info.run_id)):
            return Path(client.download_artifacts(one.info.run_id, METRICS, str(folder)))
    return None


def _children(client: MlflowClient, run: Run) -> list[Run]:
    """Return the runs of the stage below a pipeline's run."""
    query = (
        f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.info.run_id}'"
        f" and tags.`{MLFLOW_RUN_NAME}` = '{STAGE}'"
    )
    return list(client.search_runs([run.info.experiment_id], query))
