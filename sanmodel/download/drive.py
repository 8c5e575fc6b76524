"""One file from Google Drive, through gdown."""

from pathlib import Path

import gdown
import requests

from sanmodel.download.transfer import Patience, TransferError
from sanmodel.observer import Observer


def page(drive_id: str) -> str:
    """Return where a person finds the file with a browser."""
    return f"https://drive.google.com/file/d/{drive_id}/view"


def fetch(drive_id: str, target: Path, patience: Patience, observer: Observer) -> None:
    """Download a public file of Google Drive to ``target``.

    gdown keeps what has come in a file beside and goes on from there the next time.

    Raises:
        TransferError: If Google Drive does not give the file out (its quota of downloads is used
            up, say), or cannot be reached for so long that patience runs out.
    """
    while True:
        before = _size(_partials(target))
        try:
            _download(drive_id, target, patience, observer)
            return
        except gdown.FileURLRetrievalError as error:
            raise TransferError(
                "Google Drive does not give it out now (too many downloads or no access)"
            ) from error
        except (gdown.DownloadError, requests.RequestException) as error:
            if "byte range" in str(error):  # it cannot go on from there: begin again
                for partial in _partials(target):
                    partial.unlink()
            elif _size(_partials(target)) <= before:
                raise TransferError(f"Google Drive failed ({_in_short(error)})") from error


def _download(drive_id: str, target: Path, patience: Patience, observer: Observer) -> None:
    seen: int | None = None

    def told(done: int, total: int | None) -> None:
        nonlocal seen
        if seen is None:
            observer.start(f"download {target.stem}", total or 0, done)
        else:
            observer.advance(done - seen)
        seen = done

    gdown.download(
        id=drive_id,
        output=str(target),
        quiet=True,
        use_cookies=False,
        resume=True,
        progress=told,
        timeout=(patience.connect, patience.silence),
        retries=patience.tries - 1,
    )


def _partials(target: Path) -> list[Path]:
    """Return where gdown keeps what has come: the name, eight letters, ``.part``."""
    return list(target.parent.glob(f"{target.name}????????.part"))


def _size(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _in_short(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error.__cause__ or error, requests.Timeout):
        return "no answer in time"
    return "the connection was cut or refused"
