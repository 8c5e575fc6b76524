"""What a registered version was made of, and making it again."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.tracking.figures import flatten
from sanmodel.tracking.location import TRACKING_URI, tracking_uri
from sanmodel.tracking.lock import LockedStage, outs_of, stages_of
from sanmodel.tracking.packages import FILE, changes, installed
from sanmodel.tracking.source import COMMIT_TAG, DIRTY_TAG, git
from sanmodel.tracking.store import LOCK_TAG, ambient, explained, require_store
from sanmodel.tracking.versions import find_version

ONNX_TAG = "san.onnx_sha256"


@dataclass(frozen=True)
class Recipe:
    """What rebuilds a version.

    Attributes:
        name: The version, in words.
        commit: Of the code and settings; nothing if none is known.
        dirty: Whether the code was changed since that commit.
        lock: Content of its ``dvc.lock``.
        stages: What ``dvc.lock`` says.
        packages: What was installed, see :mod:`sanmodel.tracking.packages`; empty if unknown.
        onnx_sha256: Of the exported model.
    """

    name: str
    commit: str
    dirty: bool
    lock: bytes
    stages: list[LockedStage]
    packages: list[str]
    onnx_sha256: str

    @property
    def data(self) -> dict[str, str]:
        """MD5 of what the pipeline read and no stage made, but for its code, by path."""
        made = {path for stage in self.stages for path in stage.outs}
        read = {path: md5 for stage in self.stages for path, md5 in stage.deps.items()}
        outside = {path: md5 for path, md5 in read.items() if path not in made}
        return {path: md5 for path, md5 in outside.items() if not path.startswith("sanmodel/")}

    @property
    def weights(self) -> dict[str, str]:
        """MD5 of every file of weights that the pipeline left, by path."""
        outs = {path: md5 for stage in self.stages for path, md5 in stage.outs.items()}
        return {path: md5 for path, md5 in outs.items() if path.endswith(".safetensors")}

    def lines(self) -> Iterator[str]:
        """Yield all of it for a reader."""
        yield f"{self.name} was made of"
        yield f"commit {self.commit or 'unknown'}{' with changes' if self.dirty else ''}"
        params = {key: value for stage in self.stages for key, value in stage.params.items()}
        yield from (f"parameter {name} = {value}" for name, value in flatten(params).items())
        yield from (f"data {path}, MD5 {md5}" for path, md5 in self.data.items())
        yield from (f"package {line}" for line in self.packages)
        yield from (f"gave {path}, MD5 {md5}" for path, md5 in self.weights.items())


def recipe_of(uri: str, root: Path) -> Recipe:
    """Return what rebuilds a version.

    Args:
        uri: ``models:/san-male@champion`` or ``models:/san-male/3``.
        root: Work tree, whose database is asked unless ``MLFLOW_TRACKING_URI`` names a server.

    Raises:
        SanError: If there is no such version, its record is incomplete or altered, or MLflow
            refuses or cannot be reached.
    """
    require_store(root)
    with explained(), ambient(tracking_uri(root)), TemporaryDirectory() as folder:
        client = MlflowClient()
        version = find_version(client, uri)
        lock = _artifact(client, version, "dvc.lock", Path(folder))
        if lock is None or sha256(lock) != version.tags.get(LOCK_TAG):
            raise SanError(f"the dvc.lock of {uri} is missing or altered: take another version")
        packages = _artifact(client, version, FILE, Path(folder))
        return Recipe(
            name=f"{version.name}, version {version.version},",
            commit=version.tags.get(COMMIT_TAG, ""),
            dirty=version.tags.get(DIRTY_TAG) != "false",
            lock=lock.read_bytes(),
            stages=stages_of(lock),
            packages=packages.read_text(encoding="utf-8").splitlines() if packages else [],
            onnx_sha256=version.tags.get(ONNX_TAG, ""),
        )


def rebuild(recipe: Recipe, root: Path, folder: Path, observer: Observer) -> str:
    """Make a version again from its commit, every stage anew, in a folder of its own.

    Args:
        recipe: Of the version.
        root: Repository with the commit, and with the data that git does not hold.
        folder: Where to; must not be there yet.
        observer: Hears which packages differ.

    Returns:
        That the weights are the same.

    Raises:
        SanError: If no commit holds the code, the folder is taken, the data are others or
            missing, a stage fails, or the weights differ; what was made stays for a look.
    """
    _checkout(recipe, root, folder)
    if not recipe.packages:
        observer.note("which packages it was made with is not known")
    for change in changes(recipe.packages, installed()) if recipe.packages else ():
        observer.note(f"another package than then: {change}")
    _provide_data(recipe, root, folder)
    _repro(folder)
    found = outs_of(folder / "dvc.lock")
    other = [path for path, md5 in recipe.weights.items() if found.get(path) != md5]
    onnx = Paths(folder).export / "san.onnx"
    if not onnx.is_file() or sha256(onnx) != recipe.onnx_sha256:
        other.append("the ONNX file")
    if other:
        raise SanError(
            f"{folder} was rebuilt, but {', '.join(other)} came out otherwise: weights repeat on"
            " one machine with the same packages (docs/training.md)"
        )
    return (
        f"{folder}: {recipe.name} made again, the same weights in all {len(recipe.weights)} files"
    )


def _artifact(client: MlflowClient, version: ModelVersion, name: str, folder: Path) -> Path | None:
    try:
        return Path(client.download_artifacts(str(version.run_id), name, str(folder)))
    except (MlflowException, OSError):
        return None


def _checkout(recipe: Recipe, root: Path, folder: Path) -> None:
    """Clone the repository at the commit, with the version's own ``dvc.lock``."""
    if recipe.dirty or not recipe.commit:
        raise SanError(
            f"{recipe.name} was made by code that no commit holds: it cannot be made again"
        )
    if not git(root, "cat-file", "-t", recipe.commit):
        raise SanError(f"{root} has no commit {recipe.commit}: fetch it with git first")
    if folder.exists():
        raise SanError(f"{folder} is there already: name another folder with --to")
    for command in (
        ["git", "clone", "--quiet", "--no-checkout", str(root), str(folder)],
        ["git", "-C", str(folder), "checkout", "--quiet", "--detach", recipe.commit],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SanError(f"git failed ({done.stderr.strip()}): is {root} the whole repository?")
    (folder / "dvc.lock").write_bytes(recipe.lock)


def _provide_data(recipe: Recipe, root: Path, folder: Path) -> None:
    """Lead to the data that git does not hold."""
    for path in recipe.data:
        here, there = folder / path, root / path
        if here.exists() or Path(path).is_absolute():
            continue
        if not there.exists():
            raise SanError(f"{there} is missing, from which {recipe.name} was made: put it there")
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(there.resolve())


def _repro(folder: Path) -> None:
    """Run every stage by the commit's own code; its trainings show in a database of its own."""
    environment: Mapping[str, str] = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(folder.resolve()),
        "DVC_NO_ANALYTICS": "1",
        TRACKING_URI: f"sqlite:///{folder.resolve()}/mlflow/mlflow.db",
    }
    (folder / "mlflow").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "dvc", "repro", "--force"]
    if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
        raise SanError(f"the pipeline failed in {folder}: its last words are above")
