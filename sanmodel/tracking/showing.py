"""What the registry tells about its versions."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities.model_registry import ModelVersion
from rich.console import Console
from rich.table import Table

from sanmodel.errors import SanError
from sanmodel.tracking.evidence import collect
from sanmodel.tracking.gate import DECISION, JUDGED, REASONS
from sanmodel.tracking.shelf import open_shelf
from sanmodel.tracking.source import COMMIT_TAG, DIRTY_TAG

_ERROR = re.compile(r"classifiers\.[^.]+\.OP\.error_rate")
_RATE = re.compile(r"matchers\.[^.]+\.OP\.tmr_at_fmr_(0\.\d+)")
"""Tags of a version with the first classifier's and matchers' figures of X'_OP."""


def show_versions(root: Path, console: Console) -> None:
    """Print a table of all versions, the newest first.

    Args:
        root: The folder that holds ``params.yaml``.
        console: Where to.

    Raises:
        SanError: If there is none, or MLflow refuses or cannot be reached.
    """
    with open_shelf(root) as shelf:
        versions = shelf.versions()
        if not versions:
            raise SanError(f"{shelf.name} has no version yet: run san register")
        aliases = shelf.aliases()
    table = Table("version", "alias", "code", "error OP", "true matches OP", "the gate said")
    for version in versions:
        number = str(version.version)
        told = " ".join(version.tags.get(tag, "") for tag in (DECISION, JUDGED))
        figures = _figure(version.tags, _ERROR), _figure(version.tags, _RATE)
        table.add_row(
            number, ", ".join(aliases.get(number, [])), _code(version), *figures, told.strip()
        )
    console.print(table)


def show_version(root: Path, which: str, console: Console) -> None:
    """Print a version's card and whether its files are what the pipeline left.

    Args:
        root: The folder that holds ``params.yaml``.
        which: Number or alias of the version.
        console: Where to.

    Raises:
        SanError: If there is no such version, or MLflow refuses or cannot be reached.
    """
    with open_shelf(root) as shelf, TemporaryDirectory() as folder:
        version = shelf.version(which)
        alias = ", ".join(shelf.aliases().get(str(version.version), ["no alias"]))
        problems = collect(shelf.client, version, Path(folder)).problems
    console.print(f"{version.name}, version {version.version} ({alias}), code {_code(version)}")
    console.print(version.description or f"not judged yet: san registry gate {version.version}")
    if version.tags.get(REASONS):
        console.print(f"the gate: {version.tags[REASONS]}")
    for problem in problems:
        console.print(f"problem: {problem}")
    if not problems:
        console.print("every file has the checksum that it was registered with")


def _code(version: ModelVersion) -> str:
    commit = version.tags.get(COMMIT_TAG, "no commit")
    return commit[:8] + (", changed" if version.tags.get(DIRTY_TAG) == "true" else "")


def _figure(tags: Mapping[str, str], pattern: re.Pattern[str]) -> str:
    """Return the first tag that fits as a percentage; of true match rates that at the highest."""
    matches = [match for key in tags if (match := pattern.fullmatch(key))]
    found = [(match[match.lastindex or 0], tags[match[0]]) for match in matches]
    return f"{float(max(found)[1]):.1%}" if found else ""
