"""Where the runs go, found out without importing MLflow."""

import hashlib
import os
import re
from pathlib import Path

from sanmodel.settings import Settings

TRACKING_URI = "MLFLOW_TRACKING_URI"
PIPELINE_RUN = "SAN_PIPELINE_RUN"
"""Environment variable with the run that the stages and the filing belong to, if one is open."""

QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # MLflow's own 7 retries keep a command waiting for minutes when no server is there.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def keep_quiet() -> None:
    """Set MLflow's environment before it is imported, where the user has not."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def tracking_uri(root: Path) -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite database of the work tree."""
    return os.environ.get(TRACKING_URI) or f"sqlite:///{_folder(root) / 'mlflow.db'}"


def artifact_location(root: Path) -> str | None:
    """Return where a database store keeps artifacts; None if a server decides that itself."""
    if not tracking_uri(root).startswith("sqlite:"):
        return None
    return (_folder(root) / "artifacts").as_uri()


def kept_at(root: Path, database: str, artifacts: Path | None) -> tuple[str, Path]:
    """Return MLflow's database and the folder of its artifacts, the work tree's by default."""
    folder = _folder(root)
    return database or f"sqlite:///{folder / 'mlflow.db'}", artifacts or folder / "artifacts"


def experiment_name(settings: Settings) -> str:
    """Return the name of the experiment and of the registered model."""
    return f"san-{settings.attribute.lower()}"


def fingerprint(*texts: str) -> str:
    """Return a digest of ``texts``; a tracking URI may hold a password, so it is kept as this."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def without_password(text: str) -> str:
    """Return ``text`` with the name and password cut out of each URI."""
    return re.sub(r"://[^/@\s]*@", "://", text)


def reason(error: Exception) -> str:
    """Return the first line of an error of MLflow, without passwords."""
    return without_password((str(error) or type(error).__name__).splitlines()[0])[:300]


def _folder(root: Path) -> Path:
    return root.resolve() / "mlflow"
