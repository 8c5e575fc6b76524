"""Stage 3: check the tables before anything is trained on them."""

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tables import attributes, count_rows, require_attribute
from sanmodel.validation.checks import Suite, check
from sanmodel.validation.frames import crops_frame, raw_frame, totals
from sanmodel.validation.suites import crops_expectations, raw_expectations, totals_expectations

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


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Check the raw images, the crops and their totals; write Data Docs and metrics.

    Returns:
        ``FIGURES`` and the number of ``expectations`` that were checked.

    Raises:
        SanError: If a table is missing or damaged, lacks the attribute, or an expectation fails;
            the message names every one that does. Data Docs are written all the same, metrics
            are not.
    """
    for folder in (paths.raw, paths.crops):
        require_attribute(attributes(folder), settings.attribute, folder)
    raw, crops = raw_frame(paths.raw, observer), crops_frame(paths.crops, observer)
    figures = totals(raw, crops, count_rows(paths.quarantine), settings.attribute)
    suites = _suites(settings, raw, crops, figures, attributes(paths.raw))
    with atomic_folder(paths.data_docs) as site:
        failures = check(suites, site)
    if failures:
        raise SanError(
            f"validation failed: {'; '.join(failures)}; open {paths.data_docs / 'index.html'}"
        )
    metrics: Metrics = {name: figures[name] for name in FIGURES}
    metrics["expectations"] = sum(len(suite.expectations) for suite in suites)
    write_json(paths.metrics("validate"), metrics)
    return metrics


def _suites(
    settings: Settings,
    raw: pd.DataFrame,
    crops: pd.DataFrame,
    figures: dict[str, int | float],
    names: list[str],
) -> list[Suite]:
    """Join each frame with what is expected of it."""
    split = settings.preprocess.split
    return [
        Suite("raw", "The images as they were fetched.", raw, raw_expectations(names)),
        Suite(
            "crops",
            f"The face crops that the networks are trained and tested on, split by {split}.",
            crops,
            crops_expectations(names, split),
        ),
        Suite(
            "totals",
            "Figures of the tables as a whole: "
            + ", ".join(f"{name} {round(figure, 4)}" for name, figure in figures.items()),
            pd.DataFrame([figures]),
            totals_expectations(settings),
        ),
    ]
