"""The run of a whole pipeline: what ``dvc.lock`` records is in MLflow exactly once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.observer import SILENT
from sanmodel.paths import Paths
from sanmodel.settings import load_settings
from sanmodel.tracking import packages
from sanmodel.tracking.delivery import resume
from sanmodel.tracking.figures import flatten, split
from sanmodel.tracking.location import PIPELINE_RUN
from sanmodel.tracking.lock import LockedStage, check_current, read_lock
from sanmodel.tracking.memory import forget_stage, remember_state
from sanmodel.tracking.source import source_tags
from sanmodel.tracking.stage_run import data_inputs, file_stage, stage_metrics
from sanmodel.tracking.store import LOCK_TAG, Store, explained, open_store

RUN_NAME = "pipeline"
HEADLINES = "evaluate"
"""Stage whose figures the pipeline run shows too, so that the run table compares pipelines."""

PAGES = {
    "reports/data_docs": ("san.data_docs", "What validation found in the images"),
    "reports/evaluation": ("san.evaluation", "What the evaluation found: the report"),
}
"""Folders of pages that stages write: the tag with the place of each, and what its link says."""


def file_state(root: Path) -> str:
    """File the state in ``dvc.lock`` unless MLflow has it already; returns the pipeline run.

    Raises:
        SanError: If the work tree is not in that state, or MLflow refuses or cannot be reached.
    """
    paths = Paths(root)
    stages = read_lock(root)
    check_current(root)
    resume(root, SILENT)  # what trainings have to say belongs to what is filed
    with explained():
        store = open_store(root, load_settings(paths.params))
        opened = _opened(store)
        run_id = store.filed(sha256(paths.lock))
        if run_id is None:
            run_id = opened or store.start(RUN_NAME)
            with store.closing(run_id):
                _file(store, paths, stages, run_id)
        else:
            store.log(run_id, tags=source_tags(root))  # by now a commit may hold what made it
            if opened and opened != run_id:
                store.discard(opened)
    for stage in stages:
        forget_stage(paths, stage.name)
    remember_state(paths, "filed", run_id)
    return run_id


@contextmanager
def open_run(root: Path) -> Iterator[str]:
    """Open a pipeline run that stages and filing then belong to; yields its id.

    The filing closes it. If the block ends with an error, the run is closed as FAILED or KILLED.

    Raises:
        SanError: If MLflow refuses or cannot be reached.
    """
    with explained():
        store = open_store(root, load_settings(Paths(root).params))
        run_id = store.start(RUN_NAME)
    try:
        yield run_id
    except BaseException as error:
        with explained():
            store.finish(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise


def lock_tags(root: Path) -> dict[str, str]:
    """Return what a run or a model version is of: ``dvc.lock`` and, in a git repository, commit."""
    return {LOCK_TAG: sha256(Paths(root).lock), **source_tags(root)}


def page_tags(store: Store, runs: Mapping[str, str]) -> dict[str, str]:
    """Return what leads from the pipeline run to the pages in ``PAGES``, artifacts of its stages.

    Args:
        store: Where the runs are.
        runs: By the folder of each page that there is, the run of the stage that wrote it.
    """
    tags, links = {}, []
    for folder, run_id in runs.items():
        page = f"{PurePosixPath(folder).name}/index.html"
        # A link within MLflow's own pages, whatever the address of the server.
        place = f"#/experiments/{store.experiment_id}/runs/{run_id}/artifacts/{page}"
        tag, title = PAGES[folder]
        tags[tag] = f"runs:/{run_id}/{page}"
        links.append(f"[{title}]({place})")
    return {**tags, MLFLOW_RUN_NOTE: "\n\n".join(links)} if links else {}


def headline_metrics(paths: Paths, stages: list[LockedStage]) -> dict[str, float]:
    """Return the figures of the evaluation; none if the pipeline has no such stage."""
    evaluations = [stage for stage in stages if stage.name == HEADLINES]
    return split(stage_metrics(paths, evaluations[0]))[0] if evaluations else {}


def _file(store: Store, paths: Paths, stages: list[LockedStage], run_id: str) -> None:
    """Fill the pipeline run and its children."""
    params = {key: value for stage in stages for key, value in stage.params.items()}
    metrics = headline_metrics(paths, stages)
    store.log(run_id, flatten(params), metrics, lock_tags(paths.root))
    files = [paths.lock, paths.params, paths.root / "dvc.yaml", paths.promotion_rules]
    store.log_files(run_id, [file for file in files if file.exists()])
    store.client.log_text(run_id, "\n".join(packages.installed()), packages.FILE)
    pages: dict[str, str] = {}
    for stage in stages:
        store.log_inputs(run_id, data_inputs(paths, stage))
        child = file_stage(store, paths, stage, run_id)
        pages |= dict.fromkeys(PAGES.keys() & stage.outs.keys(), child)
    store.log(run_id, tags=page_tags(store, pages))


def _opened(store: Store) -> str | None:
    """Return the pipeline run that the environment names.

    Raises:
        SanError: If the store has no such run.
    """
    run_id = os.environ.get(PIPELINE_RUN)
    if run_id and store.find(run_id) is None:
        raise SanError(f"{PIPELINE_RUN} is {run_id}, which is no run in MLflow: unset it")
    return run_id or None
