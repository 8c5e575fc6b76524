"""Evaluations come back from MLflow as they were filed."""

from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.settings import load_settings
from sanmodel.tracking import evaluation_of, file_pipeline
from sanmodel.tracking.evaluations import METRICS
from sanmodel.tracking.store import open_store


def test_the_run_of_a_pipeline_gives_the_figures_of_its_evaluation(project: Path) -> None:
    run_id = file_pipeline(project)
    with evaluation_of(run_id, project) as path:
        assert read_json(path) == read_json(project / "reports/evaluate.json")
    assert not path.exists()


def test_so_does_the_run_of_the_stage_alone(project: Path) -> None:
    store = open_store(project, load_settings(project / "params.yaml"))
    run_id = store.start("evaluate")
    store.log_files(run_id, [project / "reports" / METRICS])
    with evaluation_of(run_id, project) as path:
        assert read_json(path) == read_json(project / "reports/evaluate.json")


def test_a_run_without_an_evaluation_and_no_run_at_all_are_told_apart(project: Path) -> None:
    store = open_store(project, load_settings(project / "params.yaml"))
    empty = store.start("pipeline")
    with pytest.raises(SanError, match=rf"{empty} has no evaluate\.json: give one of a whole"):
        with evaluation_of(empty, project):
            pass
    with pytest.raises(SanError, match="3f2a is neither a file nor a run of MLflow"):
        with evaluation_of("3f2a", project):
            pass


def test_where_no_run_was_kept_no_database_is_made(tmp_path: Path) -> None:
    with (
        pytest.raises(SanError, match=r"kept no run yet, .*mlflow\.db is missing"),
        evaluation_of("3f2a", tmp_path),
    ):
        pass
    assert not list(tmp_path.iterdir())
