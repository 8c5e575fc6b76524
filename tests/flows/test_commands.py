"""Tasks run commands with a time limit; the first stage alone is tried again."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from prefect import flow
from prefect.tasks import exponential_backoff
from prefect.testing.utilities import prefect_test_harness

from flows import commands
from flows.commands import run_san, stage_task
from sanmodel.errors import SanError


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


def with_stage(root: Path, name: str, script: str) -> None:
    """Add a stage that runs some Python."""
    (root / "stage.py").write_text(script)
    stages = yaml.safe_load((root / "dvc.yaml").read_text())
    stages["stages"][name] = {"cmd": f"{sys.executable} stage.py", "always_changed": True}
    (root / "dvc.yaml").write_text(yaml.safe_dump(stages, sort_keys=False))


FAILS_TWICE = """
import pathlib, sys
tries = pathlib.Path("tries.txt")
count = int(tries.read_text()) + 1 if tries.exists() else 1
tries.write_text(str(count))
sys.exit("error: the disk is far away" if count < 3 else 0)
"""


@flow
def run(root: Path, stage: str) -> None:
    stage_task(stage)(root, stage, None)


def test_fetch_is_tried_again_ever_more_slowly(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commands.DELAYS(3) == [10, 20, 40]
    monkeypatch.setattr(commands, "DELAYS", exponential_backoff(backoff_factor=0.1))
    with_stage(project, "fetch", FAILS_TWICE)
    run(project, "fetch")
    assert (project / "tries.txt").read_text() == "3"


def test_another_stage_fails_at_once(project: Path) -> None:
    with_stage(project, "preprocess2", FAILS_TWICE)
    with pytest.raises(SanError, match="stage preprocess2 failed: the disk is far away"):
        run(project, "preprocess2")
    assert (project / "tries.txt").read_text() == "1"


def test_what_takes_too_long_is_stopped_with_all_that_it_started(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"{time.time()}"
    with_stage(project, "train2", f"import time; time.sleep(600)  # {mark}")
    (project / "stage.py").write_text("import time; time.sleep(600)")
    monkeypatch.setenv("SAN_TASK_HOURS", str(5 / 3600))
    start = time.monotonic()
    with pytest.raises(SanError, match="train2 took longer than .* hours and was stopped: set SAN"):
        run(project, "train2")
    assert time.monotonic() - start < 60
    alive = [p.info["cwd"] for p in psutil.process_iter(["cwd"])]
    assert str(project) not in alive


def test_a_command_that_fails_gives_its_reason(tmp_path: Path) -> None:
    @flow
    def fail() -> None:
        run_san(tmp_path, ["register"])

    with pytest.raises(SanError, match="^san register failed: .*dvc.yaml is missing|params.yaml"):
        fail()
