"""A server that goes away, is slow or loses answers: training goes on, all arrives once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow_servers import Server, between, serving

from sanmodel.errors import SanError
from sanmodel.observer import SILENT
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tracking import LiveRun, live, resume, tracked

SETTINGS = Settings(attribute="Young")
PICTURE = np.zeros((4, 4), np.uint8)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(started: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that runs, and a client that does not wait long for it."""
    if started.process is None:
        started.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.delenv("SAN_PIPELINE_RUN", raising=False)
    monkeypatch.setattr(live, "SECONDS", 0)
    monkeypatch.setattr(live, "AGAIN", 0.1)
    monkeypatch.setattr(live, "GOODBYE", 2)
    return started


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("attribute: Young\n")
    (tmp_path / "reports").mkdir()
    return tmp_path


def until_opened(run: LiveRun) -> str:
    end = time.monotonic() + 30
    while run.run_id is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    return run.run_id


def last_run(server: Server) -> Run:
    client = MlflowClient(server.address)
    experiment = client.get_experiment_by_name("san-young")
    assert experiment is not None
    return client.search_runs([experiment.experiment_id], max_results=1)[0]


def check_complete(server: Server, run: Run, steps: int, pictures: int) -> None:
    """Check that every step and picture is there once."""
    client = MlflowClient(server.address)
    history = client.get_metric_history(run.info.run_id, "loss/J_G")
    assert [(one.step, one.value) for one in history] == [(s, 1 / s) for s in range(1, steps + 1)]
    files = client.list_artifacts(run.info.run_id, "images")
    names = Counter(Path(file.path).name.split("+timestamp")[0] for file in files)
    names = Counter({name.split("%timestamp")[0]: count for name, count in names.items()})
    assert len(names) == pictures
    assert set(names.values()) <= {2}  # a PNG and MLflow's small one


def report(run: LiveRun, first: int, last: int) -> None:
    for step in range(first, last + 1):
        run.losses(step, {"J_G": 1 / step})
    run.picture("train", last, PICTURE)


def test_a_killed_server_gets_all_of_it_later_and_once(server: Server, tree: Path) -> None:
    with tracked("train", SETTINGS, Paths(tree)) as run:
        assert isinstance(run, LiveRun)
        until_opened(run)
        report(run, 1, 5)
        time.sleep(0.5)
        server.kill()
        report(run, 6, 20)
        (tree / "reports/train.json").write_text("{}")
    with pytest.raises(SanError, match="what waits stays in .*spool"):
        resume(tree, SILENT)
    server.start()
    assert resume(tree, SILENT) > 0
    found = last_run(server)
    assert found.info.status == "FINISHED"
    check_complete(server, found, 20, 2)
    assert resume(tree, SILENT) == 0


def test_a_server_that_comes_back_is_told_while_the_training_goes_on(
    server: Server, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GOODBYE", 30)
    server.kill()
    with LiveRun("train", SETTINGS, Paths(tree)) as run:
        report(run, 1, 5)
        time.sleep(0.5)
        assert run.run_id is None
        server.start()
        until_opened(run)
        report(run, 6, 9)
    assert list((tree / ".san/spool").iterdir()) == []
    found = last_run(server)
    assert (found.info.run_id, found.info.status) == (run.run_id, "FINISHED")
    check_complete(server, found, 9, 2)


@pytest.mark.parametrize("lost", [1, 2, 6])
def test_lost_answers_double_nothing(
    server: Server, tree: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(live, "GOODBYE", 30)
    before = len(_runs(server))
    with between(server, lost) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with LiveRun("train", SETTINGS, Paths(tree)) as run:
            report(run, 1, 4)
            report(run, 5, 8)
    assert len(_runs(server)) == before + 1
    check_complete(server, last_run(server), 8, 2)


def _runs(server: Server) -> list[Run]:
    client = MlflowClient(server.address)
    experiment = client.get_experiment_by_name("san-young")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


class Slow(BaseHTTPRequestHandler):
    """Answers after five seconds."""

    def do_GET(self) -> None:
        time.sleep(5)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_a_slow_server_does_not_slow_the_training(
    server: Server, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GOODBYE", 0.5)
    with serving(Slow) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        start = time.monotonic()
        with LiveRun("train", SETTINGS, Paths(tree)) as run:
            report(run, 1, 50)
        assert time.monotonic() - start < 3
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    assert resume(tree, SILENT) > 50
    check_complete(server, last_run(server), 50, 1)


KILLED = """
import time
from pathlib import Path
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tracking import LiveRun, live
live.SECONDS = 0
with LiveRun("train", Settings(attribute="Young"), Paths(Path())) as run:
    for step in (1, 2, 3):
        run.losses(step, {"J_G": 1 / step})
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_training_leaves_what_it_said(server: Server, tree: Path) -> None:
    server.kill()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=tree, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    server.start()
    assert resume(tree, SILENT) == 0  # it still trains, and says it itself
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resume(tree, SILENT)
    found = last_run(server)
    assert found.info.status == "KILLED"
    check_complete(server, found, 3, 0)
    assert list((tree / ".san/spool").iterdir()) == []
