"""What tracking remembers in the scratch folder between two commands."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sanmodel.errors import SanError
from sanmodel.files import read_json, sha256, write_json
from sanmodel.paths import Paths
from sanmodel.tracking.location import fingerprint, tracking_uri
from sanmodel.tracking.source import source_tags

Done = Literal["filed", "registered"]
"""What was done with a state."""


@dataclass(frozen=True)
class StageRecord:
    """A stage that ran to its end since the pipeline was last filed.

    Attributes:
        started: When it began, in milliseconds since 1970.
        ended: When it ended, likewise.
        metrics_sha256: SHA-256 of the metrics file that it left: tells its result from others.
        live_run: Run that its losses went to while it trained, if there was one.
        spool: Name of the spool in which that run waits as long as MLflow does not know it.
        store: Fingerprint of the tracking URI that ``live_run`` is a run of.
    """

    started: int
    ended: int
    metrics_sha256: str
    live_run: str | None
    store: str
    spool: str | None = None


def remember_stage(
    paths: Paths,
    stage: str,
    times: tuple[int, int],
    live_run: str | None = None,
    spool: str | None = None,
) -> None:
    """Note that ``stage`` has just left its result."""
    metrics, store = sha256(paths.metrics(stage)), fingerprint(tracking_uri(paths.root))
    record = StageRecord(*times, metrics, live_run, store, spool)
    write_json(_record(paths, stage), asdict(record))


def note_run(paths: Paths, spool: str, run_id: str) -> None:
    """Note which run a spool became, for the stage that left its result meanwhile."""
    for path in _record(paths, "").parent.glob("*.json"):
        content = _read(path)
        if content and content.get("spool") == spool:
            write_json(path, {**content, "live_run": run_id})


def recall_stage(paths: Paths, stage: str) -> StageRecord | None:
    """Return the record of the run that made the result now in the work tree, if it is new."""
    content = _read(_record(paths, stage))
    record = StageRecord(**content) if content else None
    if record is None or record.metrics_sha256 != sha256(paths.metrics(stage)):
        return None
    return record


def forget_stage(paths: Paths, stage: str) -> None:
    """Note that the last run of ``stage`` is filed."""
    _record(paths, stage).unlink(missing_ok=True)


def remember_state(paths: Paths, done: Done, result: str) -> None:
    """Note that the state in ``dvc.lock`` was filed as a run or registered as a version."""
    write_json(_note(paths, done), {"state": _state(paths), "result": result})


def recall_state(paths: Paths, done: Done) -> str | None:
    """Return the run or version that the state in ``dvc.lock`` became, if it did."""
    uri = tracking_uri(paths.root)
    deleted = uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
    content = _read(_note(paths, done))
    if deleted or not content or content["state"] != _state(paths):
        return None
    return str(content["result"])


def _state(paths: Paths) -> str | None:
    """Return a digest of what is filed and where to; None without ``dvc.lock``."""
    if not paths.lock.exists():
        return None
    source = source_tags(paths.root).values()  # code that was committed since is filed again
    return fingerprint(tracking_uri(paths.root), sha256(paths.lock), *source)


def _record(paths: Paths, stage: str) -> Path:
    return paths.scratch / "live" / f"{stage}.json"


def _note(paths: Paths, done: Done) -> Path:
    return paths.scratch / f"{done}.json"


def _read(path: Path) -> dict[str, Any] | None:
    """Read a note; one that is missing or damaged was never made."""
    try:
        content: dict[str, Any] = read_json(path)
    except SanError:
        return None
    return content
