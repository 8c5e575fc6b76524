"""Stage 3: check the tables before anything is trained on them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tables import attributes, require_attribute
from sanmodel.validation.checks import Suite, check
from sanmodel.validation.frames import compare, crops_frame, quarantine_frame, raw_frame, totals
from sanmodel.validation.near_duplicates import near_duplicates
from sanmodel.validation.page import INDEX, SUITES, Findings, write_site
from sanmodel.validation.profiles import Profile, profile
from sanmodel.validation.suites import (
    complete_expectations,
    crops_expectations,
    quarantine_expectations,
    raw_expectations,
    totals_expectations,
)
from sanmodel.validation.table_1 import Table1, table_1

FIGURES = (
    "raw_images",
    "crops",
    "quarantined",
    "detection_rate",
    "class_1_share",
    "train_images",
    "test_images",
    "train_people",
    "test_people",
)
"""Figures of :func:`sanmodel.validation.frames.totals` that become metrics."""


@dataclass(frozen=True)
class Tables:
    """The three tables as frames (:mod:`sanmodel.validation.frames`) and their attributes."""

    attributes: list[str]
    raw: pd.DataFrame
    crops: pd.DataFrame
    quarantine: pd.DataFrame


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Check the raw images, the crops, the quarantine and their totals; write a site and metrics.

    Returns:
        ``FIGURES``; ``reasons``, images in quarantine by reason; ``near_duplicates``, pairs across
        the split; ``table_1``, our counts beside the paper's for a source that it has; and the
        number of ``expectations`` that were checked.

    Raises:
        SanError: If a table is missing or damaged, lacks the attribute, or an expectation fails;
            the message names every one that does. The site is written all the same, metrics are
            not.
    """
    for folder in (paths.raw, paths.crops):
        require_attribute(attributes(folder), settings.attribute, folder)
    tables = _read(paths, observer)
    figures = totals(tables.raw, tables.crops, tables.quarantine, settings.attribute)
    known = profile(settings.fetch.source)
    table = table_1(tables.raw, tables.crops, known, settings)
    suites = _suites(settings, tables, known, figures, table)
    with atomic_folder(paths.data_docs) as site:
        (site / SUITES).mkdir()
        findings = Findings(
            settings=settings,
            outcomes=check(suites, site / SUITES),
            notes={suite.name: suite.notes for suite in suites},
            figures=figures,
            quarantine=tables.quarantine,
            near_duplicates=near_duplicates(
                tables.crops, settings.validate_.near_duplicate_distance
            ),
            table_1=table,
        )
        write_site(findings, site)
    if findings.failures:
        clauses = "; ".join(str(failure) for failure in findings.failures)
        raise SanError(f"validation failed: {clauses}; open {paths.data_docs / INDEX}")
    metrics = _metrics(findings)
    write_json(paths.metrics("validate"), metrics)
    return metrics


def _read(paths: Paths, observer: Observer) -> Tables:
    tables = Tables(
        attributes(paths.raw),
        raw_frame(paths.raw),
        crops_frame(paths.crops, observer),
        quarantine_frame(paths.quarantine),
    )
    compare(tables.raw, tables.crops, tables.quarantine)
    return tables


def _suites(
    settings: Settings,
    tables: Tables,
    known: Profile,
    figures: Mapping[str, int | float],
    table: Table1,
) -> list[Suite]:
    """Join each frame with what is expected of it."""
    must_be_whole = table.complete and settings.validate_.complete_set == "check"
    return [
        *_table_suites(settings, tables, known),
        Suite(
            "totals",
            "Figures of the tables as a whole.",
            pd.DataFrame([figures]),
            totals_expectations(settings),
        ),
        *([_complete_suite(settings.fetch.source, table)] if must_be_whole else []),
    ]


def _table_suites(settings: Settings, tables: Tables, known: Profile) -> list[Suite]:
    """Join the frames of the three tables with what is expected of them."""
    split, names = settings.preprocess.split, tables.attributes
    return [
        Suite(
            "raw",
            "The images as they were fetched.",
            tables.raw,
            [*raw_expectations(names), *known.raw],
        ),
        Suite(
            "crops",
            f"The face crops that the networks are trained and tested on, split by {split}.",
            tables.crops,
            crops_expectations(names, split),
        ),
        Suite(
            "quarantine",
            "The images that were set aside, with the reason.",
            tables.quarantine,
            quarantine_expectations(),
        ),
    ]


def _complete_suite(source: str, table: Table1) -> Suite:
    return Suite(
        "complete",
        f"Nearly all images of {source} are here: all must be.",
        pd.DataFrame([table.found]),
        complete_expectations(table.required),
    )


def _metrics(findings: Findings) -> Metrics:
    metrics: Metrics = {name: findings.figures[name] for name in FIGURES}
    metrics["expectations"] = len(findings.outcomes)
    metrics["reasons"] = {name.replace(" ", "_"): n for name, n in findings.reasons.items()}
    metrics["near_duplicates"] = findings.near_duplicates.total
    if findings.table_1.comparisons:
        metrics["table_1"] = {"complete": findings.table_1.complete, **_beside(findings.table_1)}
    return metrics


def _beside(table: Table1) -> Metrics:
    """Return each of the paper's counts by its row and name, with ours and the difference."""
    rows: Metrics = {}
    for line in table.comparisons:
        rows.setdefault(line.row, {})[line.count] = {
            "paper": line.paper,
            "ours": line.ours,
            "difference": line.difference,
        }
    return rows
