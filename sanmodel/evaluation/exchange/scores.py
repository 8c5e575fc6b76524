"""Scores come back: what a program made of the exported images or of pairs of them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange.reading import Exchange, table_rows
from sanmodel.evaluation.exchange.writing import (
    GALLERY,
    MANIFEST,
    PAIR_COLUMNS,
    PAIRS,
    image_file,
)
from sanmodel.evaluation.pairs import Floats, Integers


def read_attribute_scores(path: Path, exchange: Exchange) -> dict[str, Floats]:
    """Read what an attribute classifier made of exported images.

    Args:
        path: CSV table with the columns file and score.
        exchange: The images.

    Returns:
        For each variant the scores, (N,), higher for class 1.

    Raises:
        SanError: If the file is missing or no such table, a score is no number, or an image has
            none, several, or was not exported.
    """
    files = exchange.files
    numbers = {name: number for number, name in enumerate(files)}
    given = _read_scores(path, ("file",), lambda names: numbers.get(names[0]))
    wanted = np.arange(len(files))
    scores = _in_order(path, "image", given, wanted, files.__getitem__)
    return dict(zip(exchange.variants, np.split(scores, len(exchange.variants)), strict=True))


def read_match_scores(path: Path, exchange: Exchange) -> dict[str, Floats]:
    """Read what a matcher made of the pairs of exported images.

    Args:
        path: CSV table with the columns probe, gallery and score.
        exchange: The images.

    Returns:
        For each variant of the probes the scores in the order of ``exchange.pairs``, (P,), higher
        for faces that are more alike.

    Raises:
        SanError: See :func:`read_attribute_scores`; likewise for pairs.
    """
    files, count = exchange.files, len(exchange.people)
    probes = {name: number for number, name in enumerate(files)}
    references = {image_file(GALLERY, i): i for i in range(count)}

    def number(names: list[str]) -> int | None:
        probe, reference = probes.get(names[0]), references.get(names[1])
        return None if probe is None or reference is None else probe * count + reference

    given = _read_scores(path, PAIR_COLUMNS, number)
    first = np.arange(len(exchange.variants))[:, None] * count  # of each variant's probes
    wanted = ((first + exchange.pairs[:, 0]) * count + exchange.pairs[:, 1]).ravel()
    scores = _in_order(
        path,
        "pair",
        given,
        wanted,
        lambda pair: f"{files[pair // count]},{image_file(GALLERY, pair % count)}",
    )
    return dict(zip(exchange.variants, np.split(scores, len(exchange.variants)), strict=True))


@dataclass(frozen=True)
class _Given:
    """Scores of a file, (rows,), and the numbers of what they are of, (rows,)."""

    numbers: Integers
    scores: Floats


def _read_scores(
    path: Path, columns: tuple[str, ...], number: Callable[[list[str]], int | None]
) -> _Given:
    """Read a table of scores; ``number`` is of what a row names, None if that was not exported."""
    numbers, scores, unknown = [], [], []
    for line, (*names, score) in table_rows(
        path, (*columns, "score"), "take it out of evaluate.scores"
    ):
        place = number([name.strip().replace("\\", "/") for name in names])
        if place is None:
            unknown.append(",".join(names))
            continue
        numbers.append(place)
        scores.append(_number(path, line, score))
    if unknown:
        raise SanError(
            f"{path} scores what was not exported, in {len(unknown)} of its rows, the first is"
            f" {unknown[0]}: write the names as {MANIFEST} and {PAIRS} have them"
        )
    return _Given(np.array(numbers, dtype=np.int64), np.array(scores, dtype=np.float64))


def _in_order(
    path: Path, what: str, given: _Given, wanted: Integers, name: Callable[[int], str]
) -> Floats:
    """Return the scores of ``wanted`` numbers; each must be given once."""
    numbers, first, times = np.unique(given.numbers, return_index=True, return_counts=True)
    double, missing = numbers[times > 1], wanted[~np.isin(wanted, numbers)]
    strange = numbers[~np.isin(numbers, wanted)]
    for kind, some, mend in (
        ("more than one score", double, "keep one of each"),
        ("no score", missing, "add them, with the lowest score where the program finds no face"),
        ("a score that nobody asked for", strange, f"give those of {PAIRS} alone"),
    ):
        if len(some):
            total = len(wanted if some is missing else numbers)
            raise SanError(
                f"{path}: {len(some)} of {total} {what}s have {kind}, the first is"
                f" {name(int(some[0]))}: {mend}"
            )
    scores: Floats = given.scores[first[np.searchsorted(numbers, wanted)]]
    return scores


def _number(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise SanError(
            f"{path}, line {line}: the score {text!r} is not a number: write one, the lowest of"
            " all where the program finds no face"
        )
    return value
