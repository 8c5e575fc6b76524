from pathlib import Path

import numpy as np
import pytest
from small import LANDMARK_COLUMNS

from sanmodel.errors import SanError
from sanmodel.evaluation.sides import load_sides
from sanmodel.images import encode_png
from sanmodel.paths import Paths
from sanmodel.settings import Settings, parse_settings
from sanmodel.tables import CROP_COLUMNS, TableWriter

SETS = {"sets": {"lfw": {"source": "lfw", "folder": "x"}}}


def write(folder: Path, images: dict[str, tuple[str, str]], attribute: str = "Male") -> None:
    """Write a crops table; images maps names to person and side."""
    folder.mkdir(parents=True)
    picture = encode_png(np.zeros((224, 224, 3), np.uint8))
    with TableWriter(folder, CROP_COLUMNS, [attribute]) as writer:
        for name, (person, side) in images.items():
            row = {"image_id": name, "identity": person, "split": side, attribute: 1}
            writer.add({**row, **LANDMARK_COLUMNS, "image": picture})


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A work tree whose split is by image: Ann is on both sides."""
    images = {"a": ("Ann", "test"), "b": ("Ann", "train"), "c": ("Bob", "train")}
    write(Paths(tmp_path).crops, images)
    return Paths(tmp_path)


def test_attackers_never_learn_from_people_of_the_test_side(paths: Paths):
    sides = load_sides(Settings(), paths)
    assert sides.sets["test"].image_ids.tolist() == ["a"]
    assert sides.outside.image_ids.tolist() == ["c"]
    assert sides.gaps[0].startswith("1 training images show people of the test side")


def test_without_a_training_side_nobody_is_outside(tmp_path: Path):
    write(Paths(tmp_path).crops, {"a": ("Ann", "test")})
    sides = load_sides(Settings(), Paths(tmp_path))
    assert (len(sides.sets["test"]), len(sides.outside), sides.gaps) == (1, 0, [])


def test_further_sets_are_loaded_whole_and_left_out_without_the_attribute(paths: Paths):
    lfw = paths.of_set("lfw").crops
    write(lfw, {"x": ("Eve", "test"), "y": ("Kim", "test")})
    assert len(load_sides(parse_settings(SETS), paths).sets["lfw"]) == 2
    write(paths.of_set("muct").crops, {"x": ("Eve", "test")}, attribute="Smiling")
    sets = {"muct": {"source": "muct", "folder": "x"}}
    sides = load_sides(parse_settings({"sets": sets}), paths)
    assert list(sides.sets) == ["test"]
    assert "the set muct does not tell Male and is left out" in sides.gaps


def test_a_set_that_was_not_cropped_is_refused(paths: Paths):
    with pytest.raises(SanError, match="lfw"):
        load_sides(parse_settings(SETS), paths)
