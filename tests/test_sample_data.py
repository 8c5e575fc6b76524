"""The embedded sample: its size, that it renders again byte for byte, that its faces are found."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sanmodel.detection import DETECTORS
from sanmodel.images import decode_rgb
from sanmodel.settings import PreprocessSettings

SAMPLE = Path(__file__).parents[1] / "data/sample"
LABELS = pd.read_csv(SAMPLE / "labels.csv")


def render(target: Path, *options: str) -> None:
    """Run the renderer as its README says."""
    subprocess.run([sys.executable, SAMPLE / "renderer", target, *options], check=True)


def photos_differing(target: Path) -> list[str]:
    rendered = sorted((target / "photos").iterdir())
    assert rendered
    return [p.name for p in rendered if p.read_bytes() != (SAMPLE / "photos" / p.name).read_bytes()]


def test_it_is_small_and_balanced():
    files = [path for path in SAMPLE.rglob("*") if "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files if path.is_file()) <= 12_000_000
    assert len(LABELS) == len(list((SAMPLE / "photos").iterdir())) >= 600
    people = LABELS.groupby("identity")["Male"].first()
    assert len(people) >= 60
    assert (people == 1).mean() == 0.5


def test_photos_render_again_byte_for_byte(tmp_path: Path):
    render(tmp_path, "--only", "3:7", "--only", "40:0")
    assert photos_differing(tmp_path) == []


@pytest.mark.slow
def test_all_photos_render_again_byte_for_byte(tmp_path: Path):
    render(tmp_path)
    assert photos_differing(tmp_path) == []
    assert (tmp_path / "labels.csv").read_bytes() == (SAMPLE / "labels.csv").read_bytes()


def detection_rate(names: "pd.Series[str]") -> float:
    detector = DETECTORS.get("dlib")(PreprocessSettings())
    photos = (decode_rgb((SAMPLE / "photos" / name).read_bytes(), name) for name in names)
    return sum(bool(detector.detect(photo)) for photo in photos) / len(names)


def test_faces_are_found_in_every_ninth_photo():
    assert detection_rate(LABELS["image"][::9]) >= 0.98


@pytest.mark.slow
def test_faces_are_found_in_all_photos():
    assert detection_rate(LABELS["image"]) >= 0.98
