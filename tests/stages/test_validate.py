import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small import LANDMARK_COLUMNS

from sanmodel.errors import SanError
from sanmodel.files import sha256, sha256_folder
from sanmodel.images import IMAGE_SIZE, encode_png
from sanmodel.observer import Metrics
from sanmodel.paths import Paths
from sanmodel.settings import Settings, parse_settings
from sanmodel.stages.validate import run
from sanmodel.tables import (
    CROP_COLUMNS,
    LANDMARKS,
    QUARANTINE_COLUMNS,
    RAW_COLUMNS,
    Reason,
    Row,
    TableWriter,
)

ATTRIBUTES = ["Male", "Young"]
PEOPLE, PHOTOS = 10, 2
RANDOM = np.random.default_rng(0)

Rows = list[dict[str, Any]]


def png(height: int = IMAGE_SIZE, width: int = IMAGE_SIZE) -> bytes:
    return encode_png(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8))


def constant_png() -> bytes:
    return encode_png(np.full((IMAGE_SIZE, IMAGE_SIZE, 3), (255, 0, 0), dtype=np.uint8))


def grey_png() -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png())).convert("L").save(buffer, "PNG")
    return buffer.getvalue()


def raw_rows() -> Rows:
    return [
        {
            "image_id": f"image-{index:02d}",
            "identity": f"person-{index // PHOTOS}",
            "source_path": f"{index:02d}.jpg",
            "partition": None,
            "image": b"\xff\xd8 as it was found",
            "Male": index // PHOTOS % 2,
            "Young": index % 2,
        }
        for index in range(PEOPLE * PHOTOS)
    ]


def crop_rows() -> Rows:
    # The last four people, two of either class, are on the test side.
    placed = {"score": 1.0, "crop_left": 0.0, "crop_top": 0.0, "crop_side": 300.0}
    box = {"face_left": 46.0, "face_top": 60.0, "face_right": 178.0, "face_bottom": 192.0}
    return [
        {
            **{name: row[name] for name in ("image_id", "identity", "source_path", *ATTRIBUTES)},
            **placed,
            **box,
            **LANDMARK_COLUMNS,
            "split": "train" if index < (PEOPLE - 4) * PHOTOS else "test",
            "perceptual_hash": int(RANDOM.integers(-(2**63), 2**63)),
            "image": png(),
        }
        for index, row in enumerate(raw_rows())
    ]


def write(
    root: Path,
    raw: Rows,
    crops: Rows,
    quarantine: Rows,
    crop_attributes: list[str] = ATTRIBUTES,
) -> Paths:
    paths = Paths(root)
    tables: list[tuple[Path, Any, list[str], list[Row]]] = [
        (paths.raw, RAW_COLUMNS, ATTRIBUTES, [*raw]),
        (paths.crops, CROP_COLUMNS, crop_attributes, [*crops]),
        (paths.quarantine, QUARANTINE_COLUMNS, [], [*quarantine]),
    ]
    for folder, columns, attributes, rows in tables:
        folder.mkdir(parents=True)
        with TableWriter(folder, columns, attributes, shard_rows=8) as table:
            for row in rows:
                table.add(row)
    return paths


def set_aside(crops: Rows, number: int) -> Rows:
    """Take the last ``number`` crops of the train side away and return their quarantine rows."""
    last = (PEOPLE - 4) * PHOTOS
    gone = crops[last - number : last]
    del crops[last - number : last]
    names = ("image_id", "identity", "source_path")
    return [
        {**{name: row[name] for name in names}, "reason": Reason.NO_FACE, "detail": "no face"}
        for row in gone
    ]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Paths, Metrics]:
    """Tables with nothing wrong in them but one photo without a face, after the stage."""
    crops = crop_rows()
    quarantine = set_aside(crops, 1)
    paths = write(tmp_path_factory.mktemp("sound"), raw_rows(), crops, quarantine)
    return paths, run(Settings(), paths)


def test_sound_tables_pass(sound: tuple[Paths, Metrics]) -> None:
    paths, metrics = sound

    assert metrics == json.loads(paths.metrics("validate").read_text())
    assert metrics["expectations"] > 40
    reasons = {reason.name.lower(): 0 for reason in Reason} | {"no_face": 1}
    assert {name: metrics[name] for name in metrics if name != "expectations"} == {
        "reasons": reasons,
        "near_duplicates": 0,
        "raw_images": 20,
        "crops": 19,
        "quarantined": 1,
        "detection_rate": 0.95,
        "class_1_share": 9 / 19,
        "train_images": 11,
        "test_images": 8,
        "train_people": 6,
        "test_people": 4,
    }


