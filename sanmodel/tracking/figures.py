"""Nested figures as the flat names and numbers that MLflow takes."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Scalar = int | float | str | bool

# MLflow's rule for the names of parameters, metrics and tags, without the slash.
_FORBIDDEN = re.compile(r"[^\w.\- :]")


def flatten(content: Any, prefix: str = "") -> dict[str, Scalar]:
    """Join the keys of nested mappings and lists with dots and leave out what is None.

    Example:
        >>> flatten({"a": {"b": 1, "c": None}, "d": [2, "x"]})
        {'a.b': 1, 'd.0': 2, 'd.1': 'x'}
    """
    if content is None:
        return {}
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        return {prefix: content}
    flat: dict[str, Scalar] = {}
    for key, value in content.items():
        name = _FORBIDDEN.sub("_", str(key))
        flat |= flatten(value, f"{prefix}.{name}" if prefix else name)
    return flat


def split(flat: Mapping[str, Scalar]) -> tuple[dict[str, float], dict[str, str]]:
    """Part numbers from texts; true is 1."""
    numbers = {name: float(value) for name, value in flat.items() if not isinstance(value, str)}
    texts = {name: value for name, value in flat.items() if isinstance(value, str)}
    return numbers, texts


def loss_names(terms: Mapping[str, float]) -> dict[str, float]:
    """Name loss terms as metrics; the part before the slash groups their charts."""
    return {f"loss/{_FORBIDDEN.sub('_', name)}": value for name, value in terms.items()}


def read_curve(path: Path) -> dict[int, dict[str, float]]:
    """Return the loss metrics of each step of a curve file; nothing if there is no such file.

    A term with an empty cell was not there in that step.
    """
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(stream)
        ]
    return {int(row.pop("step")): loss_names(row) for row in rows}
