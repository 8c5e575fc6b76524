"""A training is seen while it runs, and MLflow never stops it."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.observer import SILENT, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tracking import LiveRun, live, tracked, tracking_uri

SETTINGS = Settings(attribute="Young")


class Notes(Observer):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def until(found: Callable[[], object]) -> None:
    """Wait until the thread that delivers has come so far."""
    end = time.monotonic() + 20
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def stored(root: Path, run: LiveRun) -> Run:
    assert run.run_id is not None
    return MlflowClient(tracking_uri(root)).get_run(run.run_id)


def test_parameters_and_losses_are_there_while_it_trains(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 0)
    with LiveRun("pretrain", SETTINGS, Paths(project)) as run:
        run.losses(1, {"J_D": 0.5})
        until(lambda: run.run_id and stored(project, run).data.metrics)
        during = stored(project, run)
        assert (during.info.status, during.data.metrics) == ("RUNNING", {"loss/J_D": 0.5})
        assert during.data.params["pretrain.steps"] == "200"
        assert "train.steps" not in during.data.params
    assert stored(project, run).info.status == "FINISHED"


def test_speed_goes_with_the_losses_and_pictures_are_seen_while_it_trains(project: Path) -> None:
    client = MlflowClient(tracking_uri(project))
    with LiveRun("pretrain", SETTINGS, Paths(project)) as run:
        run.speed(321.5)
        run.losses(1, {"J_D": 0.5})
        for step in (10, 20):
            run.picture("pretrain", step, np.full((4, 6), step, np.uint8))
        until(lambda: run.run_id)
        until(lambda: len(client.list_artifacts(str(run.run_id), "images")) == 4)
        files = [file.path for file in client.list_artifacts(str(run.run_id), "images")]
    assert stored(project, run).data.metrics == {"loss/J_D": 0.5, "images_per_second": 321.5}
    for step in (10, 20):
        (name,) = [f for f in files if f"pretrain+step+{step}+" in f and f.endswith(".png")]
        path = client.download_artifacts(str(run.run_id), name)
        assert np.asarray(Image.open(path)).tolist() == [[step] * 6] * 4


def test_pictures_of_one_moment_are_all_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_now", lambda: 1_700_000_000_000)
    with LiveRun("pretrain", SETTINGS, Paths(project)) as run:
        for name, step in (("pretrain", 10), ("pretrain", 20), ("faces", 20)):
            run.picture(name, step, np.full((4, 6), step, np.uint8))
    files = MlflowClient(tracking_uri(project)).list_artifacts(str(run.run_id), "images")
    assert len([file for file in files if file.path.endswith(".png")]) == 3


def test_losses_of_a_moment_are_sent_together(project: Path) -> None:
    with LiveRun("pretrain", SETTINGS, Paths(project)) as run:
        for step in (1, 2, 3):
            run.losses(step, {"J_D": 1 / step})
        until(lambda: run.run_id)
        assert stored(project, run).data.metrics == {}
    history = MlflowClient(tracking_uri(project)).get_metric_history(str(run.run_id), "loss/J_D")
    assert [(metric.step, metric.value) for metric in history] == [(1, 1), (2, 1 / 2), (3, 1 / 3)]


@pytest.mark.parametrize(
    ("error", "status"), [(SanError("diverged"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_a_run_says_how_it_ended(project: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), LiveRun("train", SETTINGS, Paths(project)) as run:
        raise error
    assert stored(project, run).info.status == status


def test_an_open_pipeline_run_is_the_parent(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LiveRun("pretrain", SETTINGS, Paths(project)) as parent:
        pass
    monkeypatch.setenv("SAN_PIPELINE_RUN", str(parent.run_id))
    with LiveRun("train", SETTINGS, Paths(project)) as run:
        pass
    assert stored(project, run).data.tags["mlflow.parentRunId"] == parent.run_id


def test_no_server_no_curve_but_a_note_and_a_result(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@localhost:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    paths, notes = Paths(project), Notes()
    with tracked("train", SETTINGS, paths, notes) as observer:
        observer.losses(1, {"J_G": 1.0})
    (note,) = notes.texts
    assert note.startswith("train goes on. MLflow takes nothing now (")
    assert "secret" not in note
    assert read_json(project / ".san/live/train.json")["live_run"] is None


def test_a_server_that_goes_away_is_left_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 0)
    notes = Notes()
    with LiveRun("train", SETTINGS, Paths(project), notes) as run:
        until(lambda: run.run_id)
        MlflowClient(tracking_uri(project)).delete_run(str(run.run_id))
        for step in range(3):
            run.losses(step, {"J_G": 1.0})
            run.picture("train", step, np.zeros((2, 2), np.uint8))
    assert len(notes.texts) == 1
    assert "MLflow refuses the run" in notes.texts[0]
    assert list((project / ".san/spool").iterdir()) == []


def test_a_stage_without_training_opens_no_run(project: Path) -> None:
    with tracked("validate", SETTINGS, Paths(project), SILENT) as observer:
        (project / "reports/validate.json").write_text("{}")
    assert observer is SILENT
    assert read_json(project / ".san/live/validate.json")["live_run"] is None


def test_a_stage_that_fails_leaves_no_record(project: Path) -> None:
    with pytest.raises(SanError), tracked("validate", SETTINGS, Paths(project)):
        raise SanError("bad table")
    assert not (project / ".san/live").exists()


def test_a_new_database_is_made_without_chatter(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from sanmodel.paths import Paths;"
        "from sanmodel.settings import Settings; from sanmodel.tracking import LiveRun;"
        "exec('with LiveRun(\\'train\\', Settings(), Paths(Path())): pass')"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "mlflow/mlflow.db").is_file()


def test_a_disk_that_is_full_does_not_stop_the_training(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 0)
    monkeypatch.setattr(live, "GOODBYE", 0.1)
    notes = Notes()
    with LiveRun("train", SETTINGS, Paths(project), notes) as run:
        until(lambda: run.run_id)
        (folder,) = (project / ".san/spool").iterdir()
        shutil.rmtree(folder)
        folder.write_text("no folder any more")  # as good as a full disk: nothing can be kept
        run.losses(1, {"J_G": 1.0})
        run.picture("train", 1, np.zeros((2, 2), np.uint8))
    assert len(notes.texts) == 1
    assert notes.texts[0].startswith("train goes on. its live curves are incomplete: ")
