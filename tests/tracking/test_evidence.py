"""What somebody changed in the registry after the pipeline is found out."""

import json
from pathlib import Path

import pytest
from tiny_project import dvc, git

from sanmodel.errors import SanError
from sanmodel.tracking import pull, register
from sanmodel.tracking.evidence import Evidence, collect, md5_folder
from sanmodel.tracking.lock import outs_of
from sanmodel.tracking.shelf import open_shelf


def evidence(root: Path, tmp_path: Path, which: str = "challenger") -> Evidence:
    with open_shelf(root) as shelf:
        return collect(shelf.client, shelf.version(which), tmp_path)


def stored(root: Path, name: str) -> Path:
    """Return the one artifact of that name: of the export's file, not the report's folder."""
    (path,) = (root / "mlflow/artifacts").rglob(name)
    return path


def test_a_version_as_the_pipeline_left_it_has_no_problem(project: Path, tmp_path: Path) -> None:
    register(project)
    found = evidence(project, tmp_path)
    assert found.problems == []
    assert found.metrics["classifiers"]["tiny@1"]["opposite"] == {"error": 0.4}
    assert found.export is not None
    assert (found.export / "san.onnx").is_file()


def test_an_edited_metrics_file_is_found_out(project: Path, tmp_path: Path) -> None:
    register(project)
    path = stored(project, "evaluate.json")
    path.write_text(path.read_text().replace("0.4", "0.5"))
    (problem,) = evidence(project, tmp_path).problems
    assert problem == (
        "the figures of version 1 of san-young (evaluate.json) were altered: dvc.lock has another"
        " MD5 of them"
    )


def test_who_edits_the_checksum_as_well_is_found_out(project: Path, tmp_path: Path) -> None:
    register(project)
    lock = stored(project, "dvc.lock")
    lock.write_text(lock.read_text() + "\n")
    problems = evidence(project, tmp_path).problems
    assert problems[0].startswith("the dvc.lock of version 1 of san-young was altered")


def test_a_half_uploaded_version_is_told(project: Path, tmp_path: Path) -> None:
    register(project)
    stored(project, "san.onnx").unlink()
    found = evidence(project, tmp_path)
    assert found.export is None
    assert found.problems == [
        "version 1 of san-young is incomplete or altered (san.onnx is missing): register anew"
    ]
    with pytest.raises(SanError, match="version 1 of san-young is incomplete"):
        pull("models:/san-young@challenger", tmp_path / "to", project)


def test_a_model_with_a_manifest_of_its_own_is_found_out(project: Path, tmp_path: Path) -> None:
    """Somebody replaces the model and writes the right checksum into its manifest."""
    register(project)
    path = stored(project, "manifest.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest))  # other bytes, all the same in it
    (problem,) = evidence(project, tmp_path).problems
    assert "are not those that its dvc.lock lists" in problem


def test_code_that_no_commit_holds_is_told_until_it_is_committed(
    project: Path, tmp_path: Path
) -> None:
    with (project / "params.yaml").open("a") as stream:
        stream.write("# changed\n")
    register(project)
    (problem,) = evidence(project, tmp_path / "a").problems
    assert "was made by code that no commit holds: commit" in problem
    git(project, "commit", "--quiet", "--all", "--message", "changed")
    assert register(project) == "1"
    assert evidence(project, tmp_path / "b").problems == []


def test_a_module_that_git_does_not_know_is_a_change(project: Path, tmp_path: Path) -> None:
    (project / "notes.txt").write_text("not code")
    register(project)
    assert evidence(project, tmp_path / "a").problems == []
    (project / "sanmodel").mkdir()
    (project / "sanmodel/new.py").write_text("")
    register(project)
    (problem,) = evidence(project, tmp_path / "b").problems
    assert "was made by code that no commit holds" in problem


def test_the_checksum_of_a_folder_is_dvcs_own(project: Path) -> None:
    outs = outs_of(project / "dvc.lock")
    (project / "models/export/sub").mkdir()
    (project / "models/export/sub/a.txt").write_text("a")
    assert md5_folder(project / "models/export") != outs["models/export"]
    assert dvc(project, "commit", "--force", "--quiet").returncode == 0
    assert md5_folder(project / "models/export") == outs_of(project / "dvc.lock")["models/export"]
    assert md5_folder(project / "reports/evaluation") == outs["reports/evaluation"]
