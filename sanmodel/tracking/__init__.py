"""MLflow runs and the registry of models: the one package that knows MLflow.

Importing this package costs nothing: MLflow itself takes two seconds and is imported when there
is something for it to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

from sanmodel.paths import Paths
from sanmodel.tracking.live import LiveRun, tracked
from sanmodel.tracking.location import PIPELINE_RUN, keep_quiet, tracking_uri, without_password
from sanmodel.tracking.lock import stage_names
from sanmodel.tracking.memory import recall_state

__all__ = [
    "PIPELINE_RUN",
    "LiveRun",
    "evaluation_of",
    "file_pipeline",
    "open_pipeline",
    "register",
    "stage_names",
    "tracked",
    "tracking_uri",
    "without_password",
]

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
