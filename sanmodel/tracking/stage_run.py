"""The run of one stage, filed from what the stage left in the work tree."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from sanmodel.files import read_json
from sanmodel.paths import Paths
from sanmodel.tables import count_rows
from sanmodel.tracking.figures import flatten, read_curve, split
from sanmodel.tracking.location import fingerprint
from sanmodel.tracking.lock import LockedStage
from sanmodel.tracking.memory import StageRecord, recall_stage
from sanmodel.tracking.store import Store, now

CONTEXTS = {"evaluate": "testing", "preprocess": "preprocessing", "validate": "validation"}
"""What a stage reads its data for; the others read it for training."""


def file_stage(store: Store, paths: Paths, stage: LockedStage, parent: str) -> str:
    """File one stage as a child run, or complete the run that it opened itself.

    Args:
        store: Where to.
        paths: The work tree, in the state of ``dvc.lock``.
        stage: The stage's entry in ``dvc.lock``.
        parent: The pipeline run.

    Returns:
        The run of the stage.
    """
    record = recall_stage(paths, stage.name)
    live = _adopted(store, record, parent)
    run_id = live or store.start(stage.name, parent, record.started if record else None)
    numbers, texts = split(stage_metrics(paths, stage))
    ran = {"san.stage": stage.name, "san.ran": str(record is not None).lower()}
    store.log(run_id, flatten(stage.params), numbers, {**texts, **ran})
    _complete_curve(store, run_id, read_curve(paths.curve(stage.name)))
    lineage = {"command": stage.command, "deps": stage.deps, "outs": stage.outs}
    store.client.log_dict(run_id, lineage, "lineage.json")
    for out in _reports(stage):
        folder = PurePosixPath(out).parent.relative_to("reports").as_posix()
        store.log_files(run_id, [paths.root / out], None if folder == "." else folder)
    store.log_inputs(run_id, data_inputs(paths, stage))
    store.finish(run_id, ended=record.ended if record else None)
    return run_id


def stage_metrics(paths: Paths, stage: LockedStage) -> Mapping[str, int | float | str | bool]:
    """Return the flat figures of a stage; none if it has no metrics file."""
    path = paths.metrics(stage.name)
    if path.relative_to(paths.root).as_posix() not in stage.outs:
        return {}
    return flatten(read_json(path))


def data_inputs(paths: Paths, stage: LockedStage) -> list[DatasetInput]:
    """Return the data sets that a stage read: its dependencies under ``data/``."""
    context = InputTag(MLFLOW_DATASET_CONTEXT, CONTEXTS.get(stage.name, "training"))
    return [
        DatasetInput(_dataset(paths.root, path, md5), [context])
        for path, md5 in stage.deps.items()
        if path.startswith("data/")
    ]


def _dataset(root: Path, path: str, md5: str) -> Dataset:
    """Describe a data set by DVC's digest of it, and a table by its number of rows too."""
    is_table = any((root / path).glob("part-*.parquet"))
    profile = {"num_rows": count_rows(root / path)} if is_table else {}
    return Dataset(
        name=PurePosixPath(path).name,
        digest=md5,
        source_type="local",
        source=json.dumps({"uri": path}),
        profile=json.dumps(profile),
    )


def _adopted(store: Store, record: StageRecord | None, parent: str) -> str | None:
    """Return the stage's own run as a child of ``parent``, if it is in this store."""
    if record is None or record.live_run is None or record.store != fingerprint(store.uri):
        return None
    return record.live_run if store.adopt(record.live_run, parent) else None


def _complete_curve(store: Store, run_id: str, curve: Mapping[int, Mapping[str, float]]) -> None:
    """Add the steps that were not logged live: all, or those before an interruption."""
    names = {name for terms in curve.values() for name in terms}
    known = {name: store.logged_steps(run_id, name) for name in names}
    missing = {
        step: {name: value for name, value in terms.items() if step not in known[name]}
        for step, terms in curve.items()
    }
    store.log_steps(run_id, missing, now())


def _reports(stage: LockedStage) -> list[str]:
    """Return the outputs that are made to be looked at; models are in the registry."""
    return [out for out in stage.outs if out.startswith("reports/")]
