"""MLflow runs and the registry of models: the one package that knows MLflow.

Importing this package costs nothing: MLflow itself takes two seconds and is imported when there
is something for it to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

from sanmodel.paths import Paths
from sanmodel.tracking.live import LiveRun, tracked
from sanmodel.tracking.location import PIPELINE_RUN, keep_quiet, tracking_uri, without_password
from sanmodel.tracking.lock import stage_names
from sanmodel.tracking.memory import recall_state

__all__ = [
    "PIPELINE_RUN",
    "LiveRun",
    "assess_registered",
    "evaluation_of",
    "file_pipeline",
    "judge",
    "open_pipeline",
    "pull",
    "register",
    "reproduce",
    "resume",
    "roll_back",
    "run_address",
    "show_version",
    "show_versions",
    "stage_names",
    "tracked",
    "tracking_uri",
    "without_password",
]

if TYPE_CHECKING:
    from rich.console import Console

    from sanmodel.observer import Observer
    from sanmodel.tracking.gate import Judged

keep_quiet()


def file_pipeline(root: Path) -> str:
    """Make sure that the state in ``dvc.lock`` is in MLflow exactly once.

    One run holds the pipeline, with a child run for each stage, whether DVC ran it or took it
    from its cache. A pipeline run that ``SAN_PIPELINE_RUN`` names is completed; it is deleted if
    the state was filed before.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Returns:
        The pipeline run.

    Raises:
        SanError: If the pipeline is not reproduced, or MLflow refuses or cannot be reached.
    """
    known = recall_state(Paths(root), "filed")
    # An open pipeline run has to be completed or deleted even if the state is known.
    if known is not None and PIPELINE_RUN not in environ:
        return known
    from sanmodel.tracking.pipeline import file_state

    return file_state(root)


@contextmanager
def open_pipeline(root: Path) -> Iterator[str]:
    """Open a pipeline run before the stages run; yields its id, for ``SAN_PIPELINE_RUN``.

    :func:`file_pipeline` completes and closes it; an error in the block closes it too.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Raises:
        SanError: If MLflow refuses or cannot be reached.
    """
    from sanmodel.tracking.pipeline import open_run

    with open_run(root) as run_id:
        yield run_id


@contextmanager
def evaluation_of(run_id: str, root: Path) -> Iterator[Path]:
    """Yield a copy of the metrics of a run's evaluation, which is gone afterwards.

    Args:
        run_id: Run of a pipeline, or of its stage ``evaluate``.
        root: The folder that holds ``dvc.yaml``.

    Raises:
        SanError: If there is no such run, it has no evaluation, or MLflow cannot be reached.
    """
    from sanmodel.tracking.evaluations import evaluation_of as kept

    with kept(run_id, root) as path:
        yield path


def register(root: Path) -> str:
    """Register the exported model as a version of ``san-<attribute>``, alias ``challenger``.

    The pipeline is filed first. A state that is registered already keeps its version.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Returns:
        The number of the version.

    Raises:
        SanError: If the pipeline is not reproduced, a file of the export is altered, or MLflow
            refuses or cannot be reached.
    """
    known = recall_state(Paths(root), "registered")
    if known is not None and PIPELINE_RUN not in environ:
        return known
    from sanmodel.tracking.registration import register_state

    return register_state(root)


def judge(root: Path, which: str, promote: bool, observer: "Observer") -> "Judged":
    """Let the gate judge a version, see :mod:`sanmodel.tracking.gate`.

    Args:
        root: Work tree with the faces to judge by.
        which: Number or alias of the version.
        promote: Whether it becomes the champion if it is accepted.
        observer: Hears about progress.

    Raises:
        SanError: If there is no such version, an input is missing or damaged, somebody else
            promotes or rolls back meanwhile, or MLflow refuses or cannot be reached.
    """
    from sanmodel.tracking import gate

    return (gate.judge_and_promote if promote else gate.judge)(root, which, observer)


def assess_registered(root: Path, observer: "Observer") -> str:
    """Evaluate challenger and champion on the present faces; returns a table in Markdown.

    Raises:
        SanError: As :func:`judge`, and if there is neither.
    """
    from sanmodel.tracking.gate import assess_registered as assess

    return assess(root, observer)


def roll_back(root: Path, reason: str) -> str:
    """Make the champion before the present one the champion again; returns what was done.

    Args:
        root: The folder that holds ``params.yaml``.
        reason: Why, for whoever asks later.

    Raises:
        SanError: If there is no earlier one, somebody else moves aliases, or MLflow refuses or
            cannot be reached.
    """
    from sanmodel.tracking.aliases import roll_back as back
    from sanmodel.tracking.shelf import open_shelf

    with open_shelf(root) as shelf:
        moved = back(shelf.client, shelf.name, reason)
    return f"{shelf.name}: version {moved.champion} is the champion again, {moved.before} no longer"


def show_versions(root: Path, console: "Console") -> None:
    """Print all versions, see :mod:`sanmodel.tracking.showing`."""
    from sanmodel.tracking import showing

    showing.show_versions(root, console)


def show_version(root: Path, which: str, console: "Console") -> None:
    """Print what is known of a version, see :mod:`sanmodel.tracking.showing`."""
    from sanmodel.tracking import showing

    showing.show_version(root, which, console)


def pull(uri: str, folder: Path, root: Path) -> str:
    """Write a registered model to a folder, see :mod:`sanmodel.tracking.pulling`."""
    from sanmodel.tracking.pulling import pull as write

    return write(uri, folder, root)


def reproduce(uri: str, root: Path, folder: Path | None, observer: "Observer") -> str:
    """Tell what a version was made of, and make it again if there is a folder for that.

    Args:
        uri: ``models:/san-male@champion`` or ``models:/san-male/3``.
        root: Repository with its commit and data.
        folder: Where to rebuild; None only tells.
        observer: Hears which packages differ.

    Raises:
        SanError: See :mod:`sanmodel.tracking.reproduction`.
    """
    from sanmodel.tracking.reproduction import rebuild, recipe_of

    recipe = recipe_of(uri, root)
    if folder is None:
        return "\n".join(recipe.lines())
    return rebuild(recipe, root, folder, observer)


def run_address(root: Path, run_id: str) -> str | None:
    """Return the address of a run's page, or None if MLflow is a database and no server.

    Args:
        root: The folder that holds ``params.yaml``.
        run_id: The run.

    Raises:
        SanError: If MLflow refuses or cannot be reached.
    """
    if not tracking_uri(root).startswith("http"):
        return None
    from sanmodel.settings import load_settings
    from sanmodel.tracking.store import explained, open_store

    with explained():
        store = open_store(root, load_settings(Paths(root).params))
    server = without_password(store.uri).rstrip("/")
    return f"{server}/#/experiments/{store.experiment_id}/runs/{run_id}"


def resume(root: Path, observer: "Observer") -> int:
    """Deliver what trainings could not bring to MLflow; returns how many items.

    Args:
        root: The folder that holds ``params.yaml``.
        observer: Hears of runs that MLflow refuses.

    Raises:
        SanError: If MLflow cannot be reached; what is left waits on.
    """
    from sanmodel.tracking.delivery import resume as deliver

    return deliver(root, observer)
