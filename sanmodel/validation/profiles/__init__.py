"""What is known of a data set beforehand: more expectations, its complete counts, the paper's.

A source with a module here gets what the module adds; the others get the common suites alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from great_expectations.expectations.expectation import Expectation

from sanmodel.registry import Registry

Part = Literal["raw_train", "raw_test", "train", "test", "crops"]
"""Images that a row of the paper's table counts: a side of the split before or after cropping, or
all crops."""

BEFORE_CROPPING: tuple[Part, ...] = ("raw_train", "raw_test")


@dataclass(frozen=True)
class PaperRow:
    """A row of table 1 of the paper, or a count that its text gives.

    Attributes:
        name: What the row is called.
        part: Which of our images it is to be compared with.
        counts: The paper's counts, by the names of :func:`sanmodel.validation.table_1.counts`.
    """

    name: str
    part: Part
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Profile:
    """What is known of one data set.

    Attributes:
        raw: What its raw table must fulfil beyond the common expectations.
        complete: Counts of the raw table that the complete set fixes, by the names of
            :func:`sanmodel.validation.table_1.raw_counts`; ``images`` is one of them. Empty if
            none is known.
        paper: Counts to report ours beside: the paper's are of faces that its authors' detector
            found, so they need not be equal.
    """

    raw: Sequence[Expectation] = ()
    complete: Mapping[str, int] = field(default_factory=dict)
    paper: Sequence[PaperRow] = ()


PROFILES: Registry[Profile] = Registry("profile of a data source", __name__)


def profile(source: str) -> Profile:
    """Return what is known of a source; an empty profile if it has no module here."""
    return PROFILES.get(source) if source in PROFILES.names() else Profile()
