import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sanmodel.benchmarks.detection import corners, report, textures
from sanmodel.detection.dpm.learning.training import Recipe
from sanmodel.detection.dpm.teaching import is_for_training, teach, training_photo, turn_of
from sanmodel.errors import SanError
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import iterate_rows


@pytest.fixture(scope="module")
def raw(crops_root: Path) -> Path:
    return crops_root / "data/raw"


def test_figures_are_measured_on_the_people_who_did_not_teach(raw: Path, tmp_path: Path) -> None:
    text = report(raw, 0.5, PreprocessSettings(), tmp_path / "sheet.png", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    judges = [row for row in iterate_rows(raw) if not is_for_training(row["identity"], 0.5)]
    assert figures["photos"] == len(judges) > 0
    assert figures["photos_with_a_face_found"] > 0.8
    assert figures["median_overlap_with_dlib"] > 0.7
    assert figures["cpu_seconds_dpm"] > 0
    assert "false_boxes_in_them" in text
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 20 * 150


def test_nobody_left_to_judge_is_told(raw: Path) -> None:
    with pytest.raises(SanError, match="lower --people-share"):
        report(raw, 1.0, PreprocessSettings(), None, None)


def test_a_few_photos_are_too_few_to_teach(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(SanError, match="faces to learn from"):
        teach(raw, tmp_path / "face.safetensors", Recipe(), 0.5, 5, workers=1)
    assert not (tmp_path / "face.safetensors").exists()


def test_the_source_s_own_box_comes_first(raw: Path) -> None:
    row = next(iterate_rows(raw))
    own = {"box_left": 3.0, "box_top": 4.0, "box_right": 33.0, "box_bottom": 34.0}
    photo = training_photo({**row, **own})
    assert photo is not None
    assert photo.faces[0].tolist() == [3, 4, 33, 34]


def test_the_source_s_box_turns_with_the_photo(raw: Path) -> None:
    row = next(iterate_rows(raw))
    with Image.open(io.BytesIO(row["image"])) as image:
        upright = np.asarray(image.convert("RGB"))
    height, width = upright.shape[:2]
    stored, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn clockwise
    Image.fromarray(np.rot90(upright)).save(stored, "PNG", exif=exif)
    own = {"box_left": 10.0, "box_top": 20.0, "box_right": 60.0, "box_bottom": 90.0}
    photo = training_photo({**row, "image": stored.getvalue(), **own})
    assert photo is not None
    assert photo.decoded().shape == (height, width, 3)
    assert photo.faces[0].tolist() == [width - 90, 10, width - 20, 60]


def test_a_box_beside_the_photo_is_not_believed(raw: Path) -> None:
    row = next(iterate_rows(raw))
    own = {"box_left": -90.0, "box_top": 4.0, "box_right": -33.0, "box_bottom": 34.0}
    photo = training_photo({**row, **own})
    assert photo is None or photo.faces[0, 0] > -10


def test_a_file_that_is_no_photo_teaches_nothing(raw: Path) -> None:
    assert training_photo({**next(iterate_rows(raw)), "image": b"text"}) is None


def test_a_turn_changes_its_sign_in_a_mirror(raw: Path) -> None:
    turns = []
    for row, _ in zip(iterate_rows(raw), range(6), strict=False):
        taught = training_photo(row)
        if taught is None:
            continue
        mirrored = taught.mirrored()
        again = turn_of(mirrored.decoded(), mirrored.faces[0])
        turns.append((taught.turn, again))
    assert turns
    assert np.mean([abs(turn + again) for turn, again in turns]) < 0.1


def test_corners_touch_no_face(raw: Path) -> None:
    photo = np.zeros((200, 200, 3), np.uint8)
    photo[80:120, 80:120] = 255
    cut = corners(photo, [np.array([80.0, 80, 120, 120])])
    assert len(cut) == 4
    assert all(picture.shape == (70, 70, 3) and not picture.any() for picture in cut)
    assert corners(photo, [np.array([0.0, 0, 200, 200])]) == []


def test_textures_are_rgb_pictures() -> None:
    assert all(picture.ndim == 3 and picture.dtype == np.uint8 for picture in textures())
