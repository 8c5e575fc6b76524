"""Runs every stage of ``dvc.yaml`` as a task, then registers the model.

``python -m flows.retrain`` in the work tree needs no server: Prefect starts one for the time of
the flow, unless ``PREFECT_API_URL`` names another.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Prefect reads these when it is imported.
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
# Prefect gives its temporary server 20 seconds, of which a busy machine needs more.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from sanmodel.errors import SanError
from sanmodel.paths import Paths
from sanmodel.tracking import PIPELINE_RUN, file_pipeline, open_pipeline, stage_names

DVC_ANNOUNCES = ("Running stage ", "> ")
DVC_BLAMES = "failed to run: "
"""In DVC's last line this says that the reason is in the stage's own output."""

REPORT = "evaluation-report"
"""Key of the artifact that leads from a flow run to the report of its evaluation."""


@task(cache_policy=NO_CACHE)  # DVC is the cache
def run_stage(root: Path, stage: str, run_id: str) -> None:
    """Let DVC run one stage, or take it from its cache.

    Args:
        root: The folder that holds ``dvc.yaml``.
        stage: Its name.
        run_id: Pipeline run that it belongs to.

    Raises:
        SanError: If it fails; the message is the reason that the stage gave.
    """
    dvc = [sys.executable, "-m", "dvc", "--wait-for-lock"]
    _call(root, run_id, [*dvc, "repro", "--single-item", stage], f"stage {stage}")


@task(cache_policy=NO_CACHE)
def register_model(root: Path, run_id: str) -> None:
    """Let ``san register`` file the pipeline run and register its model.

    Args:
        root: The folder that holds ``dvc.yaml``.
        run_id: The pipeline run.

    Raises:
        SanError: If it fails; the message is the reason that it gave.
    """
    _call(root, run_id, ["san", "register"], "san register")


@flow
def retrain(root: Path = Path()) -> None:
    """Run the stages in the order of ``dvc.yaml``, then register the model.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Raises:
        SanError: If a stage or the registration fails; the pipeline run is closed as failed.
    """
    with open_pipeline(root) as run_id:
        for stage in stage_names(root):
            run_stage.with_options(name=stage, task_run_name=stage)(root, stage, run_id)
        register_model.with_options(task_run_name="register")(root, run_id)
    link_report(root)


def link_report(root: Path) -> None:
    """Lead from the flow run to the report of the evaluation, by an artifact of the flow run.

    Args:
        root: The folder that holds ``dvc.yaml``, in a state that is filed.
    """
    page = Paths(root).evaluation.resolve() / "index.html"
    create_markdown_artifact(
        key=REPORT,
        # A state that was filed before has kept its run, not the one that this flow opened.
        markdown=f"[{page}]({page.as_uri()})\n\nMLflow run: `{file_pipeline(root)}`",
        description="What the evaluation found: protection and utility of the model.",
    )


def _call(root: Path, run_id: str, command: Sequence[str], name: str) -> None:
    """Run a command, its output going to the task's log."""
    logger, lines = get_run_logger(), [""]
    with subprocess.Popen(
        command,
        cwd=root,
        env=_environment(run_id),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # for the type checker: it is a pipe
        for line in process.stdout:
            if line.strip():
                logger.info(line.rstrip())
                lines.append(line.strip())
    if process.returncode != 0:
        raise SanError(f"{name} failed: {_reason(lines)}")


def _environment(run_id: str) -> dict[str, str]:
    """Return an environment in which this interpreter's commands are found first."""
    commands = str(Path(sys.executable).parent)
    path = os.pathsep.join([commands, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, PIPELINE_RUN: run_id}


def _reason(lines: Sequence[str]) -> str:
    """Return the stage's last words, or DVC's if it stopped for a reason of its own."""
    if DVC_BLAMES not in lines[-1]:
        return lines[-1]
    words = [line for line in lines[:-1] if not line.startswith(DVC_ANNOUNCES)]
    return words[-1].removeprefix("error: ") or lines[-1]


def _without_traceback(record: logging.LogRecord) -> bool:
    """Shorten a record of an error that is told in one sentence."""
    if record.exc_info and isinstance(record.exc_info[1], SanError):
        record.exc_info = None
    return True


def main() -> None:
    """Run the flow in the current folder; a user's error is one sentence and exit status 1."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_without_traceback)
    try:
        retrain()
    except SanError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
