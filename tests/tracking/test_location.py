"""Where runs go, and what is never shown or stored."""

from pathlib import Path

import pytest

from sanmodel.paths import Paths
from sanmodel.tracking import tracking_uri, without_password
from sanmodel.tracking.location import artifact_location, reason
from sanmodel.tracking.memory import recall_state, remember_state


def test_the_default_is_a_database_in_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert tracking_uri(Path()) == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert artifact_location(Path()) == f"file://{tmp_path}/mlflow/artifacts"


def test_a_server_decides_where_artifacts_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert tracking_uri(Path()) == "http://localhost:5000"
    assert artifact_location(Path()) is None


def test_a_password_is_neither_shown_nor_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = "postgresql://me:secret@host/db"
    assert without_password(f"at {uri}") == "at postgresql://host/db"
    assert reason(ValueError(f"no answer\nfrom {uri}")) == "no answer"
    assert reason(ValueError()) == "ValueError"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    paths = Paths(tmp_path)
    paths.lock.write_text("stages: {}")
    remember_state(paths, "filed", "run")
    assert recall_state(paths, "filed") == "run"
    assert "secret" not in (tmp_path / ".san/filed.json").read_text()


def test_a_note_holds_for_one_state_and_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    paths = Paths(tmp_path)
    assert recall_state(paths, "filed") is None
    paths.lock.write_text("stages: {}")
    remember_state(paths, "filed", "run")
    assert recall_state(paths, "registered") is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5001")
    assert recall_state(paths, "filed") is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert recall_state(paths, "filed") == "run"
    paths.lock.write_text("stages: {other: 1}")
    assert recall_state(paths, "filed") is None
