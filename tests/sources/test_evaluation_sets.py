"""LFW, MUCT and the AR face database: what their names tell."""

import io
from pathlib import Path

import fake_sources as fakes
import numpy as np
import pytest
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.sources.arface import list_arface, read_arface
from sanmodel.sources.checks import BOX, check_listing
from sanmodel.sources.lfw import list_lfw
from sanmodel.sources.muct import list_muct


def test_lfw_has_people_as_folders_and_gender_from_the_lists(tmp_path: Path):
    listing = list_lfw(fakes.lfw(tmp_path))
    check_listing(listing, tmp_path)
    assert listing["image_id"].tolist() == ["Ann_Lee_0001", "Ann_Lee_0002", "Bob_Roe_0001"]
    assert listing["identity"].tolist() == ["Ann_Lee", "Ann_Lee", "Bob_Roe"]
    assert listing["Male"].tolist() == [-1, -1, 1]
    assert listing["source_path"][0] == "lfw/Ann_Lee/Ann_Lee_0001.jpg"
    box = listing.iloc[0]
    assert box["box_left"] + box["box_right"] == pytest.approx(250)
    assert 2.2 * (box["box_right"] - box["box_left"]) == pytest.approx(250)


def test_a_persons_gender_is_what_most_images_are_listed_as(tmp_path: Path):
    fakes.lfw(tmp_path)
    (tmp_path / "female_names.txt").write_text("\ufeffBob_Roe_0002.jpg\r\nAnn_Lee_0002.jpg\r\n")
    (tmp_path / "male_names.txt").write_text("Bob_Roe_0001.jpg\nBob_Roe_0003.jpg\n")
    assert list_lfw(tmp_path)["Male"].tolist() == [-1, -1, 1]


def test_lfw_names_a_missing_list_and_an_unknown_person(tmp_path: Path):
    fakes.lfw(tmp_path)
    (tmp_path / "male_names.txt").write_text("Ann_Lee_0001.jpg\nAnn_Lee_0002.jpg\n")
    with pytest.raises(SanError, match="do not say whether Ann_Lee, Bob_Roe are men or women"):
        list_lfw(tmp_path)
    (tmp_path / "male_names.txt").unlink()
    with pytest.raises(SanError, match=r"male_names\.txt is missing: `san sources lfw` says where"):
        list_lfw(tmp_path)
    with pytest.raises(SanError, match="is not LFW's layout: it needs lfw/<person>/"):
        list_lfw(tmp_path / "lfw")


def test_muct_is_told_by_its_names_and_landmarks(tmp_path: Path):
    listing = list_muct(fakes.muct(tmp_path))
    check_listing(listing, tmp_path)
    assert listing["image_id"].tolist() == ["i000qa-fn", "i000ra-fn", "i001qa-mg"]
    assert listing["identity"].tolist() == ["000", "000", "001"]
    assert listing["Male"].tolist() == [-1, -1, 1]
    assert listing["Eyeglasses"].tolist() == [-1, -1, 1]
    assert listing["condition"][1] == "lighting r, camera a"
    boxes = listing[list(BOX)]
    assert boxes.iloc[0].tolist() == [201, 348, 340.5, 400]
    assert boxes.iloc[1].tolist() == [210, 300, 330, 420]  # without the hidden point
    assert boxes.iloc[2].isna().all()  # no landmarks


def test_muct_without_landmarks_has_no_boxes(tmp_path: Path):
    fakes.muct(tmp_path)
    table = tmp_path / "muct-landmarks/muct76-opencv.csv"
    table.write_text("<html>")
    with pytest.raises(SanError, match=r"opencv\.csv is not MUCT's table of landmarks"):
        list_muct(tmp_path)
    table.unlink()
    listing = list_muct(tmp_path)
    check_listing(listing, tmp_path)
    assert listing[list(BOX)].isna().all(axis=None)


def test_muct_names_what_is_not_named_like_it(tmp_path: Path):
    with pytest.raises(SanError, match="is not MUCT's layout"):
        list_muct(tmp_path)
    fakes.muct(tmp_path)
    (tmp_path / "jpg/i000za.jpg").write_bytes(b"")
    with pytest.raises(SanError, match=r"i000za\.jpg is not named like MUCT's i000qa-fn\.jpg"):
        list_muct(tmp_path)


def test_arface_is_told_by_its_names(tmp_path: Path):
    names = ("dbf1/m-001-1.raw", "dbf1/m-001-8.raw", "W-002-11.bmp", "f-002-14.bmp", "W-002-26.bmp")
    fakes.write(tmp_path, fakes.photos(names))
    (tmp_path / "dbf1/read-me-1.txt").write_text("no image")
    listing = list_arface(tmp_path)
    check_listing(listing, tmp_path)
    rows = listing.set_index("source_path").loc[list(names)]
    assert rows["image_id"].tolist() == ["m-001-01", "m-001-08", "f-002-11", "f-002-14", "f-002-26"]
    assert rows["identity"].tolist() == ["m-001", "m-001", "f-002", "f-002", "f-002"]
    assert rows["Male"].tolist() == [1, 1, -1, -1, -1]
    assert rows["occluded"].tolist() == [False, True, True, False, True]
    assert rows["condition"].tolist() == [
        "session 1, neutral",
        "session 1, sunglasses",
        "session 1, scarf",
        "session 2, neutral",
        "session 2, scarf, right light",
    ]


def test_half_of_arface_conditions_are_occluded_as_published(tmp_path: Path):
    names = tuple(f"m-001-{number}.raw" for number in range(1, 27))
    listing = list_arface(fakes.write(tmp_path, fakes.photos(names))).set_index("image_id")
    hidden = [int(name[-2:]) for name in listing.index[listing["occluded"]]]
    assert sorted(hidden) == [*range(8, 14), *range(21, 27)]


def test_raw_planes_become_a_picture_and_everything_else_stays(tmp_path: Path):
    planes = np.random.default_rng(0).integers(0, 256, (3, 576, 768), dtype=np.uint8)
    (tmp_path / "m-001-1.raw").write_bytes(planes.tobytes())
    picture = Image.open(io.BytesIO(read_arface(tmp_path / "m-001-1.raw")))
    assert (picture.size, picture.mode) == ((768, 576), "RGB")
    assert np.array_equal(np.asarray(picture)[100, 200], planes[:, 100, 200])
    for name, content in (("m-001-2.raw", b"cut short"), ("m-001-03.bmp", planes.tobytes())):
        (tmp_path / name).write_bytes(content)
        assert read_arface(tmp_path / name) == content


def test_arface_names_an_impossible_condition(tmp_path: Path):
    with pytest.raises(SanError, match="holds no image of the AR face database"):
        list_arface(tmp_path)
    fakes.write(tmp_path, fakes.photos(("m-001-27.raw",)))
    with pytest.raises(SanError, match=r"m-001-27\.raw has condition 27, not 1 to 26: rename it"):
        list_arface(tmp_path)
