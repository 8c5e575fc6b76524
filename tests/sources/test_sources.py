"""Listings of the two sources and what is refused."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES
from sanmodel.sources.celeba import list_celeba
from sanmodel.sources.checks import check_listing
from sanmodel.sources.sample import list_sample

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    """Three photos in CelebA's own layout."""
    photos = sorted((PROJECT / "data/sample/photos").glob("*.jpg"))[:3]
    (tmp_path / "Img/img_celeba").mkdir(parents=True)
    for number, photo in enumerate(photos, start=1):
        shutil.copy(photo, tmp_path / f"Img/img_celeba/{number:06d}.jpg")
    (tmp_path / "Anno").mkdir()
    (tmp_path / "Anno/list_attr_celeba.txt").write_text(
        "3\nMale Smiling\n000001.jpg -1  1\n000002.jpg  1 -1\n000003.jpg  1  1\n"
    )
    (tmp_path / "Anno/identity_CelebA.txt").write_text(
        "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2937\n"
    )
    return tmp_path


def test_celeba_is_read_from_its_own_layout(celeba: Path):
    listing = list_celeba(celeba)
    check_listing(listing, celeba)
    assert listing["image_id"].tolist() == ["000001", "000002", "000003"]
    assert listing["identity"].tolist() == ["2880", "2937", "2937"]
    assert listing["source_path"][0] == "Img/img_celeba/000001.jpg"
    assert listing["Male"].tolist() == [-1, 1, 1]
    assert listing["Smiling"].tolist() == [1, -1, 1]
    assert listing["partition"].isna().all()


def test_celebas_partition_is_kept_where_it_is_there(celeba: Path):
    (celeba / "Eval").mkdir()
    partition = celeba / "Eval/list_eval_partition.txt"
    partition.write_text("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    assert list_celeba(celeba)["partition"].tolist() == [0, 1, 2]
    partition.write_text("000001.jpg 0\n000002.jpg test\n000003.jpg 2\n")
    with pytest.raises(SanError, match=r"000002\.jpg has partition 'test'"):
        list_celeba(celeba)


def test_aligned_images_are_found_too(celeba: Path):
    (celeba / "Img/img_celeba").rename(celeba / "Img/img_align_celeba")
    assert list_celeba(celeba)["source_path"][0] == "Img/img_align_celeba/000001.jpg"


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("Anno/list_attr_celeba.txt", "4\nMale\n000001.jpg 1\n", "announces 4 images and lists 1"),
        ("Anno/list_attr_celeba.txt", "<html>", "is not CelebA's attribute list"),
        ("Anno/list_attr_celeba.txt", "1\nMale\n000001.jpg yes\n", "is not CelebA's attribute"),
        ("Anno/list_attr_celeba.txt", None, r"list_attr_celeba\.txt is missing: place"),
        ("Anno/identity_CelebA.txt", "000001.jpg\n", "line 1: expected an image name and its"),
        ("Anno/identity_CelebA.txt", "000001.jpg 1\n", r"has no identity for 000002\.jpg"),
        ("Anno/identity_CelebA.txt", None, r"identity_CelebA\.txt is missing: place"),
    ],
)
def test_a_bad_annotation_is_named(celeba: Path, path: str, text: str | None, words: str):
    if text is None:
        (celeba / path).unlink()
    else:
        (celeba / path).write_text(text)
    with pytest.raises(SanError, match=words):
        list_celeba(celeba)


def test_a_folder_without_images_is_named(tmp_path: Path):
    with pytest.raises(SanError, match="is not CelebA's layout: it needs the folder Img/img_celeb"):
        list_celeba(tmp_path)
    with pytest.raises(SanError, match=r"labels\.csv is missing: set fetch\.folder"):
        list_sample(tmp_path)


def test_the_sample_lists_both_classes_in_equal_number():
    listing = list_sample(PROJECT / "data/sample")
    check_listing(listing, PROJECT / "data/sample")
    assert len(listing) >= 600
    by_person = listing.groupby("identity")["Male"].agg(["first", "nunique"])
    assert len(by_person) >= 60
    assert (by_person["nunique"] == 1).all()
    assert by_person["first"].sum() == 0


def listing(**changes: object) -> pd.DataFrame:
    rows = {
        "image_id": ["a", "b"],
        "identity": ["1", "2"],
        "source_path": ["photos/000000.jpg", "photos/000001.jpg"],
        "partition": [None, None],
        "Male": [1, 0],
    }
    return pd.DataFrame(rows | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Male": [1, 2]}, r"000001\.jpg has a label of 'Male' outside -1, 0, 1: mend its row"),
        ({"Male": [1, None]}, r"000001\.jpg has a label of 'Male' outside"),
        ({"image_id": ["a", "a"]}, r"000001\.jpg has a name that is used twice"),
        ({"source_path": ["photos/000000.jpg", "no.jpg"]}, r"no\.jpg is listed but missing"),
        ({"source_path": ["photos/000000.jpg", "../x.jpg"]}, r"x\.jpg leads out of the folder"),
        ({"reason": [1, 1]}, "must not be called 'reason': rename the column"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, object], words: str):
    with pytest.raises(SanError, match=words):
        check_listing(listing(**changes), PROJECT / "data/sample")


def test_many_bad_rows_are_counted(tmp_path: Path):
    many = pd.DataFrame(
        {"image_id": [str(i) for i in range(9)], "source_path": [f"{i}.jpg" for i in range(9)]}
    )
    with pytest.raises(SanError, match=r"4\.jpg and 4 more is listed but missing"):
        check_listing(many, tmp_path)


def test_every_source_names_a_folder_that_is_not_there(tmp_path: Path):
    for name in SOURCES.names():
        with pytest.raises(SanError, match="nowhere"):
            SOURCES.get(name)(tmp_path / "nowhere")
