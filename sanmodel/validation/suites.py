"""The expectations of each table, with a sentence on each that Data Docs shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations.expectations
import pyarrow as pa
from great_expectations.expectations.expectation import Expectation

from sanmodel.images import IMAGE_SIZE
from sanmodel.settings import Settings
from sanmodel.tables import CROP_COLUMNS, RAW_COLUMNS
from sanmodel.validation.frames import CROP_MEASURES, RAW_MEASURES

# Typed loosely: strict mypy does not see the names that this module passes on.
gxe: Any = great_expectations.expectations

# Arrow's types as pandas names them.
_PANDAS_TYPES = {
    pa.string(): "str",
    pa.float32(): "float32",
    pa.int8(): "int8",
    pa.int64(): "int64",
    pa.bool_(): "bool",
}
# The columns that may have gaps, and the type with which pandas shows a gap in them.
_WITH_GAPS = {"partition": "float64", "occluded": "object"}


def raw_expectations(attributes: Sequence[str]) -> list[Expectation]:
    """Return what :func:`sanmodel.validation.frames.raw_frame` must fulfil.

    Args:
        attributes: The attribute columns of the raw table.
    """
    return [
        *_schema(RAW_COLUMNS, attributes, RAW_MEASURES),
        *_ids("raw image"),
        _known("source_path", "Of every raw image it is known which file it came from."),
        _one_of("partition", [0, 1, 2], "The source's own split, where it has one, is 0, 1 or 2."),
        _between("image_bytes", "No raw image is an empty file.", at_least=1),
        *_labels(attributes),
    ]


def crops_expectations(attributes: Sequence[str], split: str) -> list[Expectation]:
    """Return what :func:`sanmodel.validation.frames.crops_frame` must fulfil.

    Args:
        attributes: The attribute columns of the raw table; the crops must have the same.
        split: How the crops were split, ``preprocess.split`` of the settings.
    """
    return [
        *_schema(CROP_COLUMNS, attributes, CROP_MEASURES),
        *_ids("crop"),
        *_labels(attributes),
        *_pictures(),
        *_face_boxes(),
        *_split(split),
    ]


def totals_expectations(settings: Settings) -> list[Expectation]:
    """Return what :func:`sanmodel.validation.frames.totals` must fulfil."""
    limits, attribute = settings.validate_, settings.attribute
    return [
        _one_of("lost_images", [0], "Every raw image is either a crop or in quarantine."),
        _between(
            "detection_rate",
            f"A face was found in at least {limits.min_detection_rate:.4g} of the raw images.",
            at_least=limits.min_detection_rate,
        ),
        _between(
            "rarer_class_share",
            f"The rarer class of {attribute} is at least {limits.min_class_share:.4g} of the"
            " crops.",
            at_least=limits.min_class_share,
        ),
        *(
            _between(
                f"{side}_class_{label}",
                f"The {side} side has crops with {attribute} = {label}.",
                at_least=1,
            )
            for side in ("train", "test")
            for label in (0, 1)
        ),
    ]


def _schema(
    columns: Mapping[str, pa.DataType], attributes: Sequence[str], measures: Sequence[str]
) -> list[Expectation]:
    """Expect the columns of a table, measures in place of its images, and their types."""
    types = {name: _PANDAS_TYPES[kind] for name, kind in columns.items() if name != "image"}
    return [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=[*types, *attributes, *measures],
            exact_match=True,
            description="The table has its fixed columns, the attributes of the raw table, and,"
            " measured for this check, the figures of its images; no others.",
        ),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, description="The table is not empty."),
        *(_typed(name, kind) for name, kind in types.items()),
        *(_typed(name, "int8") for name in attributes),
    ]


def _ids(row: str) -> list[Expectation]:
    """Expect every row to have a name of its own and a known identity."""
    return [
        _known("image_id", f"Every {row} has an id."),
        gxe.ExpectColumnValuesToBeUnique(
            column="image_id", description=f"No two rows have the id of the same {row}."
        ),
        _known("identity", f"Of every {row} it is known who is shown."),
    ]


def _labels(attributes: Sequence[str]) -> list[Expectation]:
    """Expect every attribute to be labelled 0 or 1 in every row."""
    return [
        expectation
        for name in attributes
        for expectation in (
            _known(name, f"Every image is labelled for {name}."),
            _one_of(name, [0, 1], f"{name} is 1 (the person has it) or 0 (has it not)."),
        )
    ]


def _pictures() -> list[Expectation]:
    """Expect every crop to be what the networks take: a picture of 224x224 RGB pixels."""
    return [
        _one_of("readable", [True], "Every crop can be decoded."),
        _one_of("height", [IMAGE_SIZE], f"Every crop is {IMAGE_SIZE} pixels high."),
        _one_of("width", [IMAGE_SIZE], f"Every crop is {IMAGE_SIZE} pixels wide."),
        _one_of("mode", ["RGB"], "Every crop has three colour channels of 8 bits."),
        gxe.ExpectColumnValuesToBeBetween(
            column="grey_std",
            min_value=1,
            strict_min=True,
            description="No crop is one plain colour: its grey values (0 to 255) have a standard"
            " deviation above 1.",
        ),
    ]


def _face_boxes() -> list[Expectation]:
    """Expect the face in the crop, and neither a speck nor much larger than the crop."""
    smallest, largest = IMAGE_SIZE / 10, IMAGE_SIZE * 2
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="crop_side",
            min_value=0,
            strict_min=True,
            description="The square that was cut from the photo has a size.",
        ),
        *(
            _between(
                f"face_{side}",
                f"The {side} of the face box is between a tenth of and twice the crop's.",
                at_least=smallest,
                at_most=largest,
            )
            for side in ("width", "height")
        ),
        *(
            _between(
                f"face_centre_{axis}",
                f"The centre of the face box lies inside the crop ({axis}, in pixels).",
                at_least=0,
                at_most=IMAGE_SIZE,
            )
            for axis in ("x", "y")
        ),
    ]


def _split(split: str) -> list[Expectation]:
    """Expect two sides that share no picture and, if split by identity, no person."""
    sides: list[Expectation] = [
        _known("split", "Every crop is on a side of the split."),
        _one_of("split", ["train", "test"], "A side of the split is train or test."),
        _one_of("picture_sides", [1], "No picture, compared pixel by pixel, is on both sides."),
    ]
    if split == "identity":
        sides.append(_one_of("identity_sides", [1], "No person is on both sides of the split."))
    return sides


def _typed(column: str, kind: str) -> Any:
    sentence = f"The type of {column} is {kind}."
    if column in _WITH_GAPS:
        return gxe.ExpectColumnValuesToBeInTypeList(
            column=column, type_list=[kind, _WITH_GAPS[column]], description=sentence
        )
    return gxe.ExpectColumnValuesToBeOfType(column=column, type_=kind, description=sentence)


def _known(column: str, sentence: str) -> Any:
    return gxe.ExpectColumnValuesToNotBeNull(column=column, description=sentence)


def _one_of(column: str, values: Sequence[object], sentence: str) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=list(values), description=sentence
    )


def _between(column: str, sentence: str, *, at_least: float, at_most: float | None = None) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=at_least, max_value=at_most, description=sentence
    )
