"""What holds for every source, and the lists of images that are refused."""

from pathlib import Path

import pandas as pd
import pytest

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES, default_folder
from sanmodel.sources.checks import check_listing
from sanmodel.sources.sample import list_sample

PROJECT = Path(__file__).parents[2]


def test_all_sources_are_there_and_say_what_they_are():
    assert SOURCES.names() == ["arface", "celeba", "folder", "lfw", "muct", "sample"]
    for name in SOURCES.names():
        source = SOURCES.get(name)
        assert all((source.title, source.terms, source.citation, source.layout, source.columns))
    assert default_folder("celeba") == "data/sources/celeba"
    assert default_folder("sample") == "data/sample"


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


def box(right: list[object]) -> dict[str, object]:
    return {"box_left": [1, 1], "box_top": [1, 1], "box_right": right, "box_bottom": [9, 9]}


def test_columns_that_a_source_may_leave_out_may_have_gaps():
    known = {"condition": ["dark", None], "occluded": [True, None], "partition": [2, None]}
    check_listing(listing(**known), PROJECT / "data/sample")
    boxes = {name: [value[0], None] for name, value in box([9, 9]).items()}
    check_listing(listing(**boxes), PROJECT / "data/sample")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Male": [1, 2]}, r"000001\.jpg has a label of 'Male' outside -1, 0, 1: mend its row"),
        ({"Male": [1, None]}, r"000001\.jpg has a label of 'Male' outside"),
        ({"image_id": ["a", "a"]}, r"000001\.jpg has an earlier one's name"),
        ({"source_path": ["photos/000000.jpg", "no.jpg"]}, r"no\.jpg is listed but missing"),
        ({"source_path": ["photos/000000.jpg", "../x.jpg"]}, r"x\.jpg leads out of the folder"),
        ({"reason": [1, 1]}, "must not be called 'reason': rename the column"),
        ({"identity": ["1", None]}, r"000001\.jpg has no identity: complete its row"),
        ({"partition": [0, 3]}, r"000001\.jpg has a value of 'partition' outside 0, 1, 2"),
        ({"occluded": [True, "yes"]}, r"000001\.jpg has a value of 'occluded' outside 0, 1"),
        ({"box_left": [1, 2]}, "has a part of the face box only: a box is box_left, box_top"),
        (box(right=[9, 0]), r"000001\.jpg has a face box that is no box: mend its row"),
        (box(right=[9, None]), r"000001\.jpg has a face box that is no box: mend its row"),
        (box(right=[9, "wide"]), r"000001\.jpg has a face box that is no box: mend its row"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, object], words: str):
    with pytest.raises(SanError, match=words):
        check_listing(listing(**changes), PROJECT / "data/sample")


def test_many_bad_rows_are_counted(tmp_path: Path):
    many = pd.DataFrame(
        {
            "image_id": [str(i) for i in range(9)],
            "identity": "somebody",
            "source_path": [f"{i}.jpg" for i in range(9)],
        }
    )
    with pytest.raises(SanError, match=r"4\.jpg and 4 more is listed but missing"):
        check_listing(many, tmp_path)


def test_every_source_names_a_folder_that_is_not_there(tmp_path: Path):
    for name in SOURCES.names():
        with pytest.raises(SanError, match="nowhere"):
            SOURCES.get(name).list_images(tmp_path / "nowhere")


def test_the_documentation_knows_every_source():
    page = (PROJECT / "docs/sources.md").read_text()
    for name in SOURCES.names():
        assert f"\n| `{name}` |" in page
