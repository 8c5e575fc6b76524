"""The page that a data owner opens: verdict, figures, every image that was set aside, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from sanmodel.settings import Settings
from sanmodel.tables import Reason
from sanmodel.validation.checks import Outcome
from sanmodel.validation.near_duplicates import NearDuplicates
from sanmodel.validation.table_1 import Table1

INDEX = "index.html"
SUITES = "suites"
"""Folder of Great Expectations' pages."""
QUARANTINE = "quarantine.csv"
NEAR_DUPLICATES = "near_duplicates.csv"

SHOWN = 200
"""Rows of a list that the page shows; the CSV file beside it has all."""

MEANINGS = {
    Reason.UNREADABLE: "The file is no image, or a damaged one, or of a kind that cannot be read.",
    Reason.TOO_LARGE: "The image has more pixels than are read.",
    Reason.TOO_SMALL: "The image has too few pixels to tell one face from another.",
    Reason.NO_FACE: "The detector found no face, or none where the source says that it is.",
    Reason.SEVERAL_FACES: "Several faces of about equal size, and nothing says which is meant.",
    Reason.DUPLICATE: "The same picture as another image, which is kept.",
}
"""What a reason means, for people who do not know the pipeline."""

_QUARANTINE_COLUMNS = ["image_id", "identity", "source_path", "reason", "detail"]


@dataclass(frozen=True)
class Findings:
    """All that the page tells.

    Attributes:
        settings: What was validated, and by which limits.
        outcomes: What came of every expectation.
        notes: What each suite is about, by name.
        figures: See :func:`sanmodel.validation.frames.totals`.
        quarantine: The quarantine table.
        near_duplicates: Pictures that look alike on both sides of the split.
        table_1: Our counts beside the paper's.
    """

    settings: Settings
    outcomes: Sequence[Outcome]
    notes: dict[str, str]
    figures: dict[str, int | float]
    quarantine: pd.DataFrame
    near_duplicates: NearDuplicates
    table_1: Table1

    @property
    def failures(self) -> list[Outcome]:
        """Expectations that are not met."""
        return [outcome for outcome in self.outcomes if not outcome.passed]

    @property
    def reasons(self) -> dict[str, int]:
        """Images in quarantine by reason, all reasons, the known ones in their order."""
        found = self.quarantine["reason"].value_counts()
        known = {str(reason): int(found.get(reason, 0)) for reason in Reason}
        return known | {str(name): int(count) for name, count in found.items() if name not in known}


def write_site(findings: Findings, site: Path) -> None:
    """Write the page and the lists that it links to; the same findings give the same bytes.

    Args:
        findings: What to tell.
        site: An existing folder, which has the suites' pages in ``SUITES``.
    """
    order = ["reason", "image_id"]
    aside = findings.quarantine[_QUARANTINE_COLUMNS].sort_values(order, ignore_index=True)
    pairs = findings.near_duplicates.pairs
    aside.to_csv(site / QUARANTINE, index=False)
    pairs.to_csv(site / NEAR_DUPLICATES, index=False)
    page = (
        _environment()
        .get_template(f"{INDEX}.j2")
        .render(
            findings=findings,
            settings=findings.settings,
            figures=findings.figures,
            meanings=MEANINGS,
            aside=_by_reason(aside),
            pairs=pairs.head(SHOWN).to_dict("records"),
            shown=SHOWN,
            suites=_by_suite(findings.outcomes),
            files={"quarantine": QUARANTINE, "near_duplicates": NEAR_DUPLICATES},
        )
    )
    (site / INDEX).write_text(page, encoding="utf-8")


def _by_reason(aside: pd.DataFrame) -> list[tuple[str, list[Any], int]]:
    """Return each reason with the first rows and the number of all rows of it."""
    filled = aside.fillna("-")
    return [
        (str(reason), rows.head(SHOWN).to_dict("records"), len(rows))
        for reason, rows in filled.groupby("reason")
    ]


def _by_suite(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    suites: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        suites.setdefault(outcome.suite, []).append(outcome)
    return suites


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sanmodel.validation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda number: "-" if number is None else f"{number:,}"
    environment.filters["percent"] = lambda share: f"{share:.2%}"
    environment.filters["words"] = lambda name: name.replace("_", " ")
    return environment
