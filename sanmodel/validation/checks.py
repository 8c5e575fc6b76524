"""Runs suites of expectations with Great Expectations and renders a page of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.expectation import Expectation

from sanmodel.validation.suite_page import render_suite

_EXAMPLES = 3
"""Values and images that a message names at most."""

_NEEDS = {
    "expect_column_values_to_be_unique": "each value once",
    "expect_column_values_to_not_be_null": "a value in every row",
    "expect_table_columns_to_match_set": "exactly the columns of its schema",
}


@dataclass(frozen=True)
class Suite:
    """A frame and what is expected of it.

    Attributes:
        name: What messages and pages call it; the name of its page's file.
        notes: A sentence on the table, shown above its expectations.
        frame: The rows; a column ``image_id``, if there is one, names them in messages.
        expectations: Great Expectations' own, each with a description.
    """

    name: str
    notes: str
    frame: pd.DataFrame
    expectations: Sequence[Expectation]


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation.

    Attributes:
        suite: Name of its suite.
        name: Great Expectations' name for it, with the column.
        sentence: What is expected, in words.
        passed: Whether it is so.
        problem: What was found instead and what is needed; empty if it passed.
        images: Ids of images that fail, at most the twenty that Great Expectations names.
    """

    suite: str
    name: str
    sentence: str
    passed: bool
    problem: str = ""
    images: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the clause of an error message."""
        return f"{self.suite}: {self.name} {self.problem}"


def check(suites: Sequence[Suite], folder: Path) -> list[Outcome]:
    """Check every suite and write a page of each, ``<name>.html``.

    Args:
        suites: What to check, each name once.
        folder: An existing folder for the pages.

    Returns:
        What came of every expectation, suite by suite.
    """
    context = _context()
    outcomes: list[Outcome] = []
    for suite in suites:
        result = _validate(context, suite)
        page = render_suite(result, suite.name, suite.notes)
        (folder / f"{suite.name}.html").write_text(page, encoding="utf-8")
        outcomes += sorted(
            (_outcome(suite.name, item) for item in result.results),
            key=lambda outcome: (outcome.passed, outcome.name),
        )
    return outcomes


def _context() -> Any:
    """Return a quiet context that keeps nothing."""
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )


def _validate(context: Any, suite: Suite) -> Any:
    """Return Great Expectations' result of one suite."""
    asset = context.data_sources.add_pandas(suite.name).add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all rows").get_batch(
        {"dataframe": suite.frame}
    )
    result_format: dict[str, Any] = {"result_format": "SUMMARY"}
    if "image_id" in suite.frame:
        result_format["unexpected_index_column_names"] = ["image_id"]
    expectations = gx.ExpectationSuite(suite.name, list(suite.expectations))
    return batch.validate(expectations, result_format=result_format)


def _outcome(suite: str, item: Any) -> Outcome:
    config = item.expectation_config
    name = f"{config.type}({config.kwargs.get('column', '')})"
    if item.success:
        return Outcome(suite, name, config.description, True)
    return Outcome(suite, name, config.description, False, _problem(item), _images(item.result))


def _problem(item: Any) -> str:
    """Say what was found and what is needed."""
    config = item.expectation_config
    if not item.result:
        # The library met an error, such as a column that is not there; the page shows it.
        return "could not be checked"
    if any(value is True for value in config.kwargs.get("value_set", ())):
        return f"not so in {_where(item.result)}"
    needs = _NEEDS.get(config.type) or _bounds(config.kwargs)
    return f"found {_found(item.result)}, needs {needs}"


def _found(result: Mapping[str, Any]) -> str:
    """Tell the values that failed, in how many rows, and in which images."""
    if "details" in result:
        mismatched = result["details"]["mismatched"]
        return ", ".join(f"{kind} {', '.join(names)}" for kind, names in mismatched.items())
    if "observed_value" in result:
        return _text(result["observed_value"])
    values = _examples(result["partial_unexpected_list"])
    return f"{values} in {_where(result)}" if _images(result) else values


def _where(result: Mapping[str, Any]) -> str:
    """Tell in how many rows an expectation failed, and in which images."""
    rows = f"{result['unexpected_count']} of {result['element_count']} rows"
    return f"{rows} (image_id {_examples(_images(result))})"


def _images(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids that Great Expectations names; none of a frame without ids."""
    named = "unexpected_index_column_names" in result
    rows = result["partial_unexpected_index_list"] if named else ()
    return tuple(dict.fromkeys(_text(row["image_id"]) for row in rows))


def _bounds(kwargs: Mapping[str, Any]) -> str:
    """Tell the values that an expectation lets pass."""
    if "type_" in kwargs:
        return str(kwargs["type_"])
    if "regex" in kwargs:
        return f"the pattern {kwargs['regex']}"
    allowed = kwargs.get("value_set") or kwargs.get("type_list")
    if allowed:
        return " or ".join(_text(value) for value in allowed)
    bounds = []
    if kwargs.get("min_value") is not None:
        bounds.append(f"{'>' if kwargs.get('strict_min') else '>='} {_text(kwargs['min_value'])}")
    if kwargs.get("max_value") is not None:
        bounds.append(f"<= {_text(kwargs['max_value'])}")
    return " and ".join(bounds)


def _examples(values: Sequence[Any]) -> str:
    """Tell the first few different values."""
    return ", ".join([*dict.fromkeys(_text(value) for value in values)][:_EXAMPLES])


def _text(value: Any) -> str:
    if pd.isna(value):
        return "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