def test_the_site_is_of_one_page_its_lists_and_a_page_of_each_suite(
    sound: tuple[Paths, Metrics],
) -> None:
    site = sound[0].data_docs

    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    suites = {f"suites/{name}.html" for name in ("raw", "crops", "quarantine", "totals")}
    assert files == {"index.html", "quarantine.csv", "near_duplicates.csv", *suites}
    crops = (site / "suites/crops.html").read_text(encoding="utf-8")
    assert "No person is on both sides of the split." in crops
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "95.00%" in page
    assert "11.jpg" in page  # the photo without a face
    assert {path.name for path in site.parent.iterdir()} == {"data_docs", "validate.json"}


def test_the_same_tables_give_the_same_bytes(sound: tuple[Paths, Metrics], tmp_path: Path) -> None:
    again = Paths(tmp_path)
    again.raw.parent.symlink_to(sound[0].raw.parent)

    run(Settings(), again)

    assert sha256_folder(again.data_docs) == sha256_folder(sound[0].data_docs)
    assert sha256(again.metrics("validate")) == sha256(sound[0].metrics("validate"))


def duplicate_id(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[1]["image_id"] = crops[0]["image_id"]


def unknown_person(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    raw[3]["identity"] = crops[3]["identity"] = None


def file_of_nowhere(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    raw[3]["source_path"] = crops[3]["source_path"] = None


def label_of_two(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    raw[0]["Young"] = crops[0]["Young"] = 2


def constant_crop(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[5]["image"] = constant_png()


def low_crop(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[5]["image"] = png(height=200)


def grey_crop(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[5]["image"] = grey_png()


def damaged_crop(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[5]["image"] = crops[5]["image"][:1000]


def person_on_both_sides(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    raw[-1]["identity"] = crops[-1]["identity"] = crops[0]["identity"]


def picture_on_both_sides(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[-1]["image"] = crops[0]["image"]


def third_side(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[0]["split"] = crops[1]["split"] = "dev"


def face_outside(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[2].update(face_left=300.0, face_right=400.0)


def inverted_box(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[2].update(face_top=192.0, face_bottom=60.0)


def landmark_missing(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[2]["nose_y"] = None


def landmark_far_away(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[2]["nose_y"] = 337.0


def eyes_in_one_place(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[2] |= dict.fromkeys(LANDMARKS, 100.0)


def few_faces(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    quarantine += set_aside(crops, 3)


def lost_row(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    set_aside(crops, 1)


def lost_and_found_twice(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    # The numbers add up all the same.
    quarantine += set_aside(crops, 1)
    quarantine[0] |= {name: crops[0][name] for name in ("image_id", "identity", "source_path")}


def relabelled(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    crops[4]["Young"] = 1 - crops[4]["Young"]


def unheard_of(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    quarantine += set_aside(crops, 1)
    quarantine[0]["reason"] = "too beautiful"


def without_a_word(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    quarantine += set_aside(crops, 1)
    quarantine[0]["detail"] = None


def from_elsewhere(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    quarantine += set_aside(crops, 1)
    quarantine[0]["source_path"] = "elsewhere.jpg"


def class_missing_in_test(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    for row in [*raw[-8:], *crops[-8:]]:
        row["Male"] = 0


def rare_class(raw: Rows, crops: Rows, quarantine: Rows) -> None:
    for row in [*raw, *crops]:
        row["Male"] = int(row["image_id"] == "image-00")


@pytest.mark.parametrize(
    ("spoil", "clauses"),
    [
        (
            duplicate_id,
            "raw: expect_column_values_to_be_in_set(places) found 2, 0 in 2 of 20 rows"
            " (image_id image-00, image-01), needs 1;"
            " crops: expect_column_values_to_be_in_set(as_in_raw) not so in 1 of 20 rows"
            " (image_id image-00);"
            " crops: expect_column_values_to_be_unique(image_id) found image-00 in 2 of 20 rows"
            " (image_id image-00), needs each value once",
        ),
        (
            unknown_person,
            "raw: expect_column_values_to_not_be_null(identity) found nothing in 1 of 20 rows"
            " (image_id image-03), needs a value in every row;"
            " crops: expect_column_values_to_not_be_null(identity) found nothing in 1 of 20 rows"
            " (image_id image-03), needs a value in every row",
        ),
        (
            file_of_nowhere,
            "raw: expect_column_values_to_not_be_null(source_path) found nothing in 1 of 20 rows"
            " (image_id image-03), needs a value in every row",
        ),
        (
            label_of_two,
            "raw: expect_column_values_to_be_in_set(Young) found 2 in 1 of 20 rows"
            " (image_id image-00), needs 0 or 1;"
            " crops: expect_column_values_to_be_in_set(Young) found 2 in 1 of 20 rows"
            " (image_id image-00), needs 0 or 1",
        ),
        (
            constant_crop,
            "crops: expect_column_values_to_be_between(grey_std) found 0 in 1 of 20 rows"
            " (image_id image-05), needs > 1",
        ),
        (
            low_crop,
            "crops: expect_column_values_to_be_in_set(height) found 200 in 1 of 20 rows"
            " (image_id image-05), needs 224",
        ),
        (
            grey_crop,
            "crops: expect_column_values_to_be_in_set(mode) found L in 1 of 20 rows"
            " (image_id image-05), needs RGB",
        ),
        (
            damaged_crop,
            "crops: expect_column_values_to_be_in_set(readable) not so in 1 of 20 rows"
            " (image_id image-05)",
        ),
        (
            person_on_both_sides,
            "crops: expect_column_values_to_be_in_set(identity_sides) found 2 in 3 of 20 rows"
            " (image_id image-00, image-01, image-19), needs 1",
        ),
        (
            picture_on_both_sides,
            "crops: expect_column_values_to_be_in_set(picture_sides) found 2 in 2 of 20 rows"
            " (image_id image-00, image-19), needs 1",
        ),
        (
            third_side,
            "crops: expect_column_values_to_be_in_set(split) found dev in 2 of 20 rows"
            " (image_id image-00, image-01), needs train or test",
        ),
        (
            face_outside,
            "crops: expect_column_values_to_be_between(face_centre_x) found 350 in 1 of 20 rows"
            " (image_id image-02), needs >= 0 and <= 224",
        ),
        (
            inverted_box,
            "crops: expect_column_values_to_be_between(face_height) found -132 in 1 of 20 rows"
            " (image_id image-02), needs >= 22.4 and <= 448",
        ),
        (
            landmark_missing,
            "crops: expect_column_values_to_not_be_null(landmarks_least) found nothing in 1 of 20"
            " rows (image_id image-02), needs a value in every row",
        ),
        (
            landmark_far_away,
            "crops: expect_column_values_to_be_between(landmarks_greatest) found 337 in 1 of 20"
            " rows (image_id image-02), needs >= -112 and <= 336",
        ),
        (
            eyes_in_one_place,
            "crops: expect_column_values_to_be_between(eye_distance) found 0 in 1 of 20 rows"
            " (image_id image-02), needs > 1",
        ),
        (
            few_faces,
            "totals: expect_column_values_to_be_between(detection_rate) found 0.85, needs >= 0.9",
        ),
        (
            lost_row,
            "raw: expect_column_values_to_be_in_set(places) found 0 in 1 of 20 rows"
            " (image_id image-11), needs 1",
        ),
        (
            lost_and_found_twice,
            "raw: expect_column_values_to_be_in_set(places) found 2, 0 in 2 of 20 rows"
            " (image_id image-00, image-11), needs 1",
        ),
        (
            relabelled,
            "crops: expect_column_values_to_be_in_set(as_in_raw) not so in 1 of 20 rows"
            " (image_id image-04)",
        ),
        (
            unheard_of,
            "quarantine: expect_column_values_to_be_in_set(reason) found too beautiful in 1 of 1"
            " rows (image_id image-11), needs unreadable or too large or too small or no face or"
            " several faces or duplicate",
        ),
        (
            without_a_word,
            "quarantine: expect_column_values_to_not_be_null(detail) found nothing in 1 of 1 rows"
            " (image_id image-11), needs a value in every row",
        ),
        (
            from_elsewhere,
            "quarantine: expect_column_values_to_be_in_set(as_in_raw) not so in 1 of 1 rows"
            " (image_id image-11)",
        ),
        (
            class_missing_in_test,
            "totals: expect_column_values_to_be_between(test_class_1) found 0, needs >= 1",
        ),
        (
            rare_class,
            "totals: expect_column_values_to_be_between(rarer_class_share) found 0.05,"
            " needs >= 0.1; totals: expect_column_values_to_be_between(test_class_1) found 0,"
            " needs >= 1",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_failed_expectation_names_itself(
    tmp_path: Path, spoil: Callable[[Rows, Rows, Rows], None], clauses: str
) -> None:
    raw, crops = raw_rows(), crop_rows()
    quarantine: Rows = []
    spoil(raw, crops, quarantine)
    paths = write(tmp_path, raw, crops, quarantine)

    with pytest.raises(SanError) as caught:
        run(Settings(), paths)

    page = paths.data_docs / "index.html"
    assert str(caught.value) == f"validation failed: {clauses}; open {page}"
    assert page.is_file()
    assert not paths.metrics("validate").exists()


def test_a_person_may_be_on_both_sides_of_a_random_split(tmp_path: Path) -> None:
    raw, crops = raw_rows(), crop_rows()
    person_on_both_sides(raw, crops, [])
    paths = write(tmp_path, raw, crops, [])

    metrics = run(parse_settings({"preprocess": {"split": "random"}}), paths)

    assert metrics["test_people"] == 5


def test_crops_without_an_attribute_of_the_raw_table_fail(tmp_path: Path) -> None:
    crops = [{name: value for name, value in row.items() if name != "Young"} for row in crop_rows()]
    paths = write(tmp_path, raw_rows(), crops, [], crop_attributes=["Male"])

    with pytest.raises(SanError, match=r"columns_to_match_set\(\) found missing Young, needs"):
        run(Settings(), paths)


def test_an_attribute_that_the_table_lacks_is_named(tmp_path: Path) -> None:
    paths = write(tmp_path, raw_rows(), crop_rows(), [])

    with pytest.raises(SanError, match="has no attribute 'Smiling'"):
        run(parse_settings({"attribute": "Smiling"}), paths)


def test_only_images_that_could_be_searched_count_for_the_detector(tmp_path: Path) -> None:
    crops = crop_rows()
    quarantine = set_aside(crops, 4)
    unsearched = [Reason.UNREADABLE, Reason.TOO_SMALL, Reason.DUPLICATE]
    for row, reason in zip(quarantine, [*unsearched, Reason.NO_FACE], strict=True):
        row["reason"] = reason

    metrics = run(Settings(), write(tmp_path, raw_rows(), crops, quarantine))

    assert metrics["detection_rate"] == 16 / 17
    assert metrics["reasons"]["unreadable"] == 1


def test_near_duplicates_across_the_split_are_reported(tmp_path: Path) -> None:
    crops = crop_rows()
    crops[0]["perceptual_hash"], crops[-1]["perceptual_hash"] = -1, -1 - 0b1011
    paths = write(tmp_path, raw_rows(), crops, [])

    metrics = run(Settings(), paths)

    assert metrics["near_duplicates"] == 1
    (line,) = (paths.data_docs / "near_duplicates.csv").read_text().splitlines()[1:]
    assert line == "3,image-00,person-0,image-19,person-9,False"
    assert (
        run(parse_settings({"validate": {"near_duplicate_distance": 2}}), paths)["near_duplicates"]
        == 0
    )


def test_a_source_adds_expectations_of_its_own(tmp_path: Path) -> None:
    paths = write(tmp_path, raw_rows(), crop_rows(), [])

    with pytest.raises(SanError) as caught:
        run(parse_settings({"fetch": {"source": "arface"}}), paths)

    for column in ("condition", "occluded"):
        assert f"raw: expect_column_values_to_not_be_null({column}) found nothing" in str(
            caught.value
        )
    page = (paths.data_docs / "index.html").read_text(encoding="utf-8")
    assert "2 of " in page
    assert "Of every image it is known whether something hides the face." in page


def muct(root: Path, images: int) -> Paths:
    """Tables of MUCT's 276 people; all but the 20 crops are said to be second copies."""
    women = 145
    crops, raw = crop_rows(), raw_rows()
    for row in [*raw, *crops]:
        row["condition"] = "lighting q, camera a"
    for index in range(len(raw), images):
        person = PEOPLE + index % (276 - PEOPLE)
        name = f"image-{index}"
        raw.append({**raw[0], "image_id": name, "identity": f"person-{person}"})
        raw[-1] |= {"Male": int(person >= PEOPLE + women - PEOPLE // 2)}
    copied = {"reason": Reason.DUPLICATE, "detail": "as image-00"}
    names = ("image_id", "identity", "source_path")
    rest = [{**{name: row[name] for name in names}, **copied} for row in raw[len(crops) :]]
    return write(root, raw, crops, rest)


def test_a_set_that_is_nearly_complete_must_be_complete(tmp_path: Path) -> None:
    paths = muct(tmp_path, 3_754)

    with pytest.raises(SanError) as caught:
        run(parse_settings({"fetch": {"source": "muct"}}), paths)

    clause = "complete: expect_column_values_to_be_in_set(images) found 3754, needs 3755"
    assert str(caught.value).startswith(f"validation failed: {clause}; open ")
    lenient = {"fetch": {"source": "muct"}, "validate": {"complete_set": "report"}}
    assert run(parse_settings(lenient), paths)["table_1"] == {
        "complete": True,
        "MUCT": {
            "images": {"paper": 3_754, "ours": 20, "difference": -3_734},
            "male_people": {"paper": 131, "ours": 5, "difference": -126},
            "female_people": {"paper": 145, "ours": 5, "difference": -140},
        },
    }


def test_a_complete_set_passes(tmp_path: Path) -> None:
    paths = muct(tmp_path, 3_755)

    metrics = run(parse_settings({"fetch": {"source": "muct"}}), paths)

    assert metrics["table_1"]["complete"]
    assert (paths.data_docs / "suites/complete.html").is_file()
