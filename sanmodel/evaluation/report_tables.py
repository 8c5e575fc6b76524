"""The tables of an evaluation report: for a page and for a spreadsheet."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sanmodel.evaluation.measures import (
    COUNT,
    LIKENESS,
    Value,
    is_of_attribute,
    is_of_likeness,
    is_of_matching,
    measure_of,
    names_of,
    true_match_rates,
    value_of,
)
from sanmodel.evaluation.missing import without_answer, without_figure, without_networks
from sanmodel.evaluation.published import Published, Rates
from sanmodel.evaluation.variants import OURS, in_order, meaning

Metrics = Mapping[str, Any]

Cell = Value | None
"""A figure, or None where there is nothing to measure (an original's likeness to itself)."""

Questions = Mapping[str, tuple[str, str]]
"""By the name of a probe the title of its table and the question that it answers."""

TABLE_2 = {"original": "before (original)", "OP": "after (OP)", "mixing": "face mixing"}
"""Variants of the paper's table 2 by what their columns are called."""

NOBODY = "none"
"""What stands in the place of a network, or of a row of a probe, where there is none."""

AT_1_PERCENT = "tmr_at_fmr_0.01"
"""The rate of the paper's table 3."""

_SIZES = {
    "people": "people",
    "images": "images",
    "images_class_0": "class 0",
    "images_class_1": "class 1",
    "matched_images": "images matched",
    "genuine_pairs": "pairs of one person",
    "impostor_pairs": "pairs of two people",
}


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        heads: What it is about, one for each of the table's ``heads``.
        cells: A figure for each of the table's ``columns``.
        published: Whether the figures are another's, not ours.
    """

    heads: tuple[str, ...]
    cells: tuple[Cell, ...]
    published: bool = False


@dataclass(frozen=True)
class Table:
    """Figures in rows and columns.

    Attributes:
        name: Of its CSV file, without the ending.
        caption: What it shows.
        heads: What the row headers are.
        columns: What the figures are.
        rows: The figures.
        question: What it answers, if that needs saying.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Sequence[Row]
    question: str = ""

    @property
    def reasons(self) -> list[str]:
        """Why cells are missing, each reason once, in the order of the table."""
        cells = (cell for row in self.rows for cell in row.cells if cell is not None)
        return list(dict.fromkeys(cell.reason for cell in cells if cell.reason))

    def frame(self) -> pd.DataFrame:
        """Return plain numbers, rates as fractions; with the ends of intervals where any are."""
        columns: dict[str, list[Any]] = {
            head: [row.heads[place] for row in self.rows] for place, head in enumerate(self.heads)
        }
        for place, title in enumerate(self.columns):
            cells = [row.cells[place] for row in self.rows]
            columns[title] = [cell and cell.number for cell in cells]
            if any(cell and cell.interval for cell in cells):
                columns[f"{title}, low"] = [cell and cell.low for cell in cells]
                columns[f"{title}, high"] = [cell and cell.high for cell in cells]
        return pd.DataFrame(columns)


def all_sets(metrics: Metrics) -> dict[str, Metrics]:
    """Return the metrics of each set by its name, the main one first."""
    return {metrics["set"]: metrics, **metrics.get("sets", {})}


def report_tables(
    metrics: Metrics, questions: Questions, published: Published, sources: Mapping[str, str]
) -> list[Table]:
    """Return all tables of a report in its order.

    Args:
        metrics: See docs/evaluation.md.
        questions: Of the probes.
        published: What the paper reports.
        sources: By the name of a set the data source that it is of, where the names differ.
    """
    sets, beside = all_sets(metrics), published if _comparable(metrics, published) else None
    theirs = {name: published.sets.get(sources.get(name, name), "") for name in sets}
    tables = [table_1(sets, beside, theirs)]
    tables += [table_2(sets, beside, theirs), table_3(sets, beside, theirs)]
    tables += [variants_table(name, of_set) for name, of_set in sets.items()]
    for name, of_set in sets.items():
        tables += _probe_tables(name, of_set, questions, _all_gaps(sets))
    return tables


def table_1(
    sets: Mapping[str, Metrics], published: Published | None, theirs: Mapping[str, str]
) -> Table:
    """Set the numbers of people, images and pairs beside the paper's (table 1).

    Args:
        sets: Metrics by set.
        published: The paper's figures; None if they are about another attribute.
        theirs: What the paper calls each set, empty where it has none.
    """
    rows = []
    for name, of_set in sets.items():
        rows.append(Row((name,), _counts(of_set)))
        if published and theirs[name] in published.sizes:
            counted = _counts(published.sizes[theirs[name]])
            rows.append(Row((f"{theirs[name]} (paper)",), counted, published=True))
    caption = "Table 1. Sizes of the sets: images that were measured, and pairs that were matched"
    return Table("table-1", caption, ("set",), tuple(_SIZES.values()), rows)


def table_2(
    sets: Mapping[str, Metrics], published: Published | None, theirs: Mapping[str, str]
) -> Table:
    """Set the attribute error before and after beside face mixing's and the paper's (table 2).

    Without the baseline "mixing" there is no column of it. Arguments as of :func:`table_1`.
    """
    mixed = any("mixing" in of_set["quality"] for of_set in sets.values())
    variants = [variant for variant in TABLE_2 if variant != "mixing" or mixed]
    rows: list[Row] = []
    for name in sets:
        rows += _measured(sets, name, "classifiers", "error_rate", variants)
        if published:
            rates = published.attribute_error.get(theirs[name], {})
            rows += _published(theirs[name], rates, "error_rate", variants)
    columns = tuple(TABLE_2[variant] for variant in variants)
    caption = "Table 2. Attribute error: share of the images whose class is read wrongly"
    return Table("table-2", caption, ("set", "classifier"), columns, rows)


def table_3(
    sets: Mapping[str, Metrics], published: Published | None, theirs: Mapping[str, str]
) -> Table:
    """Set the true match rates at 1 % beside the paper's (table 3); as :func:`table_1`."""
    rows: list[Row] = []
    for name in sets:
        rows += _measured(sets, name, "matchers", AT_1_PERCENT, OURS)
        if published:
            rates = published.true_match_rate.get(theirs[name], {})
            rows += _published(theirs[name], rates, AT_1_PERCENT, OURS)
    caption = "Table 3. True match rate at a false match rate of 1%"
    return Table("table-3", caption, ("set", "matcher"), OURS, rows)


def variants_table(name: str, of_set: Metrics) -> Table:
    """Set all that was measured of ours and of every baseline side by side."""
    columns = _columns(of_set)
    found = {variant for by_variant in _networks(of_set).values() for variant in by_variant}
    rows = []
    for variant in in_order(found | set(of_set["quality"])):
        cells = tuple(_cell(of_set, *column, variant) for column in columns.values())
        rows.append(Row((variant, meaning(variant)), cells))
    caption = f"Ours and the baselines side by side, set {name}"
    return Table(
        f"variants-{file_name(name)}", caption, ("variant", "what it is"), tuple(columns), rows
    )


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as a CSV file of its name into an existing folder."""
    for table in tables:
        path = folder / f"{table.name}.csv"
        table.frame().to_csv(path, index=False, float_format="%.6g")


def file_name(name: str) -> str:
    """Return a name that may be part of a file's."""
    return re.sub(r"[^\w.-]+", "-", name)


def _comparable(metrics: Metrics, published: Published) -> bool:
    return bool(metrics["attribute"] == published.attribute)


def _all_gaps(sets: Mapping[str, Metrics]) -> list[str]:
    """Return the sentences of all sets: what was left out stands with the main one."""
    return [gap for of_set in sets.values() for gap in of_set["gaps"]]


def _counts(sizes: Mapping[str, int]) -> tuple[Cell, ...]:
    return tuple(Value(sizes.get(size), COUNT) for size in _SIZES)


def _measured(
    sets: Mapping[str, Metrics], name: str, kind: str, measure: str, variants: Sequence[str]
) -> Iterator[Row]:
    """Yield a row of one measure for each network of a set; without networks one that says why."""
    of_set = sets[name]
    if not of_set[kind]:
        why = without_networks(kind, _all_gaps(sets))
        missing = Value(None, measure_of(measure), reason=why)
        yield Row((name, NOBODY), (missing,) * len(variants))
    for network, by_variant in of_set[kind].items():
        cells = (_figure(measure, by_variant.get(v, {}), of_set["gaps"]) for v in variants)
        yield Row((name, network), tuple(cells))


def _figure(measure: str, figures: Metrics, gaps: Sequence[str]) -> Value:
    """Return a network's figure of one variant, or why it is missing."""
    return _explained(value_of(measure, figures, gaps), without_figure(measure, figures))


def _explained(value: Value, why: str) -> Value:
    """Say why a figure is missing where that is not known yet."""
    missing = value.number is None and not value.reason
    return replace(value, reason=why) if missing else value


def _published(
    name: str, rates: Mapping[str, Rates], measure: str, variants: Sequence[str]
) -> Iterator[Row]:
    """Yield a row of the paper's figures for each of its software."""
    for software, by_variant in rates.items():
        cells = (Value(by_variant.get(variant), measure_of(measure)) for variant in variants)
        yield Row((name, f"{software} (paper)"), tuple(cells), published=True)


def _networks(of_set: Metrics) -> dict[str, Mapping[str, Metrics]]:
    return {**of_set["classifiers"], **of_set["matchers"]}


def _columns(of_set: Metrics) -> dict[str, tuple[str, str]]:
    """Return for each column of the table of variants its network and measure."""
    rates = true_match_rates(of_set["matchers"])
    pairs = [(name, m) for name in of_set["classifiers"] for m in ("error_rate", "auc")]
    pairs += [(name, m) for name in of_set["matchers"] for m in rates]
    columns = {f"{measure_of(m).title}, {name}": (name, m) for name, m in pairs}
    return columns | {measure_of(m).title: ("", m) for m in ("psnr", "ssim")}


def _cell(of_set: Metrics, network: str, measure: str, variant: str) -> Cell:
    """Return what one column of the table of variants says of one variant."""
    if not network and variant == "original":
        return None
    by_variant = _networks(of_set)[network] if network else of_set["quality"]
    return _figure(measure, by_variant.get(variant, {}), of_set["gaps"])


def _probe_tables(
    name: str, of_set: Metrics, questions: Questions, gaps: Sequence[str]
) -> Iterator[Table]:
    """Yield a table for each probe of a set; ``gaps`` are those of all sets."""
    for probe, answer in of_set.get("probes", {}).items():
        title, question = questions.get(probe, (probe, ""))
        columns = list(dict.fromkeys(c for row in answer.values() for c in names_of(row)))
        columns = columns or ["figures"]
        why = without_answer(probe, answer, gaps)
        rows = [
            Row((row,), tuple(_answered(of_set, row, column, cells, why) for column in columns))
            for row, cells in (answer or {NOBODY: {}}).items()
        ]
        titles = tuple(measure_of(column).title for column in columns)
        file = f"probe-{file_name(probe)}-{file_name(name)}"
        yield Table(file, f"{title}, set {name}", ("of",), titles, rows, question)


def _answered(of_set: Metrics, row: str, column: str, cells: Metrics, why: str) -> Cell:
    """Return a cell of a probe; None where a row about one kind of judge has another's column."""
    value = _explained(value_of(column, cells, of_set["gaps"]), why)
    kinds = _kind_of_row(of_set, row), _kind_of_column(column)
    return None if value.number is None and all(kinds) and kinds[0] != kinds[1] else value


def _kind_of_row(of_set: Metrics, row: str) -> str:
    """Return what a row of a probe is about: a key of the metrics, or nothing known."""
    named = {"classifiers": of_set["classifiers"], "matchers": of_set["matchers"]}
    named["quality"] = [LIKENESS]
    found = (kind for kind, names in named.items() if any(row.startswith(f"{n} ") for n in names))
    return next(found, "")


def _kind_of_column(column: str) -> str:
    """Return what a probe's column is about: a key of the metrics, or nothing known."""
    if is_of_attribute(column):
        return "classifiers"
    if is_of_matching(column):
        return "matchers"
    return "quality" if is_of_likeness(column) else ""
