"""Our counts beside those of table 1 of the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from sanmodel.settings import Settings
from sanmodel.splitting import assign_split
from sanmodel.tables import FIXED_COLUMNS
from sanmodel.validation.frames import RAW_MEASURES
from sanmodel.validation.profiles import BEFORE_CROPPING, Part, Profile

GENDER = "Male"
"""The attribute that the paper counts by, whichever one is protected."""

NEARLY_ALL = 0.9
"""Share of a data set's images from which on a copy is meant to be the whole set."""

PAPER_TEST_SHARE = 0.2


@dataclass(frozen=True)
class Comparison:
    """One count beside the paper's.

    Attributes:
        row: The row of the paper's table.
        count: What is counted.
        paper: The paper's count.
        ours: Ours; None if the table has no column to count it by.
    """

    row: str
    count: str
    paper: int
    ours: int | None

    @property
    def difference(self) -> int | None:
        """Ours less the paper's."""
        return None if self.ours is None else self.ours - self.paper


@dataclass(frozen=True)
class Table1:
    """What the paper and the data set's own annotation say of the counts.

    Attributes:
        comparisons: Our counts beside the paper's; empty for a source that it does not have.
        complete: Whether the raw table is meant to be the whole set: nearly all of it is there. A
            part that was taken on purpose is no complete set, a set that lacks a few files is one
            that must be mended.
        found: Our counts of the raw table.
        required: Those of them that a complete set fixes.
    """

    comparisons: Sequence[Comparison]
    complete: bool
    found: Mapping[str, int]
    required: Mapping[str, int]


def table_1(raw: pd.DataFrame, crops: pd.DataFrame, profile: Profile, settings: Settings) -> Table1:
    """Count the images of a source that the paper used, or that is known otherwise.

    Args:
        raw: See :func:`sanmodel.validation.frames.raw_frame`.
        crops: The table of the crops; ``split`` and ``Male`` are read, not the measures.
        profile: What is known of the source.
        settings: How the images were split.

    Raises:
        SanError: If the split is impossible.
    """
    parts = {part: counts(frame) for part, frame in _parts(raw, crops, profile, settings).items()}
    found = raw_counts(raw)
    found |= {f"{part}_images": parts[part]["images"] for part in BEFORE_CROPPING if part in parts}
    required = _required(profile, settings)
    return Table1(
        comparisons=[
            Comparison(row.name, name, count, parts[row.part].get(name))
            for row in profile.paper
            for name, count in row.counts.items()
        ],
        complete=_is_complete(len(raw), profile, settings),
        found=found,
        # What cannot be counted, such as the partition that a copy lacks, is not required.
        required={name: count for name, count in required.items() if name in found},
    )


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """Count images and people and, if there is a column ``Male``, those of either gender.

    A person whose images are labelled differently counts by the majority.
    """
    people = frame.groupby("identity")
    figures = {"images": len(frame), "people": people.ngroups}
    if GENDER in frame:
        male = people[GENDER].mean() >= 0.5
        figures |= {
            "male_images": int((frame[GENDER] == 1).sum()),
            "female_images": int((frame[GENDER] == 0).sum()),
            "male_people": int(male.sum()),
            "female_people": int((~male).sum()),
        }
    return figures


def raw_counts(raw: pd.DataFrame) -> dict[str, int]:
    """Return :func:`counts`, the number of attributes and the images of each own partition.

    A source's partition is left out where the source does not give it.
    """
    figures = counts(raw)
    figures["attributes"] = len(set(raw.columns) - FIXED_COLUMNS - set(RAW_MEASURES))
    if raw["partition"].notna().any():
        for number in (0, 1, 2):
            figures[f"partition_{number}"] = int((raw["partition"] == number).sum())
    return figures


def _parts(
    raw: pd.DataFrame, crops: pd.DataFrame, profile: Profile, settings: Settings
) -> dict[Part, pd.DataFrame]:
    """Return the images that the paper's rows count."""
    parts: dict[Part, pd.DataFrame] = {
        "crops": crops,
        "train": crops[crops["split"] == "train"],
        "test": crops[crops["split"] == "test"],
    }
    if any(row.part in BEFORE_CROPPING for row in profile.paper):
        # Which side an image would be on does not depend on whether it was set aside.
        split = assign_split(raw, settings.attribute, settings.preprocess, settings.seed)
        parts["raw_train"], parts["raw_test"] = raw[split == "train"], raw[split == "test"]
    return parts


def _is_complete(images: int, profile: Profile, settings: Settings) -> bool:
    if settings.fetch.people is not None or "images" not in profile.complete:
        return False
    return images >= NEARLY_ALL * profile.complete["images"]


def _required(profile: Profile, settings: Settings) -> dict[str, int]:
    """Return the counts that the annotation fixes, with the sides if split as in the paper."""
    required = dict(profile.complete)
    split = settings.preprocess
    if (split.split, split.test_share) == ("random", PAPER_TEST_SHARE):
        sides = [row for row in profile.paper if row.part in BEFORE_CROPPING]
        required |= {f"{row.part}_images": row.counts["images"] for row in sides}
    return required
