"""A pulled folder runs without MLflow, and says what it is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.tracking import pull, register

URI = "models:/san-young@challenger"


def test_the_folder_runs_and_says_what_it_is(project: Path, tmp_path: Path) -> None:
    register(project)
    told = pull(URI, tmp_path / "model", project)
    assert told.startswith(f"{tmp_path}/model: version 1 of san-young")
    assert read_json(tmp_path / "model/pulled.json") == {"model": "san-young", "version": "1"}
    assert "No gate has judged this version" in (tmp_path / "model/card.md").read_text()
    Image.fromarray(np.full((224, 224), 51, np.uint8)).save(tmp_path / "face.png")
    command = [sys.executable, tmp_path / "model/example.py", "face.png", "hidden.png", "1"]
    subprocess.run(command, cwd=tmp_path, check=True)
    hidden = np.asarray(Image.open(tmp_path / "hidden.png"))
    assert (hidden == 204).all()  # the tiny graph's |y - X|
    assert len((tmp_path / "model/example.py").read_text().splitlines()) <= 30


def test_an_earlier_pull_is_replaced_and_nothing_else(project: Path, tmp_path: Path) -> None:
    register(project)
    pull(URI, tmp_path / "model", project)
    (tmp_path / "model/san.onnx").write_bytes(b"damaged")
    pull(URI, tmp_path / "model", project)
    assert (tmp_path / "model/san.onnx").stat().st_size > 100
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("dear")
    with pytest.raises(SanError, match="other holds something else than a pulled model"):
        pull(URI, tmp_path / "other", project)
    assert (tmp_path / "other/letter.txt").read_text() == "dear"
