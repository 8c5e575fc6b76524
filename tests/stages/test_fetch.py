"""fetch on every source: which columns arrive in the raw table."""

import io
from pathlib import Path

import fake_sources as fakes
import numpy as np
import pytest
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.paths import Paths
from sanmodel.settings import parse_settings
from sanmodel.sources import SOURCES
from sanmodel.stages import fetch
from sanmodel.tables import RAW_COLUMNS, attributes, iterate_rows, schema, shards


def raw_rows(root: Path, source: str, **section: object) -> list[dict[str, object]]:
    """Run fetch on ``root / source`` and return the raw table."""
    settings = parse_settings({"fetch": {"source": source, "folder": source, **section}})
    fetch.run(settings, Paths(root))
    return list(iterate_rows(Paths(root).raw))


def test_a_row_holds_all_that_a_source_knows(tmp_path: Path):
    fakes.celeba(tmp_path / "celeba")
    first, *_, last = raw_rows(tmp_path, "celeba")
    assert {name: value for name, value in first.items() if name != "image"} == {
        "image_id": "000001",
        "identity": "2880",
        "source_path": "Img/img_celeba/000001.jpg",
        "partition": 0,
        "condition": None,
        "occluded": None,
        "box_left": 95,
        "box_top": 71,
        "box_right": 321,
        "box_bottom": 384,
        "Male": 0,
        "Smiling": 1,
    }
    assert first["image"] == fakes.photo(0)
    assert last["box_left"] is None
    assert attributes(Paths(tmp_path).raw) == ["Male", "Smiling"]


def test_every_source_gives_the_same_columns(tmp_path: Path):
    fakes.lfw(tmp_path / "lfw")
    fakes.muct(tmp_path / "muct")
    fakes.write(tmp_path / "arface", fakes.photos(("w-001-1.bmp", "m-001-8.bmp")))
    table = b"image,identity,Male,occluded,partition\na.jpg,x,1,True,\nb.jpg,y,0,,2\n"
    fakes.write(tmp_path / "folder", {**fakes.photos(("a.jpg", "b.jpg")), "labels.csv": table})
    found = {}
    for source in ("lfw", "muct", "arface", "folder"):
        found[source] = raw_rows(tmp_path, source)
        names = schema(Paths(tmp_path).raw).names
        assert names[: len(RAW_COLUMNS)] == list(RAW_COLUMNS)
    assert [row["Male"] for row in found["lfw"]] == [0, 0, 1]
    assert found["muct"][0]["condition"] == "lighting q, camera a"
    assert found["muct"][2]["box_left"] is None
    assert [row["occluded"] for row in found["arface"]] == [True, False]
    assert [row["occluded"] for row in found["folder"]] == [True, None]
    assert [row["partition"] for row in found["folder"]] == [None, 2]


def test_raw_planes_arrive_as_a_picture(tmp_path: Path):
    planes = np.full((3, 576, 768), 7, dtype=np.uint8)
    fakes.write(tmp_path / "arface", {"m-001-1.raw": planes.tobytes()})
    (row,) = raw_rows(tmp_path, "arface")
    assert Image.open(io.BytesIO(row["image"])).size == (768, 576)


def test_half_of_the_people_have_the_attribute_however_it_is_written(tmp_path: Path):
    """0 and -1 both mean that a person has it not."""
    names = tuple(f"{index}.jpg" for index in range(12))
    lines = [f"{name},{index // 3},{int(index < 6)}" for index, name in enumerate(names)]
    lines[9:] = ["9.jpg,3,1", "10.jpg,3,0", "11.jpg,3,0"]  # most photos without
    table = "\n".join(["image,identity,Male", *lines]).encode()
    fakes.write(tmp_path / "folder", {**fakes.photos(names), "labels.csv": table})
    rows = raw_rows(tmp_path, "folder", people=4)
    assert {row["identity"] for row in rows} == {"0", "1", "2", "3"}
    rows = raw_rows(tmp_path, "folder", people=2)
    assert {row["identity"] for row in rows} == {"0", "2"}


def test_a_missing_folder_says_how_to_get_it(tmp_path: Path):
    for source in SOURCES.names():
        with pytest.raises(
            SanError, match=f"{source} is missing: set fetch.folder to where"
        ) as told:
            raw_rows(tmp_path, source)
        words = "san download" if SOURCES.get(source).items else "san sources"
        assert f"`{words} {source}`" in str(told.value)


def test_celebas_202599_images_are_a_few_hundred_files(tmp_path: Path):
    fakes.celeba(tmp_path / "celeba")
    raw_rows(tmp_path, "celeba", shard_rows=2)
    assert len(shards(Paths(tmp_path).raw)) == 2
    usual = parse_settings({}).fetch.shard_rows
    assert 202_599 / usual < 400
