"""The files of a source in their places: found there, downloaded, or asked for."""

from collections.abc import Sequence
from pathlib import Path

from sanmodel.download import drive, transfer
from sanmodel.download.extract import extract
from sanmodel.download.transfer import NotThereError, Patience, TransferError
from sanmodel.download.verify import described, fault
from sanmodel.errors import SanError
from sanmodel.observer import Observer
from sanmodel.sources import Archive, Item, SourceFile


class Place:
    """A source's folder and how its files get there.

    Args:
        folder: The folder.
        mirror: Base URL that has the files under their names; empty asks their makers' servers.
        patience: How long a download is tried.
        observer: Hears of the progress.
    """

    def __init__(self, folder: Path, mirror: str, patience: Patience, observer: Observer) -> None:
        self._folder, self._mirror = folder, mirror.rstrip("/")
        self._patience, self._observer = patience, observer

    def ask_for_missing(self, items: Sequence[Item]) -> None:
        """Check that all files are there that only a person can get.

        Raises:
            SanError: If one is not; the message says for each of which size it goes where.
        """
        missing = [
            file
            for file in _needed(items, self._folder)
            if not (self._mirror or file.drive_id or file.urls) and not self._there(file)
        ]
        if missing:
            raise SanError(
                "these files are not to be had without a person: "
                + "; ".join(self._request(file) for file in missing)
            )

    def put(self, item: Item) -> None:
        """Put a file or the content of an archive in place; one that is there is only checked.

        Raises:
            SanError: If it cannot be had or is not what it should be; the message says which file
                of which size goes where.
        """
        if isinstance(item, SourceFile):
            self._put_file(item)
            return
        into = self._folder / item.into
        if not into.exists():
            parts = [self._put_file(part) for part in item.parts]
            self._observer.note(f"extracting {parts[0].name} to {into}")
            extract(parts, into)
        _count(item, into)

    def _put_file(self, file: SourceFile) -> Path:
        """Return where a file lies after it was found, moved or downloaded, and checked."""
        path = self._folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        stray = self._folder / file.name
        if not path.exists() and stray.is_file() and not fault(stray, file):
            stray.rename(path)
        if not path.exists():
            self._download(file, path)
        wrong = fault(path, file)
        if wrong:
            raise SanError(f"{path} {wrong}: delete it and run the command again")
        return path

    def _download(self, file: SourceFile, path: Path) -> None:
        """Download a file beside, check it and rename it; begin again once if it is wrong."""
        part = path.with_name(f"{path.name}.part")
        begun = any(path.parent.glob(f"{part.name}*"))  # gdown adds letters of its own
        while True:
            self._bring(file, part)
            wrong = fault(part, file)
            if not wrong:
                part.replace(path)
                return
            part.unlink()
            if not begun:
                raise SanError(f"the downloaded {file.name} {wrong}: {self._request(file)}")
            begun = False  # the earlier bytes were at fault, perhaps

    def _bring(self, file: SourceFile, part: Path) -> None:
        """Download from the first place that has the file."""
        troubles = []
        try:
            if file.drive_id and not self._mirror:
                drive.fetch(file.drive_id, part, self._patience, self._observer)
                return
        except TransferError as error:
            troubles.append(str(error))
        for url in self._urls(file):
            try:
                transfer.fetch(url, part, self._patience, self._observer)
                return
            except TransferError as error:
                troubles.append(str(error))
                if self._mirror and not isinstance(error, NotThereError):
                    break  # the same server by another path would fail the same way
        raise SanError(f"{'; '.join(troubles)}: {self._request(file)}")

    def _urls(self, file: SourceFile) -> tuple[str, ...]:
        if not self._mirror:
            return file.urls
        return (f"{self._mirror}/{file.name}", f"{self._mirror}/{file.path}")

    def _there(self, file: SourceFile) -> bool:
        return (self._folder / file.path).is_file() or (self._folder / file.name).is_file()

    def _request(self, file: SourceFile) -> str:
        """Say which file of which size goes where, and where a person finds it."""
        found = file.page or next(iter(file.urls), self._mirror)
        page = drive.page(file.drive_id) if file.drive_id else found
        return f"get {described(file)} from {page} and place it at {self._folder / file.path}"


def _count(archive: Archive, into: Path) -> None:
    if archive.images is None:
        return
    found = sum(1 for path in into.rglob("*.jpg") if path.is_file())
    if found != archive.images:
        raise SanError(
            f"{into} holds {found:,} images, not {archive.images:,}: remove the folder and run"
            " the command again"
        )


def _needed(items: Sequence[Item], folder: Path) -> list[SourceFile]:
    """Return the files of the items, without those of archives that are extracted already."""
    files: list[SourceFile] = []
    for item in items:
        if isinstance(item, SourceFile):
            files.append(item)
        elif not (folder / item.into).exists():
            files.extend(item.parts)
    return files
