"""What ``dvc.lock`` records is in MLflow exactly once, with a child run for each stage."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from tiny_project import change, dvc, git, repro

from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.tracking import file_pipeline, open_pipeline, tracking_uri


def client(root: Path) -> MlflowClient:
    return MlflowClient(tracking_uri(root))


def runs(root: Path) -> list[Run]:
    experiment = client(root).get_experiment_by_name("san-young")
    assert experiment is not None
    return list(client(root).search_runs([experiment.experiment_id]))


def children(root: Path, parent: str) -> dict[str, Run]:
    tag = "mlflow.parentRunId"
    return {r.info.run_name: r for r in runs(root) if r.data.tags.get(tag) == parent}


def artifacts(root: Path, run: Run, folder: str | None = None) -> set[str]:
    return {item.path for item in client(root).list_artifacts(run.info.run_id, folder)}


def test_a_state_without_live_runs_is_filed_whole(project: Path) -> None:
    run_id = file_pipeline(project)
    parent = client(project).get_run(run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["san.dvc_lock"] == sha256(project / "dvc.lock")
    assert parent.data.tags["mlflow.source.git.commit"] == git(project, "rev-parse", "HEAD").strip()
    assert parent.data.tags["san.git_dirty"] == "false"
    assert parent.data.params["train.learning_rate"] == "0.25"
    assert parent.data.metrics["classifiers.tiny_1.opposite.error"] == 0.4
    assert artifacts(project, parent) == {"dvc.lock", "dvc.yaml", "packages.txt", "params.yaml"}
    stages = children(project, run_id)
    assert set(stages) == {"preprocess", "validate", "train", "evaluate", "export"}
    assert {run.info.status for run in stages.values()} == {"FINISHED"}
    assert {run.data.tags["san.ran"] for run in stages.values()} == {"false"}


def test_a_stage_shows_its_figures_curve_files_and_lineage(project: Path) -> None:
    stages = children(project, file_pipeline(project))
    train, evaluation = stages["train"], stages["evaluate"]
    assert train.data.params["seed"] == "1"
    assert train.data.metrics["loss"] == 0.25
    assert stages["preprocess"].data.tags["detector"] == "none"
    curve = client(project).get_metric_history(train.info.run_id, "loss/J_G")
    assert [(m.step, m.value) for m in curve] == [(s, 1 / s) for s in range(1, 6)]
    assert artifacts(project, train) == {"curves", "lineage.json", "pictures", "train.json"}
    assert artifacts(project, train, "pictures") == {"pictures/train.png"}
    path = client(project).download_artifacts(train.info.run_id, "lineage.json")
    lineage = json.loads(Path(path).read_text())
    (data,) = train.inputs.dataset_inputs
    assert data.dataset.name == "crops"
    assert data.dataset.digest == lineage["deps"]["data/crops"]
    assert json.loads(data.dataset.profile) == {"num_rows": 5}
    assert data.tags[0].value == "training"
    assert evaluation.inputs.dataset_inputs[0].tags[0].value == "testing"


def test_rows_of_probes_and_further_sets_are_metrics(project: Path) -> None:
    run_id = file_pipeline(project)
    evaluation = children(project, run_id)["evaluate"]
    for run in (evaluation, client(project).get_run(run_id)):
        metrics = run.data.metrics
        row = "probes.retrained.small CNN_ learned from OP_ OP.error_rate"
        assert metrics[row] == metrics[f"sets.lfw.{row}"] == 0.25
        assert metrics["probes.retrained.Age _ 50: 1_2.error_rate"] == 0.25
        assert not any(name.endswith("auc") for name in metrics)
    assert evaluation.data.tags["gaps.0"].startswith("39 impostor pairs are too few")


@pytest.mark.parametrize(
    ("stage", "folder", "tag", "other"),
    [
        ("validate", "data_docs", "san.data_docs", "suites/raw.html"),
        ("evaluate", "evaluation", "san.evaluation", "figures/figure-5-faces.png"),
    ],
)
def test_the_pipeline_leads_to_pages_which_are_there_whole(
    project: Path, stage: str, folder: str, tag: str, other: str
) -> None:
    run_id = file_pipeline(project)
    child = children(project, run_id)[stage]
    tags = client(project).get_run(run_id).data.tags
    assert tags[tag] == f"runs:/{child.info.run_id}/{folder}/index.html"
    place = f"#/experiments/{child.info.experiment_id}/runs/{child.info.run_id}/artifacts"
    assert f"]({place}/{folder}/index.html)" in tags["mlflow.note.content"]
    uri = tags[tag].removesuffix("/index.html")
    kept = Path(mlflow.artifacts.download_artifacts(uri, tracking_uri=tracking_uri(project)))
    written = project / "reports" / folder
    assert (kept / other).is_file()
    assert {path.relative_to(kept) for path in kept.rglob("*")} == {
        path.relative_to(written) for path in written.rglob("*")
    }
    assert sha256(kept / "index.html") == sha256(written / "index.html")


def test_the_same_state_is_filed_once(project: Path) -> None:
    first = file_pipeline(project)
    assert file_pipeline(project) == first
    (project / ".san/filed.json").unlink()  # the scratch folder is safe to delete
    assert file_pipeline(project) == first
    assert len(runs(project)) == 6


def test_a_filed_state_needs_no_mlflow(project: Path) -> None:
    first = file_pipeline(project)
    program = (
        "import sys; from pathlib import Path; from sanmodel.tracking import file_pipeline;"
        "print(file_pipeline(Path()), 'mlflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [first, "False"]


def test_another_database_is_filled_too(
    project: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = file_pipeline(project)
    other = project / "other.db"
    shutil.copy(template / "empty.db", other)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}")
    assert file_pipeline(project) != first
    assert len(runs(project)) == 6


def test_stages_that_ran_adopt_their_live_run(project: Path) -> None:
    first = file_pipeline(project)
    repro(project, train={"steps": 3, "learning_rate": 0.5})
    (live,) = [
        r
        for r in runs(project)
        if "mlflow.parentRunId" not in r.data.tags and r.info.run_name == "train"
    ]
    assert live.info.status == "FINISHED"
    assert live.data.metrics["loss/J_total"] == 0.5 / 3
    assert live.data.params["train.lambda_M"] == "1.0"
    second = file_pipeline(project)
    stages = children(project, second)
    assert second != first
    assert stages["train"].info.run_id == live.info.run_id
    curve = client(project).get_metric_history(live.info.run_id, "loss/J_G")
    assert sorted(m.step for m in curve) == [1, 2, 3]  # step 1 was not reported live
    ran = {name: run.data.tags["san.ran"] for name, run in stages.items()}
    assert {name for name in ran if ran[name] == "true"} == {"train", "evaluate", "export"}
    assert stages["preprocess"].data.metrics["crops"] == 5
    repro(project, train={"steps": 5, "learning_rate": 0.25})  # DVC restores it from its cache
    assert file_pipeline(project) == first


def test_an_opened_run_is_completed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_pipeline(project) as run_id:
        monkeypatch.setenv("SAN_PIPELINE_RUN", run_id)
        assert file_pipeline(project) == run_id
    assert len(children(project, run_id)) == 5
    assert client(project).get_run(run_id).info.status == "FINISHED"


def test_an_opened_run_of_a_known_state_goes_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = file_pipeline(project)
    with open_pipeline(project) as run_id:
        monkeypatch.setenv("SAN_PIPELINE_RUN", run_id)
        assert file_pipeline(project) == first
    assert len(runs(project)) == 6


def test_an_error_closes_an_opened_run(project: Path) -> None:
    with pytest.raises(ValueError, match="broken"), open_pipeline(project) as failed:
        raise ValueError("broken")
    with pytest.raises(KeyboardInterrupt), open_pipeline(project) as killed:
        raise KeyboardInterrupt
    status = [client(project).get_run(run).info.status for run in (failed, killed)]
    assert status == ["FAILED", "KILLED"]


def test_an_unknown_opened_run_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAN_PIPELINE_RUN", "0" * 32)
    with pytest.raises(SanError, match=r"SAN_PIPELINE_RUN is 0+, which is no run"):
        file_pipeline(project)


def test_a_state_that_is_not_reproduced_is_not_filed(project: Path) -> None:
    change(project, seed=2)
    with pytest.raises(SanError, match="run `dvc repro` first"):
        file_pipeline(project)


def test_an_unreachable_server_is_told_without_its_password(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@localhost:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SanError, match="MLFLOW_TRACKING_URI") as caught:
        file_pipeline(project)
    assert "secret" not in str(caught.value)


def test_a_moved_work_tree_is_told(project: Path) -> None:
    file_pipeline(project)
    moved = project.with_name("moved")
    project.rename(moved)
    (moved / ".san/filed.json").unlink()
    with pytest.raises(SanError, match=r"made in another folder: delete mlflow\.db"):
        file_pipeline(moved)


def test_no_git_no_commit(project: Path) -> None:
    (project / ".git").rename(project / "elsewhere")
    assert dvc(project, "config", "core.no_scm", "true").returncode == 0
    tags = client(project).get_run(file_pipeline(project)).data.tags
    assert "mlflow.source.git.commit" not in tags
