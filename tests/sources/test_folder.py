"""A user's own folder with a table."""

from pathlib import Path

import fake_sources as fakes
import pandas as pd
import pytest

from sanmodel.errors import SanError
from sanmodel.sources.checks import check_listing
from sanmodel.sources.folder import list_folder

PHOTOS = ("2024/a.jpg", "2024/b.png", "c.jpg")
COLUMNS = "image,identity,Male,Smiling,partition,condition,occluded"
TABLE = f"""{COLUMNS},box_left,box_top,box_right,box_bottom
2024/a.jpg,007,1,0,0,outdoors,False,1,2,21,22
2024/b.png,007,1,1,,,,,,,
c.jpg,Ann,0,-1,2,indoors,True,1.5,2,21,22
"""


def test_every_column_of_the_raw_table_can_be_given(tmp_path: Path):
    fakes.write(tmp_path, {**fakes.photos(PHOTOS), "labels.csv": TABLE.encode()})
    listing = list_folder(tmp_path)
    check_listing(listing, tmp_path)
    assert listing["image_id"].tolist() == ["2024/a", "2024/b", "c"]
    assert listing["source_path"].tolist() == list(PHOTOS)
    assert listing["identity"].tolist() == ["007", "007", "Ann"]  # a name, not a number
    assert listing["Smiling"].tolist() == [0, 1, -1]
    assert listing["occluded"].tolist() == [False, pytest.approx(float("nan"), nan_ok=True), True]
    assert listing["box_left"].tolist()[::2] == [1, 1.5]


def test_image_identity_and_an_attribute_are_enough(tmp_path: Path):
    fakes.write(
        tmp_path, {**fakes.photos(("a.jpg",)), "labels.csv": b"image,identity,Hat\na.jpg,x,1"}
    )
    listing = list_folder(tmp_path)
    check_listing(listing, tmp_path)
    assert list(listing.columns) == ["image_id", "identity", "source_path", "Hat"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"labels\.csv is missing: set fetch\.folder"),
        ("image,Male\na.jpg,1\n", "lacks the column 'identity': add it"),
        ("", "is not a CSV table"),
        ("image,identity,Male\na.jpg,x,1\n,x,1\n", "line 3, names no image: complete it"),
    ],
)
def test_a_bad_table_is_named(text: str | None, words: str, tmp_path: Path):
    if text is not None:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(SanError, match=words):
        list_folder(tmp_path)


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/passwd"])
def test_no_image_lies_outside_the_folder(name: str, tmp_path: Path):
    table = pd.DataFrame({"image": [name], "identity": ["x"], "Male": [1]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(SanError, match="leads out of the folder"):
        check_listing(list_folder(tmp_path), tmp_path)


def test_photos_may_lie_on_another_disk(tmp_path: Path):
    fakes.write(tmp_path / "disk", fakes.photos(("a.jpg",)))
    fakes.write(tmp_path / "own", {"labels.csv": b"image,identity,Hat\nphotos/a.jpg,x,1"})
    (tmp_path / "own/photos").symlink_to(tmp_path / "disk")
    check_listing(list_folder(tmp_path / "own"), tmp_path / "own")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (b"image,identity,Hat\na.jpg,x,1,3\nb.jpg,x,0", "rows with more values than columns"),
        (b"image,identity,Hat,image_id\na.jpg,x,1,3", "must not have a column 'image_id'"),
        (b"image,identity,Hat,source_path\na.jpg,x,1,3", "must not have a column 'source_path'"),
    ],
)
def test_a_table_that_would_be_misread_is_refused(tmp_path: Path, table: bytes, told: str):
    fakes.write(tmp_path, {"labels.csv": table})
    with pytest.raises(SanError, match=told):
        list_folder(tmp_path)


def test_two_photos_of_one_name_and_a_box_without_end_are_refused(tmp_path: Path):
    names = ("a.jpg", "a.png")
    table = b"image,identity,Hat\na.jpg,x,1\na.png,x,1"
    fakes.write(tmp_path, {**fakes.photos(names), "labels.csv": table})
    with pytest.raises(SanError, match=r"a\.png has an earlier one's name \(endings do not count"):
        check_listing(list_folder(tmp_path), tmp_path)
    box = b"box_left,box_top,box_right,box_bottom\na.jpg,x,1,0,0,inf,9"
    (tmp_path / "labels.csv").write_bytes(b"image,identity,Hat," + box)
    with pytest.raises(SanError, match="has a face box that is no box"):
        check_listing(list_folder(tmp_path), tmp_path)
