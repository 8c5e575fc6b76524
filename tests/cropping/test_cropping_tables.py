"""All shards together: duplicates, and the division of the crops among files."""

from pathlib import Path

import pandas as pd

from sanmodel.cropping.tables import mark_duplicates, plan_parts


def verdicts(pictures: list[bytes | None]) -> pd.DataFrame:
    """Rows in shards of four; a row without a picture was set aside."""
    count = len(pictures)
    return pd.DataFrame(
        {
            "image_id": [f"{n}" for n in range(count)],
            "identity": [f"person {n}" for n in range(count)],
            "source_path": [f"{n}.jpg" for n in range(count)],
            "reason": [None if picture else "no face" for picture in pictures],
            "detail": [None if picture else "nobody" for picture in pictures],
            "picture": pictures,
            "file": [n // 4 for n in range(count)],
            "row": [n % 4 for n in range(count)],
        }
    )


def test_all_but_the_first_of_equal_pictures_are_set_aside():
    marked = mark_duplicates(verdicts([None, b"x", b"y", b"x", None, b"z", b"x"]))
    assert marked["reason"].fillna("").tolist() == [
        "no face", "", "", "duplicate", "no face", "", "duplicate",
    ]  # fmt: skip
    assert marked["detail"][0] == "nobody"
    for row in (3, 6):
        assert marked["detail"][row].endswith("that of 1 (1.jpg), identity person 1")


def test_no_picture_at_all_is_no_duplicate():
    assert mark_duplicates(verdicts([None, None]))["reason"].tolist() == ["no face"] * 2


def test_parts_take_the_crops_in_order_with_their_side():
    marked = mark_duplicates(verdicts([b"a", b"b", None, b"a", b"c", b"d", b"e", None, b"f"]))
    sides = pd.Series(["train", "test"] * 4 + ["train"])
    files = [Path("0.shard"), Path("1.shard"), Path("2.shard")]
    first, second = plan_parts(marked, sides, files, Path("crops"), 3)
    assert first.path == Path("crops/part-00000.parquet")
    assert first.takes == ((files[0], (0, 1)), (files[1], (0,)))
    assert first.split == ("train", "test", "train")
    assert second.takes == ((files[1], (1, 2)), (files[2], (0,)))
    assert second.split == ("test", "train", "train")
