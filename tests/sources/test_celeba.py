"""CelebA's layout, in the wild and aligned."""

from pathlib import Path

import fake_sources as fakes
import pytest

from sanmodel.errors import SanError
from sanmodel.sources.celeba import list_celeba
from sanmodel.sources.checks import BOX, check_listing


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    return fakes.celeba(tmp_path)


def test_celeba_is_read_from_its_own_layout(celeba: Path):
    listing = list_celeba(celeba)
    check_listing(listing, celeba)
    assert listing["image_id"].tolist() == ["000001", "000002", "000003"]
    assert listing["identity"].tolist() == ["2880", "2937", "2937"]
    assert listing["source_path"][0] == "Img/img_celeba/000001.jpg"
    assert listing["partition"].tolist() == [0, 1, 2]
    assert listing["Male"].tolist() == [-1, 1, 1]
    assert listing["Smiling"].tolist() == [1, -1, 1]


def test_boxes_in_the_wild_are_celebas_own(celeba: Path):
    boxes = list_celeba(celeba)[list(BOX)]
    assert boxes.iloc[0].tolist() == [95, 71, 95 + 226, 71 + 313]
    assert boxes.iloc[2].isna().all()  # a box without extent


def test_boxes_of_aligned_images_are_around_the_landmarks(tmp_path: Path):
    folder = fakes.celeba(tmp_path, images="Img/img_align_celeba")
    listing = list_celeba(folder)
    check_listing(listing, folder)
    assert listing["source_path"][0] == "Img/img_align_celeba/000001.jpg"
    box = listing.iloc[0]
    assert box["box_left"] < 69 < 108 < box["box_right"]
    assert box["box_top"] < 109 < 154 < box["box_bottom"]
    eyes_to_mouth = (152 + 154) / 2 - (109 + 113) / 2
    assert box["box_right"] - box["box_left"] == pytest.approx(2.4 * eyes_to_mouth)
    assert box["box_bottom"] - box["box_top"] == pytest.approx(2.4 * eyes_to_mouth)


def test_partition_and_boxes_are_not_needed(celeba: Path):
    (celeba / "Eval/list_eval_partition.txt").unlink()
    (celeba / "Anno/list_bbox_celeba.txt").unlink()
    listing = list_celeba(celeba)
    check_listing(listing, celeba)
    assert listing[["partition", *BOX]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("Anno/list_attr_celeba.txt", "4\nMale\n000001.jpg 1\n", "announces 4 images and lists 1"),
        ("Anno/list_attr_celeba.txt", "<html>", "is not a list of CelebA's"),
        ("Anno/list_attr_celeba.txt", "1\nMale\n000001.jpg yes\n", "is not a list of CelebA's"),
        ("Anno/list_attr_celeba.txt", None, r"list_attr_celeba\.txt is missing: place"),
        (
            "Anno/list_bbox_celeba.txt",
            "1\nid x y\n000001.jpg 1 2\n",
            "has 2 values per image, not 4",
        ),
        ("Anno/list_bbox_celeba.txt", "2\nid x y w h\n1.jpg 1 2 3 4\n", "announces 2 images and"),
        ("Anno/identity_CelebA.txt", "000001.jpg\n", "line 1: expected an image name and its"),
        ("Anno/identity_CelebA.txt", "000001.jpg 1\n", r"has no identity for 000002\.jpg"),
        ("Anno/identity_CelebA.txt", None, r"identity_CelebA\.txt is missing: place"),
        ("Anno/identity_CelebA.txt", "1.jpg 1\n1.jpg 2\n", r"lists 1\.jpg twice: fetch it again"),
        ("Eval/list_eval_partition.txt", "000002.jpg test\n", r"000002\.jpg has partition 'test'"),
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
    with pytest.raises(
        SanError, match=r"needs the folder Img/img_celeba or .*`san download celeba`"
    ):
        list_celeba(tmp_path)
