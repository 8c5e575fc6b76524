"""What DVC knows: the stages of ``dvc.yaml`` and the state in ``dvc.lock``."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sanmodel.errors import SanError
from sanmodel.paths import Paths


@dataclass(frozen=True)
class LockedStage:
    """One stage of ``dvc.lock``.

    Attributes:
        name: Its name.
        command: What DVC ran.
        params: Sections of ``params.yaml`` and other files of settings that it read.
        deps: MD5 of each file or folder that it read, by path relative to the work tree.
        outs: MD5 of each file or folder that it wrote, likewise.
    """

    name: str
    command: str
    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


def stage_names(root: Path) -> list[str]:
    """Return the stages in the order of ``dvc.yaml``.

    A stage that is there for each entry of a section of ``params.yaml`` has a name for each.

    Raises:
        SanError: If ``dvc.yaml`` is missing or malformed.
    """
    names: list[str] = []
    for name, stage in _stages(root / "dvc.yaml").items():
        each = _each(stage) if isinstance(stage, dict) else None
        names += [f"{name}@{key}" for key in _section(root, each)] if each else [name]
    return names


def read_lock(root: Path) -> list[LockedStage]:
    """Return what the last pipeline run read and wrote, in the order of ``dvc.yaml``.

    Raises:
        SanError: If ``dvc.lock`` is missing, malformed or lacks a stage.
    """
    entries = _stages(Paths(root).lock)
    names = stage_names(root)
    missing = [name for name in names if name not in entries]
    if missing:
        raise SanError(f"dvc.lock lacks the stage {', '.join(missing)}: run `dvc repro`")
    return [_parse(name, entries[name]) for name in names]


def stages_of(lock: Path) -> list[LockedStage]:
    """Return the stages of any ``dvc.lock``, in its order.

    Raises:
        SanError: If the file is missing or malformed.
    """
    return [_parse(name, entry) for name, entry in _stages(lock).items()]


def outs_of(lock: Path) -> dict[str, str]:
    """Return the MD5 of every output that a ``dvc.lock`` lists, by path.

    Raises:
        SanError: If the file is missing or malformed.
    """
    return {path: md5 for stage in stages_of(lock) for path, md5 in stage.outs.items()}


def check_current(root: Path) -> None:
    """Check that the work tree is the state in ``dvc.lock``, so that what is filed is true.

    Raises:
        SanError: If a file, a parameter or a command has changed since ``dvc repro``.
    """
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "status", "--json"]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        raise SanError(f"`dvc status` failed ({reason}): run the command where dvc.yaml lies")
    changed = json.loads(done.stdout)
    if changed:
        raise SanError(
            f"the work tree is not the state in dvc.lock (stage {', '.join(sorted(changed))}):"
            " run `dvc repro` first"
        )


def _each(stage: dict[str, Any]) -> str | None:
    """Return the section of ``params.yaml``, as "${section}", that a stage is repeated for."""
    (over,) = [*stage.get("matrix", {}).values()] or [stage.get("foreach")]
    each: str | None = over
    return each


def _section(root: Path, reference: str) -> Iterable[Any]:
    """Return the keys of the section of ``params.yaml`` that "${section}" in ``dvc.yaml`` means."""
    content = yaml.safe_load(Paths(root).params.read_text(encoding="utf-8")) or {}
    section: Iterable[Any] = content.get(reference.removeprefix("${").removesuffix("}"), {})
    return section


def _stages(path: Path) -> dict[str, Any]:
    try:
        stages: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: run `dvc repro` where dvc.yaml lies") from error
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise SanError(f"{path} lists no stages: restore it from git") from error
    return stages


def _parse(name: str, entry: dict[str, Any]) -> LockedStage:
    files = {
        kind: {item["path"]: item.get("md5", "") for item in entry.get(kind, [])}
        for kind in ("deps", "outs")
    }
    params = {
        key: value for file in entry.get("params", {}).values() for key, value in file.items()
    }
    return LockedStage(name, entry["cmd"], params, files["deps"], files["outs"])
