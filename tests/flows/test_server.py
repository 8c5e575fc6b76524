"""`make server`: real servers and a worker run a scheduled deployment, and post what came of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
import yaml
from mlflow import MlflowClient
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from tiny_project import change

PROJECT = Path(__file__).parents[2]


def run(root: Path, *arguments: str, **more: str) -> str:
    environment = {name: value for name, value in os.environ.items() if "PREFECT_API" not in name}
    environment |= {"PYTHONPATH": str(PROJECT), **more}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(found: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until something is found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.5)
    raise AssertionError("it took too long")


@pytest.fixture
def servers(project: Path) -> Iterator[dict[str, Any]]:
    """The tiny project, retrained every ten seconds."""
    shutil.copytree(PROJECT / "flows", project / "flows")
    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    deployments["deployments"][0]["schedules"] = [{"interval": 10}]
    (project / "prefect.yaml").write_text(yaml.safe_dump(deployments, sort_keys=False))
    shown = run(project, "flows.server", "start")
    try:
        running = json.loads((project / ".san/server/running.json").read_text())
        assert running["prefect"] in shown
        assert running["mlflow"] in shown
        yield running
    finally:
        assert "stopped" in run(project, "flows.server", "stop")
        assert "no server runs here" in run(project, "flows.server", "stop")


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what it is told."""

    told: list[dict[str, str]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def finished(client: SyncPrefectClient, state: str) -> list[FlowRun]:
    return [run for run in client.read_flow_runs() if run.state and run.state.name == state]


def test_a_schedule_runs_to_its_end_and_a_failure_is_told(
    project: Path, servers: dict[str, Any], webhook: str
) -> None:
    api = f"{servers['prefect']}/api"
    run(project, "flows.notify", webhook, PREFECT_API_URL=api)
    with SyncPrefectClient(api) as client:
        assert {one.name for one in client.read_deployments()} == {"weekly", "nightly", "on-demand"}
        (done, *_) = until(lambda: finished(client, "Completed"))
        assert done.auto_scheduled
        model = MlflowClient(servers["mlflow"]).get_model_version_by_alias(
            "san-young", "challenger"
        )
        artifact = client.read_latest_artifacts()[0]
        assert f"{servers['mlflow']}/#/experiments/" in str(artifact.data)
        assert str(model.run_id) in str(artifact.data)
        change(project, train={"steps": 11})  # for which there are too few photos
        # Prefect tells of a run within seconds if it was scheduled five minutes ahead or by hand.
        client.create_flow_run_from_deployment(done.deployment_id)
    told = until(lambda: Hook.told)[0]
    assert (told["flow"], told["state"]) == ("retrain", "Failed")
    assert "the photos have run out: take fewer steps" in told["message"]
    # A second start finds what runs, and one that has died is started again with the others.
    assert servers["prefect"] in run(project, "flows.server", "start")
    os.killpg(servers["processes"][0][0], signal.SIGKILL)
    assert "Prefect http://127.0.0.1:" in run(project, "flows.server", "start")
    again = json.loads((project / ".san/server/running.json").read_text())
    assert all(psutil.pid_exists(number) for number, _ in again["processes"])
    assert again["processes"] != servers["processes"]
    servers |= again
    with urlopen(f"{servers['mlflow']}/health") as answer:
        assert answer.status == 200
