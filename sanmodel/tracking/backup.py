"""One file with all that MLflow keeps, database and artifacts; and back again."""

import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, unquote, urlsplit

from sanmodel.errors import SanError
from sanmodel.files import (
    atomic_file,
    atomic_folder,
    full_disk_explained,
    read_json,
    sha256,
    write_json,
)

SQLITE, POSTGRESQL = "sqlite:///", "postgresql"
DATABASES = {"database.sqlite": SQLITE, "database.dump": POSTGRESQL}
"""The database's file in an archive, by its kind what a URI of it begins with."""

ARTIFACTS, CHECKSUMS = "artifacts", "checksums.json"


@dataclass(frozen=True)
class Place:
    """Where MLflow keeps its things.

    Attributes:
        database: URI, ``sqlite:///...`` or ``postgresql...``.
        artifacts: Folder of the artifacts.
    """

    database: str
    artifacts: Path


def back_up(place: Place, archive: Path) -> int:
    """Write database and artifacts to an archive, while the server runs or not.

    The database is first: artifacts that are added meanwhile are in the archive too many, never
    too few.

    Args:
        place: What to keep.
        archive: The ``.tar`` file; an earlier one is replaced when the new one is whole.

    Returns:
        Its size in bytes.

    Raises:
        SanError: If there is no such database, a program is missing or the disk is full.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=archive.parent, prefix=".backup-") as temporary:
        folder = Path(temporary)
        with full_disk_explained(archive):
            _dump(place.database, folder)
            (folder / ARTIFACTS).mkdir()
            if place.artifacts.is_dir():
                shutil.copytree(place.artifacts, folder / ARTIFACTS, dirs_exist_ok=True)
            write_json(folder / CHECKSUMS, _checksums(folder))
        with atomic_file(archive) as partial, _private(partial) as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, arcname=path.name)
    return archive.stat().st_size


def restore(archive: Path, place: Place, force: bool) -> None:
    """Put database and artifacts of an archive in place, while nobody writes.

    Args:
        archive: What :func:`back_up` wrote.
        place: Where to; for SQLite the same as before, since it holds the artifacts' places.
        force: Replace what is there.

    Raises:
        SanError: If the archive is damaged or of another kind of database, something is there
            already, or a program is missing; what is there then stays as it is.
    """
    place.artifacts.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.artifacts.parent, prefix=".restore-") as temporary:
        folder = Path(temporary)
        _extract(archive, folder)
        dump = next(folder / name for name in DATABASES if (folder / name).exists())
        if not place.database.startswith(DATABASES[dump.name]):
            raise SanError(f"{archive} is of a {DATABASES[dump.name]} database: name one such")
        _check_free(place, force)
        with atomic_folder(place.artifacts) as made:
            shutil.copytree(folder / ARTIFACTS, made, dirs_exist_ok=True)
            _load(dump, place.database)


def _private(path: Path) -> tarfile.TarFile:
    """Open an archive to write that nobody but its owner can read, from its first byte on."""
    path.touch(0o600)
    return tarfile.open(path, "w")


def _dump(database: str, folder: Path) -> None:
    if database.startswith(SQLITE):
        path = Path(database.removeprefix(SQLITE))
        if not path.is_file():
            raise SanError(f"{path} is missing: name the database with --database")
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(folder / "database.sqlite")) as copy,
        ):
            source.backup(copy)
        return
    target = folder / "database.dump"
    _run_postgresql("pg_dump", database, ["--format", "custom", "--file", str(target)])


def _load(dump: Path, database: str) -> None:
    if database.startswith(SQLITE):
        with atomic_file(Path(database.removeprefix(SQLITE))) as partial:
            shutil.copyfile(dump, partial)
        return
    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    _run_postgresql("pg_restore", database, [*options, str(dump)])


def _check_free(place: Place, force: bool) -> None:
    taken = [str(place.artifacts)] if _holds_something(place.artifacts) else []
    if place.database.startswith(SQLITE):
        path = Path(place.database.removeprefix(SQLITE))
        taken += [str(path)] if path.exists() else []
    elif _tables(place.database):
        taken.append("the database")
    if taken and not force:
        raise SanError(f"{' and '.join(taken)} would be replaced: add --force if they may")


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _tables(database: str) -> int:
    query = "select count(*) from information_schema.tables where table_schema = 'public'"
    told = _run_postgresql("psql", database, ["--tuples-only", "--no-align", "--command", query])
    return int(told.strip())


def _run_postgresql(program: str, database: str, arguments: Sequence[str]) -> str:
    """Run a program of PostgreSQL; the password goes by the environment, which others do not see.

    Raises:
        SanError: If it is missing or fails.
    """
    parts = urlsplit(database)
    host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
    target = ["--host", host, "--port", str(parts.port or 5432)]
    target += ["--username", unquote(parts.username or ""), "--dbname", parts.path.lstrip("/")]
    environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
    try:
        done = subprocess.run(
            [program, *target, *arguments], env=environment, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise SanError(f"{program} is missing: apt-get install postgresql-client") from error
    if done.returncode != 0:
        raise SanError(
            f"{program} failed ({done.stderr.strip().splitlines()[-1]}): check --database"
        )
    return done.stdout


def _extract(archive: Path, folder: Path) -> None:
    """Extract an archive and compare every file with its checksum.

    Raises:
        SanError: If it is missing or damaged.
    """
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")  # nothing outside of the folder
        whole = read_json(folder / CHECKSUMS) == _checksums(folder)
    except FileNotFoundError as error:
        raise SanError(f"{archive} is missing: name what san backup wrote") from error
    except (tarfile.TarError, OSError, SanError, EOFError) as error:
        raise SanError(f"{archive} is damaged ({error}): take another backup") from error
    if not whole:
        raise SanError(f"{archive} is damaged (checksums differ): take another backup")


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in files
        if path != folder / CHECKSUMS
    }
