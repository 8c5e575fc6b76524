"""A few people of the embedded sample as a further set."""

from pathlib import Path

import pytest
from small import PROJECT

from sanmodel.errors import SanError
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.stages import crop_set
from sanmodel.tables import read_columns

SETTINGS = Settings.model_validate(
    {
        "workers": 1,
        "preprocess": {"detector": "dlib"},
        "sets": {"few": {"source": "sample", "folder": "data/sample", "people": 2}},
    }
)


def test_all_faces_of_a_set_are_for_tests(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sample").symlink_to(PROJECT / "data/sample")
    paths = Paths(tmp_path)
    metrics = crop_set.run(SETTINGS, paths, "few")
    crops = read_columns(paths.of_set("few").crops, ["split", "identity"])
    assert len(crops) == metrics["crops"] > 2
    assert set(crops["split"]) == {"test"}
    assert crops["identity"].nunique() == 2
    assert not paths.crops.exists()
    assert not list((tmp_path / "data/sets/few").rglob(".*"))  # scratch files are elsewhere


def test_a_set_that_nobody_named_is_refused(tmp_path: Path):
    with pytest.raises(SanError, match="has no set 'lfw' under sets: there are few"):
        crop_set.run(SETTINGS, Paths(tmp_path), "lfw")
