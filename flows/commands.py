"""Commands as tasks run them: output to the log, a time limit, one sentence if they fail."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from sanmodel.errors import SanError
from sanmodel.tracking import PIPELINE_RUN

DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
DVC_ANNOUNCES = ("Running stage ", "> ")
DVC_BLAMES = "failed to run: "
"""In DVC's last line this says that the reason is in the stage's own output."""

HOURS = 24.0
"""A task may take so long; a training of days wants more, by ``SAN_TASK_HOURS``."""

RETRIED = "fetch"
"""The one stage that may fail for a reason that passes: a disk or a network far away."""

DELAYS = exponential_backoff(backoff_factor=10)
"""Seconds before each retry: 10, 20, 40."""


@task(cache_policy=NO_CACHE)  # DVC is the cache
def run_stage(root: Path, stage: str, run_id: str | None = None) -> None:
    """Let DVC run one stage, or take it from its cache.

    Args:
        root: The folder that holds ``dvc.yaml``.
        stage: Its name.
        run_id: Pipeline run that it belongs to, if there is one.

    Raises:
        SanError: If it fails or takes too long; the message is the reason that the stage gave.
    """
    environment = {PIPELINE_RUN: run_id} if run_id else {}
    command = [*DVC, "repro", "--single-item", stage]
    require_success(f"stage {stage}", *call(root, command, environment))


@task(cache_policy=NO_CACHE)
def run_san(root: Path, arguments: Sequence[str], run_id: str | None = None) -> None:
    """Run a command of this package.

    Args:
        root: The folder that holds ``dvc.yaml``.
        arguments: The command without ``san``.
        run_id: Pipeline run that it belongs to, if there is one.

    Raises:
        SanError: If it fails or takes too long; the message is the reason that it gave.
    """
    environment = {PIPELINE_RUN: run_id} if run_id else {}
    name = f"san {' '.join(arguments)}"
    require_success(name, *call(root, ["san", *arguments], environment))


def stage_task(stage: str) -> Callable[[Path, str, str | None], None]:
    """Return the task of a stage under its name; ``fetch`` is tried again, ever more slowly."""
    retries = 3 if stage == RETRIED else 0
    return run_stage.with_options(
        name=stage, task_run_name=stage, retries=retries, retry_delay_seconds=DELAYS
    )


def call(
    root: Path, command: Sequence[str], environment: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Run a command, its output going to the task's log.

    It runs in a process group of its own, of which nothing outlives the task.

    Returns:
        Its exit status and the lines that it printed, after an empty one.

    Raises:
        SanError: If it takes longer than the limit.
    """
    lines, late = [""], threading.Event()
    hours = float(os.environ.get("SAN_TASK_HOURS", HOURS))
    with _started(root, command, environment) as process:
        limit = threading.Timer(3600 * hours, _stop, (process, late))
        limit.start()
        try:
            lines += _heard(process)
            process.wait()
        finally:
            limit.cancel()
            _kill(process)  # what it may have left behind
    if late.is_set():
        raise SanError(
            f"{' '.join(command[-3:])} took longer than {hours:g} hours and was stopped: set"
            " SAN_TASK_HOURS to more"
        )
    return process.returncode, lines


def require_success(name: str, status: int, lines: Sequence[str]) -> None:
    """Raise the command's own words if it failed.

    Raises:
        SanError: If it did.
    """
    if status != 0:
        raise SanError(f"{name} failed: {_reason(lines)}")


def run_flow(flow: Callable[[], object]) -> None:
    """Run a flow in the current folder; a user's error is one sentence and exit status 1."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_without_traceback)
    try:
        flow()
    except SanError as error:
        sys.exit(f"error: {error}")


def _started(
    root: Path, command: Sequence[str], environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        cwd=root,
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _heard(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Pass a command's output on to the log; yields its lines until it says no more."""
    assert process.stdout is not None  # for the type checker: it is a pipe
    for line in process.stdout:
        if line.strip():
            get_run_logger().info(line.rstrip())
            yield line.strip()


def _stop(process: "subprocess.Popen[str]", late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: "subprocess.Popen[str]") -> None:
    """End the command and whatever it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which this interpreter's commands are found first."""
    commands = str(Path(sys.executable).parent)
    path = os.pathsep.join([commands, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, **more}


def _reason(lines: Sequence[str]) -> str:
    """Return the stage's last words, or DVC's if it stopped for a reason of its own."""
    if DVC_BLAMES not in lines[-1]:
        return lines[-1].removeprefix("error: ")
    words = [line for line in lines[:-1] if not line.startswith(DVC_ANNOUNCES)]
    return words[-1].removeprefix("error: ") or lines[-1]


def _without_traceback(record: logging.LogRecord) -> bool:
    """Shorten a record of an error that is told in one sentence."""
    if record.exc_info and isinstance(record.exc_info[1], SanError):
        record.exc_info = None
    return True
