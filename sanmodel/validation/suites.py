"""The expectations of each table, with a sentence on each that a data owner can read."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from great_expectations.expectations.expectation import Expectation

from sanmodel.images import IMAGE_SIZE
from sanmodel.settings import Settings
from sanmodel.tables import CROP_COLUMNS, QUARANTINE_COLUMNS, RAW_COLUMNS, Reason
from sanmodel.validation.frames import CROP_MEASURES, QUARANTINE_MEASURES, RAW_MEASURES
from sanmodel.validation.terms import above, between, columns, known, one_of, rows, typed, unique

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
    """Return what the raw frame must fulfil, whatever its source.

    Args:
        attributes: The attribute columns of the raw table.
    """
    return [
        *_schema(RAW_COLUMNS, attributes, RAW_MEASURES),
        rows(1, "The table is not empty."),
        *_ids("raw image"),
        known("source_path", "Of every raw image it is known which file it came from."),
        one_of("partition", [0, 1, 2], "The source's own split, where it has one, is 0, 1 or 2."),
        one_of("places", [1], "Every raw image is either a crop or in quarantine, and only once."),
        *_labels(attributes),
    ]


def crops_expectations(attributes: Sequence[str], split: str) -> list[Expectation]:
    """Return what the frame of the crops must fulfil.

    Args:
        attributes: The attribute columns of the raw table; the crops must have the same.
        split: How the crops were split, ``preprocess.split`` of the settings.
    """
    return [
        *_schema(CROP_COLUMNS, attributes, CROP_MEASURES),
        rows(1, "The table is not empty."),
        *_ids("crop"),
        *_labels(attributes),
        *_pictures(),
        *_face_boxes(),
        *_landmarks(),
        *_split(split),
        one_of("as_in_raw", [True], "Every crop says of its person what the raw table says."),
    ]


def quarantine_expectations() -> list[Expectation]:
    """Return what the frame of the quarantine must fulfil; it may be empty."""
    return [
        *_schema(QUARANTINE_COLUMNS, [], QUARANTINE_MEASURES),
        *_ids("image"),
        known("source_path", "Of every image it is known which file it came from."),
        known("reason", "Every image was set aside for a reason."),
        one_of("reason", [str(reason) for reason in Reason], "The reason is one that is known."),
        known("detail", "Of every image it is told in a sentence what was found."),
        one_of("as_in_raw", [True], "Every image is in the raw table, under the same file name."),
    ]


def totals_expectations(settings: Settings) -> list[Expectation]:
    """Return what :func:`sanmodel.validation.frames.totals` must fulfil."""
    limits, attribute = settings.validate_, settings.attribute
    return [
        between(
            "detection_rate",
            f"A face was found in at least {limits.min_detection_rate:.4g} of the images that"
            " could be searched.",
            at_least=limits.min_detection_rate,
        ),
        between(
            "rarer_class_share",
            f"The rarer class of {attribute} is at least {limits.min_class_share:.4g} of the"
            " crops.",
            at_least=limits.min_class_share,
        ),
        *(
            between(
                f"{side}_class_{label}",
                f"The {side} side has crops with {attribute} = {label}.",
                at_least=1,
            )
            for side in ("train", "test")
            for label in (0, 1)
        ),
    ]


def complete_expectations(counts: Mapping[str, int]) -> list[Expectation]:
    """Return that the counts of a complete data set are as they are known to be."""
    return [
        one_of(name, [count], f"The complete set has {count:,} {name.replace('_', ' ')}.")
        for name, count in counts.items()
    ]


def _schema(
    fixed: Mapping[str, pa.DataType], attributes: Sequence[str], measures: Sequence[str]
) -> list[Expectation]:
    """Expect the columns of a table, measures in place of its images, and their types."""
    types = {name: _PANDAS_TYPES[kind] for name, kind in fixed.items() if name != "image"}
    types |= dict.fromkeys(attributes, "int8")
    return [
        columns(
            [*types, *measures],
            "The table has its fixed columns, the attributes of the raw table, and what was"
            " measured for this check; no others.",
        ),
        *(
            typed(name, [kind, *_gaps(name)], f"The type of {name} is {kind}.")
            for name, kind in types.items()
        ),
    ]


def _gaps(column: str) -> list[str]:
    return [_WITH_GAPS[column]] if column in _WITH_GAPS else []


def _ids(row: str) -> list[Expectation]:
    """Expect every row to have a name of its own and a known identity."""
    return [
        known("image_id", f"Every {row} has an id."),
        unique("image_id", f"No two rows have the id of the same {row}."),
        known("identity", f"Of every {row} it is known who is shown."),
    ]


def _labels(attributes: Sequence[str]) -> list[Expectation]:
    """Expect every attribute to be labelled 0 or 1 in every row."""
    return [
        expectation
        for name in attributes
        for expectation in (
            known(name, f"Every image is labelled for {name}."),
            one_of(name, [0, 1], f"{name} is 1 (the person has it) or 0 (has it not)."),
        )
    ]


def _pictures() -> list[Expectation]:
    """Expect every crop to be what the networks take: a picture of 224x224 RGB pixels."""
    return [
        one_of("readable", [True], "Every crop can be decoded."),
        one_of("height", [IMAGE_SIZE], f"Every crop is {IMAGE_SIZE} pixels high."),
        one_of("width", [IMAGE_SIZE], f"Every crop is {IMAGE_SIZE} pixels wide."),
        one_of("mode", ["RGB"], "Every crop has three colour channels of 8 bits."),
        above(
            "grey_std",
            1,
            "No crop is one plain colour: its grey values (0 to 255) have a standard deviation"
            " above 1.",
        ),
    ]


def _face_boxes() -> list[Expectation]:
    """Expect the face in the crop, and neither a speck nor much larger than the crop."""
    smallest, largest = IMAGE_SIZE / 10, IMAGE_SIZE * 2
    return [
        above("crop_side", 0, "The square that was cut from the photo has a size."),
        *(
            between(
                f"face_{side}",
                f"The {side} of the face box is between a tenth of and twice the crop's.",
                at_least=smallest,
                at_most=largest,
            )
            for side in ("width", "height")
        ),
        *(
            between(
                f"face_centre_{axis}",
                f"The centre of the face box lies inside the crop ({axis}, in pixels).",
                at_least=0,
                at_most=IMAGE_SIZE,
            )
            for axis in ("x", "y")
        ),
    ]


def _landmarks() -> list[Expectation]:
    """Expect five landmarks near the crop that can be laid over those of another face."""
    beside = IMAGE_SIZE / 2
    where = "Every landmark lies in the crop or at most half a crop beside it"
    return [
        known("landmarks_least", "Every face has its five landmarks."),
        between("landmarks_least", f"{where} (least coordinate, in pixels).", at_least=-beside),
        between(
            "landmarks_greatest",
            f"{where} (greatest coordinate, in pixels).",
            at_least=-beside,
            at_most=IMAGE_SIZE + beside,
        ),
        above("eye_distance", 1, "The eyes are more than a pixel apart."),
    ]


def _split(split: str) -> list[Expectation]:
    """Expect two sides that share no picture and, if split by identity, no person."""
    sides: list[Expectation] = [
        known("split", "Every crop is on a side of the split."),
        one_of("split", ["train", "test"], "A side of the split is train or test."),
        one_of("picture_sides", [1], "No picture, compared pixel by pixel, is on both sides."),
    ]
    if split == "identity":
        sides.append(one_of("identity_sides", [1], "No person is on both sides of the split."))
    return sides
