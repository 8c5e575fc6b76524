"""A version is made again from what its record says, to the same weights."""

from pathlib import Path

import pytest
import yaml
from tiny_project import change, dvc, git

from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.observer import SILENT, Observer
from sanmodel.tracking import register, reproduce

URI = "models:/san-young@challenger"


class Listener(Observer):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_it_tells_commit_parameters_data_and_packages(project: Path) -> None:
    register(project)
    told = reproduce(URI, project, None, SILENT).splitlines()
    assert told[0] == "san-young, version 1, was made of"
    assert told[1] == f"commit {git(project, 'rev-parse', 'HEAD').strip()}"
    assert "parameter train.learning_rate = 0.25" in told
    assert any(line.startswith("package torch==2.13.0") for line in told)
    assert any(line.startswith("gave models/autoencoder.safetensors, MD5 ") for line in told)


def test_two_rebuilds_give_the_same_weights(project: Path, tmp_path: Path) -> None:
    register(project)
    expected = sha256(project / "models/autoencoder.safetensors")
    # The work tree has gone on since.
    change(project, seed=2)
    assert dvc(project, "repro").returncode == 0
    git(project, "commit", "--quiet", "--all", "--message", "another seed")
    for name in ("a", "b"):
        listener = Listener()
        told = reproduce(URI, project, tmp_path / name, listener)
        assert "san-young, version 1, made again, the same weights in all 1 files" in told
        assert sha256(tmp_path / name / "models/autoencoder.safetensors") == expected
        assert listener.notes == []
    with pytest.raises(SanError, match="a is there already: name another folder with --to"):
        reproduce(URI, project, tmp_path / "a", SILENT)


def test_other_packages_are_named(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        older = ["machine==x86_64", "numpy==1.0", "python==3.11.7"]
        patch.setattr("sanmodel.tracking.packages.installed", lambda: older)
        register(project)
    listener = Listener()
    reproduce(URI, project, tmp_path / "again", listener)
    assert any(
        note.startswith("another package than then: numpy 1.0, now") for note in listener.notes
    )


def test_weights_that_come_out_otherwise_are_named(project: Path, tmp_path: Path) -> None:
    """The code is the same, but the machine is another: here the data that git does not hold."""
    (project / ".gitignore").open("a").write("/extra.txt\n")
    (project / "extra.txt").write_text("then")
    definition = yaml.safe_load((project / "dvc.yaml").read_text())
    train = definition["stages"]["train"]
    train["cmd"] += " && cat extra.txt >> models/autoencoder.safetensors"
    train["deps"].append("extra.txt")
    (project / "dvc.yaml").write_text(yaml.safe_dump(definition, sort_keys=False))
    assert dvc(project, "repro").returncode == 0
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "with an extra")
    register(project)
    (project / "extra.txt").write_text("now")
    with pytest.raises(SanError, match=r"but models/autoencoder\.safetensors came out otherwise"):
        reproduce(URI, project, tmp_path / "again", SILENT)
    (project / "extra.txt").unlink()
    with pytest.raises(SanError, match=r"extra\.txt is missing, from which san-young, version 1"):
        reproduce(URI, project, tmp_path / "once more", SILENT)


def test_what_no_commit_holds_cannot_be_made_again(project: Path, tmp_path: Path) -> None:
    with (project / "params.yaml").open("a") as stream:
        stream.write("# changed\n")
    register(project)
    with pytest.raises(SanError, match="was made by code that no commit holds"):
        reproduce(URI, project, tmp_path / "again", SILENT)
    with pytest.raises(SanError, match="san-young has no version 9"):
        reproduce("models:/san-young/9", project, None, SILENT)
