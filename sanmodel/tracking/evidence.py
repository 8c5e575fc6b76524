"""What a registered version is judged by, and whether it is what the pipeline left.

``dvc.lock`` holds a checksum of every file that the pipeline wrote, the version the checksum of
``dvc.lock``. So figures or models that somebody changed afterwards are found out.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError
from sanmodel.files import read_json, sha256
from sanmodel.runtime import load_manifest
from sanmodel.tracking.aliases import ROLLED_BACK
from sanmodel.tracking.evaluations import METRICS, download_metrics
from sanmodel.tracking.lock import outs_of
from sanmodel.tracking.source import DIRTY_TAG
from sanmodel.tracking.store import LOCK_TAG

EXPORT, LOCK = "models/export", "dvc.lock"
EVALUATION = f"reports/{METRICS}"
"""Outputs of the pipeline, as ``dvc.lock`` names them."""

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Evidence:
    """What the registry has of a version.

    Attributes:
        version: The version.
        export: Folder with the model's files; None if they are incomplete or altered.
        metrics: The figures of its own evaluation, see docs/evaluation.md; empty if they are lost.
        outs: What ``dvc.lock`` says of each output: MD5 by path.
        problems: A sentence for everything that keeps it from being trusted.
    """

    version: ModelVersion
    export: Path | None
    metrics: Mapping[str, Any]
    outs: Mapping[str, str]
    problems: list[str]


def collect(client: MlflowClient, version: ModelVersion, folder: Path) -> Evidence:
    """Download what is judged of a version, and check it.

    Args:
        client: Of the registry.
        version: The version.
        folder: Empty folder to download to.
    """
    problems = list(_told(version))
    outs = _checked(problems, lambda: _lock(client, version, folder), {})
    metrics = _checked(problems, lambda: _metrics(client, version, folder, outs), {})
    export = _checked(problems, lambda: download_export(version, folder, outs), None)
    return Evidence(version, export, metrics, outs, problems)


def download_export(version: ModelVersion, folder: Path, outs: Mapping[str, str] = {}) -> Path:
    """Download a version's export folder and compare every file with its checksum.

    Args:
        version: The version.
        folder: Folder to download to.
        outs: MD5 of the outputs of its pipeline by path, if they are known.

    Returns:
        The export folder.

    Raises:
        SanError: If it is missing, incomplete or altered.
    """
    what = f"version {version.version} of {version.name}"
    uri = f"models:/{version.name}/{version.version}/artifacts/export"
    try:
        path = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    except (MlflowException, OSError) as error:
        raise SanError(f"{what} has no export, its upload was cut short: register anew") from error
    try:
        load_manifest(path)
    except SanError as error:
        why = str(error).split(":", maxsplit=1)[0].replace(f"{path}/", "")
        raise SanError(f"{what} is incomplete or altered ({why}): register anew") from error
    if EXPORT in outs and md5_folder(path) != outs[EXPORT]:
        raise SanError(f"the files of {what} are not those that its dvc.lock lists: register anew")
    return path


def md5_folder(folder: Path) -> str:
    """Return the MD5 that DVC gives a folder: of the list of its files' MD5s."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    entries = [
        {"md5": _md5(folder / path), "relpath": path.as_posix()}
        for path in sorted(files, key=lambda path: path.parts)
    ]
    listing = json.dumps(entries, sort_keys=True).encode()
    return f"{hashlib.md5(listing, usedforsecurity=False).hexdigest()}.dir"


def _told(version: ModelVersion) -> Iterator[str]:
    """Yield what the version itself says against it."""
    what = f"version {version.version} of {version.name}"
    if version.tags.get(DIRTY_TAG, "true") == "true":
        yield (
            f"{what} was made by code that no commit holds: commit, run `dvc repro` and register"
            " again"
        )
    if ROLLED_BACK in version.tags:
        yield f"{what} was rolled back ({version.tags[ROLLED_BACK]}): register a better one"


def _lock(client: MlflowClient, version: ModelVersion, folder: Path) -> Mapping[str, str]:
    """Return what the version's ``dvc.lock`` says of the outputs.

    Raises:
        SanError: If it is lost or altered.
    """
    what = f"the dvc.lock of version {version.version} of {version.name}"
    try:
        path = Path(client.download_artifacts(str(version.run_id), LOCK, str(folder)))
    except (MlflowException, OSError) as error:
        raise SanError(f"{what} is missing in its run: register anew") from error
    if sha256(path) != version.tags.get(LOCK_TAG):
        raise SanError(f"{what} was altered (its SHA-256 differs): register anew")
    return outs_of(path)


def _metrics(
    client: MlflowClient, version: ModelVersion, folder: Path, outs: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return the figures of the version's own evaluation.

    Raises:
        SanError: If they are lost or altered.
    """
    what = f"the figures of version {version.version} of {version.name}"
    try:
        path = download_metrics(client, str(version.run_id), folder)
    except (MlflowException, OSError):
        path = None
    if path is None:
        raise SanError(f"{what} ({METRICS}) are missing in its run: register anew")
    if _md5(path) != outs.get(EVALUATION):
        raise SanError(f"{what} ({METRICS}) were altered: dvc.lock has another MD5 of them")
    metrics: Mapping[str, Any] = read_json(path)
    return metrics


def _checked(problems: list[str], check: Callable[[], T], otherwise: S) -> T | S:
    """Return the result of a check, or note what it found."""
    try:
        return check()
    except SanError as error:
        problems.append(str(error))
        return otherwise


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
