from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small import LANDMARK_COLUMNS

from sanmodel.errors import SanError
from sanmodel.images import IMAGE_SIZE, encode_png
from sanmodel.tables import CROP_COLUMNS, RAW_COLUMNS, Reason, TableWriter
from sanmodel.validation.frames import NOT_SEARCHED, compare, crops_frame, raw_frame, totals

RANDOM = np.random.default_rng(0)


def picture(height: int = IMAGE_SIZE) -> Any:
    return RANDOM.integers(0, 256, (height, IMAGE_SIZE, 3), dtype=np.uint8)


def crop(image_id: str, identity: str, split: str, image: bytes | None) -> dict[str, Any]:
    placed = {"score": 1.0, "crop_left": 0.0, "crop_top": 0.0, "crop_side": 300.0}
    box = {"face_left": 40.0, "face_top": 60.0, "face_right": 180.0, "face_bottom": 190.0}
    row = {"image_id": image_id, "identity": identity, "split": split, "image": image, "Male": 1}
    return {**row, **placed, **box, **LANDMARK_COLUMNS}


def crops_of(folder: Path, *rows: dict[str, Any]) -> pd.DataFrame:
    with TableWriter(folder, CROP_COLUMNS, ["Male"], shard_rows=2) as table:
        for row in rows:
            table.add(row)
    return crops_frame(folder)


def test_a_crop_is_measured_as_it_is_stored(tmp_path: Path) -> None:
    striped = np.zeros((100, IMAGE_SIZE, 3), dtype=np.uint8)
    striped[::2] = 200

    (row,) = crops_of(tmp_path, crop("a", "p", "train", encode_png(striped))).to_dict("records")

    assert row["readable"] is True
    assert (row["height"], row["width"], row["mode"]) == (100, IMAGE_SIZE, "RGB")
    assert row["grey_std"] == pytest.approx(100)  # half 0, half 200
    assert (row["face_width"], row["face_height"]) == (140, 130)
    assert (row["face_centre_x"], row["face_centre_y"]) == (110, 125)
    assert (row["landmarks_least"], row["landmarks_greatest"]) == (79, 145)
    assert row["eye_distance"] == pytest.approx(135.5 - 88.5)


def test_a_plain_colour_has_no_deviation_although_its_channels_differ(tmp_path: Path) -> None:
    red = np.full((IMAGE_SIZE, IMAGE_SIZE, 3), (255, 0, 0), dtype=np.uint8)

    frame = crops_of(tmp_path, crop("a", "p", "train", encode_png(red)))

    assert frame["grey_std"].tolist() == [0]


def test_the_same_pixels_are_the_same_picture_however_they_are_encoded(tmp_path: Path) -> None:
    pixels = picture()
    once = encode_png(pixels)
    again = once + b"bytes that a decoder does not read"

    frame = crops_of(
        tmp_path,
        crop("a", "p", "train", once),
        crop("b", "q", "test", again),
        crop("c", "q", "test", encode_png(picture())),
    )

    assert frame["picture_sides"].tolist() == [2, 2, 1]
    assert frame["identity_sides"].tolist() == [1, 1, 1]


def test_crops_without_a_picture_are_unreadable(tmp_path: Path) -> None:
    damaged = encode_png(picture())[:500]

    frame = crops_of(tmp_path, crop("a", "p", "train", damaged), crop("b", "p", "test", None))

    assert frame["readable"].tolist() == [False, False]
    assert frame["identity_sides"].tolist() == [2, 2]


def test_measures_keep_the_order_of_the_rows(tmp_path: Path) -> None:
    heights = RANDOM.integers(1, 90, 75).tolist()
    rows = [crop(str(i), "p", "train", encode_png(picture(h))) for i, h in enumerate(heights)]

    assert crops_of(tmp_path, *rows)["height"].tolist() == heights


def test_the_raw_frame_holds_no_images(tmp_path: Path) -> None:
    with TableWriter(tmp_path, RAW_COLUMNS, ["Male"]) as table:
        table.add({"image_id": "a", "identity": "p", "image": b"12345", "Male": 0})

    assert set(raw_frame(tmp_path)) == {*RAW_COLUMNS, "Male"} - {"image"}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    columns = {name: kind for name, kind in RAW_COLUMNS.items() if name != "identity"}
    with TableWriter(tmp_path, columns):
        pass

    with pytest.raises(SanError, match="lacks the column identity"):
        raw_frame(tmp_path)


def test_tables_are_compared_image_by_image() -> None:
    raw = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "identity": ["p", "q", "r", None],
            "occluded": [True, None, None, False],
            "Male": [1, 0, 1, 1],
        }
    )
    crops = raw.iloc[[3, 0, 1]].assign(split="train")
    crops["Male"] = [1, 1, 1]
    quarantine = pd.DataFrame({"image_id": ["b", "x"], "identity": ["q", "q"], "detail": ["", ""]})

    compare(raw, crops, quarantine)

    assert raw["places"].tolist() == [1, 2, 0, 1]
    assert crops["as_in_raw"].tolist() == [True, True, False]  # of b the label has changed
    assert quarantine["as_in_raw"].tolist() == [True, False]  # no raw image is called x


def test_totals_count_images_people_and_classes() -> None:
    raw = pd.DataFrame({"image_id": list("abcdefghi")})
    crops = pd.DataFrame(
        {
            "identity": ["p", "p", "q", "r"],
            "split": ["train", "train", "train", "test"],
            "Male": [1, 1, 0, 1],
        }
    )
    reasons = [Reason.NO_FACE, Reason.SEVERAL_FACES, *NOT_SEARCHED[:3]]

    figures = totals(raw, crops, pd.DataFrame({"reason": reasons}), attribute="Male")

    assert figures == {
        "raw_images": 9,
        "crops": 4,
        "quarantined": 5,
        "detection_rate": 5 / 6,  # four crops and the several faces
        "class_1_share": 0.75,
        "rarer_class_share": 0.25,
        "train_images": 3,
        "train_people": 2,
        "train_class_0": 1,
        "train_class_1": 2,
        "test_images": 1,
        "test_people": 1,
        "test_class_0": 0,
        "test_class_1": 1,
    }


def test_totals_of_empty_tables_are_zero() -> None:
    crops = pd.DataFrame({"identity": [], "split": [], "Male": []})

    figures = totals(pd.DataFrame(), crops, pd.DataFrame({"reason": []}), attribute="Male")

    assert set(figures.values()) == {0}
