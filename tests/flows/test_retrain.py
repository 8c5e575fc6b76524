"""The flow runs the stages in order, registers the model, and tells why it stopped."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
from prefect.testing.utilities import prefect_test_harness
from tiny_project import change

from flows.pages import REPORT
from flows.retrain import retrain
from sanmodel.errors import SanError
from sanmodel.tracking import tracking_uri

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


def pipelines(root: Path) -> list[Run]:
    client = MlflowClient(tracking_uri(root))
    experiment = client.get_experiment_by_name("san-young")
    assert experiment is not None
    query = "tags.mlflow.runName = 'pipeline'"
    return list(client.search_runs([experiment.experiment_id], query))


def assert_linked(root: Path, pipeline: Run) -> None:
    """The last flow run leads to the report and to the pipeline's run, where it is too."""
    artifact = Artifact.get(REPORT)
    assert artifact is not None
    with get_client(sync_client=True) as client:
        (last,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    assert artifact.flow_run_id == last.id
    assert artifact.type == "markdown"
    found = re.search(r"\((file://.*)\)", str(artifact.data))
    assert found is not None
    with urlopen(found[1]) as page:
        assert page.read() == (root / "reports/evaluation/index.html").read_bytes()
    assert f"`{pipeline.info.run_id}`" in str(artifact.data)


def test_the_flow_ends_with_a_registered_model(project: Path) -> None:
    change(project, train={"steps": 3, "learning_rate": 0.5})
    retrain(project)
    client = MlflowClient(tracking_uri(project))
    version = client.get_model_version_by_alias("san-young", "challenger")
    (pipeline,) = pipelines(project)
    assert version.run_id == pipeline.info.run_id
    assert pipeline.info.status == "FINISHED"
    children = client.search_runs(
        [pipeline.info.experiment_id], f"tags.mlflow.parentRunId = '{pipeline.info.run_id}'"
    )
    trained = [run for run in children if run.info.run_name == "train"]
    assert [run.data.metrics["loss/J_total"] for run in trained] == [0.5 / 3]
    assert_linked(project, pipeline)
    retrain(project)  # nothing has changed: no new run, no new version
    assert len(pipelines(project)) == 1
    assert_linked(project, pipeline)
    assert client.get_registered_model("san-young").latest_versions[0].version == version.version


def test_a_failing_stage_stops_the_flow_and_gives_its_reason(project: Path) -> None:
    lock = (project / "dvc.lock").read_text()
    change(project, train={"steps": 11})
    with pytest.raises(SanError, match="^stage train failed: the photos have run out: take"):
        retrain(project)
    assert [run.info.status for run in pipelines(project)] == ["FAILED"]
    assert (project / "dvc.lock").read_text() == lock


def test_what_dvc_itself_refuses_is_the_reason(project: Path) -> None:
    stages = yaml.safe_load((project / "dvc.yaml").read_text())
    stages["stages"]["train"]["deps"] = ["data/missing"]
    (project / "dvc.yaml").write_text(yaml.safe_dump(stages, sort_keys=False))
    with pytest.raises(SanError, match="stage train failed: .*data/missing"):
        retrain(project)


def run_module(root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the flow as a person does who has neither a server nor an activated environment."""
    environment = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    environment |= {"PATH": os.defpath, "PREFECT_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "flows.retrain"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_the_module_needs_no_server_and_no_activated_environment(
    project: Path, tmp_path: Path
) -> None:
    done = run_module(project, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "registered: san-young, version 1" in done.stdout + done.stderr
    assert [run.info.status for run in pipelines(project)] == ["FINISHED"]


def test_the_module_tells_an_error_without_a_traceback(project: Path, tmp_path: Path) -> None:
    change(project, train={"steps": 11})
    done = run_module(project, tmp_path)
    assert done.returncode == 1
    assert "error: stage train failed: the photos have run out: take fewer steps" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
