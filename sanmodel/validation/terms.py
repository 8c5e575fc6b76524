"""The expectations that suites are written in, short enough to read as a list."""

from collections.abc import Sequence
from typing import Any

import great_expectations.expectations

# Typed loosely: strict mypy does not see the names that the library passes on.
gxe: Any = great_expectations.expectations


def known(column: str, sentence: str) -> Any:
    """Expect a value in every row."""
    return gxe.ExpectColumnValuesToNotBeNull(column=column, description=sentence)


def unique(column: str, sentence: str) -> Any:
    """Expect each value once."""
    return gxe.ExpectColumnValuesToBeUnique(column=column, description=sentence)


def one_of(column: str, values: Sequence[object], sentence: str) -> Any:
    """Expect every value, where there is one, among ``values``."""
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=list(values), description=sentence
    )


def matching(column: str, pattern: str, sentence: str) -> Any:
    """Expect every value, where there is one, to match a regular expression."""
    return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=pattern, description=sentence)


def between(column: str, sentence: str, *, at_least: float, at_most: float | None = None) -> Any:
    """Expect every number, where there is one, between two bounds, both included."""
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=at_least, max_value=at_most, description=sentence
    )


def above(column: str, bound: float, sentence: str) -> Any:
    """Expect every number, where there is one, above a bound."""
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=bound, strict_min=True, description=sentence
    )


def typed(column: str, kinds: Sequence[str], sentence: str) -> Any:
    """Expect a column to be of one of the types, as pandas names them."""
    if len(kinds) == 1:
        return gxe.ExpectColumnValuesToBeOfType(column=column, type_=kinds[0], description=sentence)
    return gxe.ExpectColumnValuesToBeInTypeList(
        column=column, type_list=list(kinds), description=sentence
    )


def columns(names: Sequence[str], sentence: str) -> Any:
    """Expect exactly these columns, in any order."""
    return gxe.ExpectTableColumnsToMatchSet(
        column_set=list(names), exact_match=True, description=sentence
    )


def rows(at_least: int, sentence: str) -> Any:
    """Expect a number of rows."""
    return gxe.ExpectTableRowCountToBeBetween(min_value=at_least, description=sentence)
