"""Runs suites of expectations with Great Expectations and builds its Data Docs site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.expectation import Expectation

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
        name: What messages and Data Docs call it.
        notes: A sentence on the table, shown above its expectations.
        frame: The rows; a column ``image_id``, if there is one, names them in messages.
        expectations: Great Expectations' own, each with a description.
    """

    name: str
    notes: str
    frame: pd.DataFrame
    expectations: Sequence[Expectation]


def check(suites: Sequence[Suite], site: Path) -> list[str]:
    """Check every suite and write the Data Docs site of all of them.

    Args:
        suites: What to check, each name once.
        site: An existing folder; its entry page will be ``index.html``.

    Returns:
        A clause for every expectation that failed: its suite, its name, its column, what was
        found and what it needs.
    """
    context = _context(site)
    failures = [failure for suite in suites for failure in _run(context, suite)]
    context.build_data_docs()
    return failures


def _context(site: Path) -> Any:
    """Return a quiet context that keeps nothing but the site."""
    backend = {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": str(site.resolve()),
    }
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            data_docs_sites={
                "sanmodel": {
                    "class_name": "SiteBuilder",
                    "show_how_to_buttons": False,
                    "store_backend": backend,
                }
            },
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )


def _run(context: Any, suite: Suite) -> list[str]:
    """Run one suite as a checkpoint, which files its result for the site."""
    asset = context.data_sources.add_pandas(suite.name).add_dataframe_asset("table")
    expectations = context.suites.add(
        gx.ExpectationSuite(suite.name, list(suite.expectations), notes=suite.notes)
    )
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=suite.name,
            data=asset.add_batch_definition_whole_dataframe("all rows"),
            suite=expectations,
        )
    )
    result_format: dict[str, Any] = {"result_format": "SUMMARY"}
    if "image_id" in suite.frame:
        result_format["unexpected_index_column_names"] = ["image_id"]
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=suite.name, validation_definitions=[definition], result_format=result_format
        )
    )
    # The frame is a parameter of the run, so every suite needs a checkpoint of its own.
    outcome = checkpoint.run({"dataframe": suite.frame}, run_id=RunIdentifier("validate"))
    results = [result for run in outcome.run_results.values() for result in run.results]
    return sorted(f"{suite.name}: {_failure(item)}" for item in results if not item.success)


def _failure(item: Any) -> str:
    """Say which expectation failed, what was found and what it needs."""
    config = item.expectation_config
    name = f"{config.type}({config.kwargs.get('column', '')})"
    if not item.result:
        # The library met an error, such as a column that is not there; the site shows it.
        return f"{name} could not be checked"
    needs = _NEEDS.get(config.type) or _bounds(config.kwargs)
    return f"{name} found {_found(item.result)}, needs {needs}"


def _found(result: Mapping[str, Any]) -> str:
    """Tell the values that failed, in how many rows, and in which images."""
    if "details" in result:
        mismatched = result["details"]["mismatched"]
        return ", ".join(f"{kind} {', '.join(names)}" for kind, names in mismatched.items())
    if "observed_value" in result:
        return _text(result["observed_value"])
    values = _examples(result["partial_unexpected_list"])
    if "unexpected_index_column_names" not in result:
        return values
    ids = _examples([row["image_id"] for row in result["partial_unexpected_index_list"]])
    rows = f"{result['unexpected_count']} of {result['element_count']} rows"
    return f"{values} in {rows} (image_id {ids})"


def _bounds(kwargs: Mapping[str, Any]) -> str:
    """Tell the values that an expectation lets pass."""
    if "type_" in kwargs:
        return str(kwargs["type_"])
    allowed = kwargs.get("value_set") or kwargs.get("type_list")
    if allowed:
        return " or ".join(_text(value) for value in allowed)
    bounds = []
    if kwargs.get("min_value") is not None:
        bounds.append(f"{'>' if kwargs.get('strict_min') else '>='} {kwargs['min_value']:.4g}")
    if kwargs.get("max_value") is not None:
        bounds.append(f"<= {kwargs['max_value']:.4g}")
    return " and ".join(bounds)


def _examples(values: Sequence[Any]) -> str:
    """Tell the first few different values."""
    return ", ".join([*dict.fromkeys(_text(value) for value in values)][:_EXAMPLES])


def _text(value: Any) -> str:
    if pd.isna(value):
        return "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
