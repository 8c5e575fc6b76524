"""A registered model as a folder that runs where only the base of this package is installed."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.tracking.evidence import download_export
from sanmodel.tracking.location import tracking_uri
from sanmodel.tracking.store import ambient, explained, require_store
from sanmodel.tracking.versions import find_version

EXAMPLE = Path(__file__).with_name("example.py")
CARD, PULLED = "card.md", "pulled.json"


def pull(uri: str, folder: Path, root: Path) -> str:
    """Write a version's files, its card and an example to a folder.

    Args:
        uri: ``models:/san-male@champion`` or ``models:/san-male/3``.
        folder: Where to; what an earlier pull left there is replaced when all is there.
        root: Work tree, whose database is asked unless ``MLFLOW_TRACKING_URI`` names a server.

    Returns:
        What was pulled, in a sentence.

    Raises:
        SanError: If there is no such version, its files are incomplete or altered, the folder
            holds something else, or MLflow refuses or cannot be reached.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PULLED).is_file():
        raise SanError(f"{folder} holds something else than a pulled model: name another folder")
    require_store(root)
    with explained(), ambient(tracking_uri(root)), TemporaryDirectory() as temporary:
        version = find_version(MlflowClient(), uri)
        export = download_export(version, Path(temporary))
        with atomic_folder(folder) as made:
            shutil.copytree(export, made, dirs_exist_ok=True)
            shutil.copyfile(EXAMPLE, made / EXAMPLE.name)
            (made / CARD).write_text(_card(version), encoding="utf-8")
            write_json(made / PULLED, {"model": version.name, "version": str(version.version)})
    return f"{folder}: version {version.version} of {version.name}; {folder / CARD} tells about it"


def _card(version: ModelVersion) -> str:
    """Return the card that the gate wrote; of a version that it never saw a line that says so."""
    text = version.description or "No gate has judged this version.\n"
    return f"# {version.name}, version {version.version}\n\n{text}"
