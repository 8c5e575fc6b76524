"""What is read of DVC's files, and what is refused."""

from pathlib import Path

import pytest
from tiny_project import change

from sanmodel.errors import SanError
from sanmodel.tracking.lock import check_current, read_lock, stage_names


def test_stages_come_in_the_order_of_dvc_yaml(project: Path) -> None:
    assert stage_names(project) == ["preprocess", "validate", "train", "evaluate", "export"]


def test_a_stage_for_each_entry_of_a_section_has_a_name_for_each(tmp_path: Path) -> None:
    stages = "stages:\n  a: {cmd: x}\n  b:\n    foreach: ${sets}\n    do: {cmd: y}\n"
    (tmp_path / "dvc.yaml").write_text(stages)
    (tmp_path / "params.yaml").write_text("sets: {lfw: {}, muct: {}}")
    assert stage_names(tmp_path) == ["a", "b@lfw", "b@muct"]
    (tmp_path / "params.yaml").write_text("sets: {}")
    assert stage_names(tmp_path) == ["a"]


def test_a_locked_stage_lists_what_it_read_and_wrote(project: Path) -> None:
    train = read_lock(project)[2]
    assert train.params["train"] == {"steps": 5, "learning_rate": 0.25}
    assert list(train.deps) == ["data/crops"]
    assert train.deps["data/crops"].endswith(".dir")
    assert set(train.outs) > {"models/autoencoder.safetensors", "reports/train.json"}


def test_a_missing_lock_or_stage_is_named(project: Path) -> None:
    lock = project / "dvc.lock"
    content = lock.read_text()
    lock.write_text(content.replace("  train:", "  other:"))
    with pytest.raises(SanError, match="lacks the stage train: run `dvc repro`"):
        read_lock(project)
    lock.unlink()
    with pytest.raises(SanError, match=r"dvc\.lock is missing"):
        read_lock(project)


def test_a_work_tree_that_has_changed_is_refused(project: Path) -> None:
    check_current(project)
    change(project, seed=2)
    with pytest.raises(SanError, match=r"stage train\): run `dvc repro` first"):
        check_current(project)


def test_a_folder_without_dvc_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="`dvc status` failed"):
        check_current(tmp_path)
