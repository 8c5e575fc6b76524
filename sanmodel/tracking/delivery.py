"""Brings what waits in a spool to MLflow, each item once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.settings import load_settings
from sanmodel.tracking.location import reason
from sanmodel.tracking.memory import note_run
from sanmodel.tracking.spool import Spool, waiting
from sanmodel.tracking.store import Store, explained, open_store

SPOOL_TAG = "san.spool"
"""Tag of a run: the name of its spool, by which it is found if an answer is lost."""

REFUSALS = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE")
"""MLflow's answers that no later try will change: the run was deleted, for instance."""


class RefusedError(Exception):
    """MLflow will never take the run."""


def deliver(spool: Spool, store: Store) -> int:
    """Send all items, in order; each is deleted when MLflow has taken it.

    Args:
        spool: The items of one run.
        store: Where to.

    Returns:
        How many were sent.

    Raises:
        RefusedError: If MLflow refuses the run for good.
        MlflowException: If it does not take an item now; this and later ones wait.
    """
    sent = 0
    for item in spool.items():
        try:
            _send(spool, store, read_json(item))
        except MlflowException as error:
            if error.error_code in REFUSALS:
                raise RefusedError(reason(error)) from error
            raise
        spool.taken(item)
        sent += 1
    return sent


def resume(root: Path, observer: Observer) -> int:
    """Deliver what trainings that have ended left behind.

    Args:
        root: The folder that holds ``params.yaml``.
        observer: Hears of runs that MLflow refuses.

    Returns:
        How many items were delivered.

    Raises:
        SanError: If MLflow cannot be reached; what is left waits on.
    """
    paths, delivered = Paths(root), 0
    left = list(waiting(paths))
    if not left:
        return 0
    try:
        with explained():
            store = open_store(root, load_settings(paths.params))
            for spool in left:
                delivered += _resume(spool, store, paths, observer)
    except SanError as error:
        raise SanError(f"{error}; what waits stays in {paths.scratch / 'spool'}") from error
    return delivered


def _resume(spool: Spool, store: Store, paths: Paths, observer: Observer) -> int:
    """Deliver one run that its training has left, and close it if the training could not."""
    try:
        sent = deliver(spool, store)
        run_id = spool.run_id
        if run_id is not None:
            if _status(store, run_id) == "RUNNING":
                store.finish(run_id, "KILLED")
            note_run(paths, spool.name, run_id)
    except RefusedError as error:
        observer.note(f"MLflow refuses a run that waited, it is dropped: {error}")
        sent = 0
    spool.remove()
    return sent


def _send(spool: Spool, store: Store, item: Mapping[str, Any]) -> None:
    """Send one item."""
    if item["kind"] == "open":
        spool.note_run(_opened(store, spool.name, item))
        return
    run_id = spool.run_id
    if run_id is None:
        raise RefusedError("it was never opened")
    match item["kind"]:
        case "steps":
            steps = {int(step): terms for step, terms in item["steps"].items()}
            store.log_steps(run_id, steps, item["made"])
        case "picture":
            _send_picture(spool, store, run_id, item)
        case "finish":
            store.finish(run_id, item["status"], item["made"])


def _opened(store: Store, name: str, item: Mapping[str, Any]) -> str:
    """Open the run, unless an earlier try did whose answer was lost."""
    query = f"tags.`{SPOOL_TAG}` = '{name}'"
    found: list[Run] = list(store.client.search_runs([store.experiment_id], query))
    tags = {SPOOL_TAG: name, "san.stage": item["stage"]}
    run_id = (
        str(found[0].info.run_id)
        if found
        else store.start(item["stage"], item["parent"], item["made"], tags)
    )
    store.log(run_id, params=item["params"])  # only those that the run lacks
    return run_id


def _send_picture(spool: Spool, store: Store, run_id: str, item: Mapping[str, Any]) -> None:
    """Send a picture, unless an earlier try did whose answer was lost."""
    mark = f"{item['name']}+step+{item['step']}+timestamp+{item['made']}+"
    there = [file.path for file in store.client.list_artifacts(run_id, "images")]
    if any(mark in path.replace("%", "+") for path in there):
        return
    array, name, step = spool.picture(item["file"]), item["name"], item["step"]
    store.client.log_image(run_id, array, key=name, step=step, timestamp=item["made"])


def _status(store: Store, run_id: str) -> str:
    return str(store.client.get_run(run_id).info.status)
