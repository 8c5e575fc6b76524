"""The benchmark really runs the stage, on as many photos as it says."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from sanmodel.benchmarks.preprocessing import run_benchmark, save, show, write_photos
from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.images import decode_rgb
from sanmodel.observer import SILENT
from sanmodel.settings import parse_settings
from sanmodel.tables import count_rows, iterate_rows

PHOTOS = Path(__file__).parents[2] / "data/sample/photos"
SETTINGS = parse_settings({"preprocess": {"detector": "none", "split": "partition"}})


@pytest.fixture
def two_photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("000000.jpg", "000001.jpg"):
        (folder / name).symlink_to(PHOTOS / name)
    return folder


def test_no_repetition_is_a_copy_of_another(two_photos: Path, tmp_path: Path):
    parts = write_photos(two_photos, tmp_path / "raw", 50, SILENT)
    assert len(parts) == 4
    assert count_rows(tmp_path / "raw") == 50
    pictures = [decode_rgb(row["image"], "x") for row in iterate_rows(tmp_path / "raw")]
    assert len({picture.tobytes() for picture in pictures}) == 50
    # They differ in little more than a pixel.
    assert abs(pictures[0].astype(int) - pictures[2]).mean() < 0.5


def test_a_folder_without_photos_is_refused(tmp_path: Path):
    with pytest.raises(SanError, match="holds no .jpg or .png: name a folder of photos"):
        write_photos(tmp_path, tmp_path / "raw", 8, SILENT)


def test_the_figures_are_those_of_runs_of_the_stage(two_photos: Path, tmp_path: Path):
    figures = run_benchmark(SETTINGS, two_photos, 260, workers=2)
    runs = figures["runs"]
    assert [(run["images"], run["workers"]) for run in runs] == [
        (65, 1),
        (65, 2),
        (130, 2),
        (260, 2),
    ]
    assert all(run["crops"] == run["images"] for run in runs)
    for run in runs:
        assert 50 < run["worker_peak_mib"] < 1500
        assert 0.1 < run["cpu_seconds"] < 2.5 * run["seconds"]
        assert 20_000 < run["crop_bytes"] / run["images"] < 150_528
    assert figures["speed_up"] == pytest.approx(runs[0]["seconds"] / runs[1]["seconds"])
    save(figures, tmp_path / "out")
    assert read_json(tmp_path / "out/preprocessing.json")["runs"] == runs
    with (tmp_path / "out/memory.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert max(float(row["mib"]) for row in rows if row["run"] == "3") >= runs[3]["worker_peak_mib"]
    assert {row["process"] for row in rows if row["run"] == "3"} == {"0", "1", "2"}
    shown = io.StringIO()
    show(figures, Console(file=shown, width=120))
    assert "202,599 such images" in shown.getvalue()
