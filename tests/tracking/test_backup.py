"""What was backed up comes back whole: from SQLite, and from a server on PostgreSQL."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import mlflow
import numpy as np
import pytest
import yaml
from mlflow import MlflowClient
from small import PROJECT

from sanmodel.errors import SanError
from sanmodel.tracking import register, tracking_uri
from sanmodel.tracking.backup import Place, back_up, restore
from sanmodel.tracking.location import kept_at

needs_postgresql = pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    reason="PostgreSQL is missing: apt-get install postgresql",
)
PASSWORD = "correct-horse-battery-staple"


def perturbs() -> bool:
    """Tell whether the registered model of the tiny project does what it did."""
    model = mlflow.pyfunc.load_model("models:/san-young@challenger")
    faces = {"image": np.full((1, 224, 224), 51, np.uint8), "attribute": np.array([1])}
    return bool((model.predict(faces) == 204).all())


def test_a_work_tree_gets_its_runs_back(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(project)
    place, archive = Place(*kept_at(project, "", None)), tmp_path / "backups/mlflow.tar"
    assert back_up(place, archive) == archive.stat().st_size
    assert archive.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SanError, match="artifacts and .*mlflow.db would be replaced: add --force"):
        restore(archive, place, force=False)
    shutil.rmtree(project / "mlflow")
    restore(archive, place, force=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(project))
    assert perturbs()
    register(project)  # and it goes on from there


def test_a_damaged_archive_changes_nothing(project: Path, tmp_path: Path) -> None:
    register(project)
    place, archive = Place(*kept_at(project, "", None)), tmp_path / "mlflow.tar"
    back_up(place, archive)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    before = (project / "mlflow/mlflow.db").read_bytes()
    with pytest.raises(SanError, match=r"mlflow\.tar is damaged"):
        restore(archive, place, force=True)
    archive.write_bytes(content[:1000])
    with pytest.raises(SanError, match=r"mlflow\.tar is damaged"):
        restore(archive, place, force=True)
    assert (project / "mlflow/mlflow.db").read_bytes() == before
    with pytest.raises(SanError, match=r"none\.tar is missing"):
        restore(tmp_path / "none.tar", place, force=True)
    with pytest.raises(SanError, match="name the database with --database"):
        back_up(Place(f"sqlite:///{tmp_path}/none.db", tmp_path), archive)


def test_an_archive_of_another_database_is_refused(project: Path, tmp_path: Path) -> None:
    register(project)
    place, archive = Place(*kept_at(project, "", None)), tmp_path / "mlflow.tar"
    back_up(place, archive)
    with pytest.raises(SanError, match="is of a sqlite:/// database: name one such"):
        restore(archive, Place("postgresql://localhost/mlflow", place.artifacts), force=True)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Path]]:
    """The server of mlflow/serve.sh, and the folder that it keeps."""
    folder = Path(tempfile.mkdtemp(prefix="san-"))  # pytest's are closed to PostgreSQL's user
    folder.chmod(0o711)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "MLFLOW_PORT": port, "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
    environment |= {"MLFLOW_FLASK_SERVER_SECRET_KEY": "0123456789abcdef"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    log = folder / "serve.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [PROJECT / "mlflow/serve.sh", folder / "kept"],
            env=environment,
            stdout=stream,
            stderr=stream,
        )
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
    while True:
        try:
            with urlopen(f"{address}/health", timeout=5):
                break
        except (URLError, OSError):
            assert time.monotonic() < end, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.3)
    yield address, folder / "kept"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()
    shutil.rmtree(folder)


@needs_postgresql
def test_a_server_on_postgresql_asks_for_a_password_and_gets_its_models_back(
    server: tuple[str, Path], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = server
    search = f"{address}/api/2.0/mlflow/experiments/search?max_results=1"
    with pytest.raises(HTTPError, match="401"):
        urlopen(search)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    register(project)
    assert perturbs()
    place = Place((folder / "database-uri").read_text().strip(), folder / "artifacts")
    back_up(place, tmp_path / "mlflow.tar")
    MlflowClient().delete_registered_model("san-young")
    shutil.rmtree(folder / "artifacts")
    with pytest.raises(SanError, match="the database would be replaced: add --force"):
        restore(tmp_path / "mlflow.tar", place, force=False)
    restore(tmp_path / "mlflow.tar", place, force=True)
    assert perturbs()


def test_the_script_says_what_it_needs(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    command = [PROJECT / "mlflow/serve.sh", tmp_path / "kept"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"error: (set MLFLOW_FLASK|PostgreSQL is missing).*\n", done.stderr)


def test_the_compose_file_is_closed_to_the_world_and_pinned() -> None:
    content = yaml.safe_load((PROJECT / "mlflow/compose.yaml").read_text())
    services = content["services"]
    assert [name for name, one in services.items() if one.get("ports")] == ["mlflow"]
    assert services["mlflow"]["ports"] == ["${MLFLOW_HOST:-127.0.0.1}:${MLFLOW_PORT:-5000}:5000"]
    for one in services.values():
        assert re.search(r":\d+\.\d+", one.get("image", "python:3.11")), one
        assert one["healthcheck"]
    text = (PROJECT / "mlflow/compose.yaml").read_text()
    example = (PROJECT / "mlflow/.env.example").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    assert needed == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))  # none has a default
