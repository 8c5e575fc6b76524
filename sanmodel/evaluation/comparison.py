"""Two evaluations side by side: which differences are more than chance."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from sanmodel.errors import SanError
from sanmodel.evaluation.measures import Value, names_of, value_of
from sanmodel.evaluation.variants import in_order

Metrics = Mapping[str, Any]
Key = tuple[str, str, str, str]
"""Set, network or kind, variant or row, name of the metric."""

Named = tuple[str, Metrics]
"""What an evaluation is called, and its metrics."""

PARTS = ("classifiers", "matchers", "probes")
FILE = "metrics.json"

Figures = dict[str, float | None]


class Shape(BaseModel):
    """What a set's metrics must look like to be compared; whatever else there is does not matter.

    Attributes:
        classifiers: Figures by network and variant.
        matchers: Likewise.
        quality: Figures by variant.
        probes: Figures by probe and row.
        sets: Further sets by name.
    """

    model_config = ConfigDict(strict=True)

    classifiers: dict[str, dict[str, Figures]]
    matchers: dict[str, dict[str, Figures]]
    quality: dict[str, Figures]
    probes: dict[str, dict[str, Figures]] = {}
    sets: dict[str, "Shape"] = {}


class Difference(StrEnum):
    """What may be said of two figures."""

    EXCEEDS = "differs"
    WITHIN = "within the intervals"
    SAME = "same"
    NO_INTERVAL = "no interval"
    ONLY_A = "only in A"
    ONLY_B = "only in B"
    NEITHER = "in neither"


@dataclass(frozen=True)
class Line:
    """One figure of both evaluations.

    Attributes:
        key: Which.
        a: Of the first.
        b: Of the second.
    """

    key: Key
    a: Value
    b: Value

    @property
    def difference(self) -> Difference:
        """Whether the figures differ by more than their 95 % intervals: these do not overlap."""
        missing = (self.a.number is None, self.b.number is None)
        if any(missing):
            known = {(True, True): Difference.NEITHER, (True, False): Difference.ONLY_B}
            return known.get(missing, Difference.ONLY_A)
        if self.a.number == self.b.number:
            return Difference.SAME
        if not (self.a.interval and self.b.interval):
            return Difference.NO_INTERVAL
        return Difference.WITHIN if _overlap(self.a, self.b) else Difference.EXCEEDS


def compare(a: Metrics, b: Metrics) -> list[Line]:
    """Return every figure that one or the other has, in the order of the first.

    Args:
        a: Metrics of an evaluation, see docs/evaluation.md.
        b: Of another.
    """
    ours, theirs = dict(_figures(a)), dict(_figures(b))
    return [
        Line(key, *(value_of(key[-1], of.get(key, {}), ()) for of in (ours, theirs)))
        for key in ours | theirs
    ]


def warnings(a: Metrics, b: Metrics) -> list[str]:
    """Say in a sentence each why figures of two evaluations may not be comparable at all."""
    told = {"attribute": "the attribute", "set": "the set", "images": "the number of images"}
    told |= {"people": "the number of people"}
    return [
        f"{what} is {a[name]} in A and {b[name]} in B"
        for name, what in told.items()
        if name in a and name in b and a[name] != b[name]
    ]


def read_metrics(path: Path) -> Metrics:
    """Read the metrics of an evaluation.

    Args:
        path: A JSON file, or the folder of a report with ``metrics.json`` in it.

    Raises:
        SanError: If there is none, or it is something else.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise SanError(f"{path} is no file of metrics: give a {FILE}, or a folder that has one")
    try:
        metrics: Metrics = json.loads(file.read_text(encoding="utf-8"))
        Shape.model_validate(metrics)
    except ValueError as error:  # neither JSON nor even text, or of another shape
        raise SanError(f"{file} holds no evaluation: give what `san evaluate` wrote") from error
    return metrics


def show_comparison(a: Named, b: Named, console: Console) -> None:
    """Print two evaluations side by side; differences that exceed the intervals stand out.

    Args:
        a: What one is called, and its metrics.
        b: Likewise the other.
        console: Where to; one without markup, since names come from files.
    """
    both = a[1], b[1]
    table = Table("", "variant", "", "A", "B", "difference", title=f"A: {a[0]}\nB: {b[0]}")
    table.title_justify = "left"
    for line in compare(*both):
        of_set, name, variant, _ = line.key
        where = f"{name} ({of_set})" if of_set else name
        style = "bold" if line.difference is Difference.EXCEEDS else None
        texts = (where, variant, line.a.measure.title, line.a.text, line.b.text)
        table.add_row(*texts, line.difference, style=style)
    console.print(table)
    for warning in warnings(*both):
        console.print(f"note: {warning}", soft_wrap=True)


def _figures(metrics: Metrics, name: str = "") -> Iterator[tuple[Key, Metrics]]:
    """Yield each figure of a set and of its further sets, with the metrics that it is one of."""
    parts = [part for kind in PARTS for part in metrics.get(kind, {}).items()]
    for network, by_variant in [*parts, ("image quality", metrics["quality"])]:
        for variant in in_order(by_variant):
            for measure in names_of(by_variant[variant]):
                yield (name, network, variant, measure), by_variant[variant]
    for other, of_set in metrics.get("sets", {}).items():
        yield from _figures(of_set, other)


def _overlap(a: Value, b: Value) -> bool:
    """Tell whether two intervals, which must be known, have a number in common."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.low <= b.high and b.low <= a.high
