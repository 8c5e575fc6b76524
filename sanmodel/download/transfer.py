"""One file over HTTP: resumed after a cut, never taken for whole when it is not."""

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import requests
import urllib3

from sanmodel.errors import SanError
from sanmodel.observer import Observer

CHUNK = 1 << 20
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers that may be better the next time."""

_NO_URL = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
)


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes:
        tries: Attempts in a row that bring not a byte, before it is given up.
        wait: Seconds before the second attempt; doubled before each further one.
        connect: Seconds to wait for a connection.
        silence: Seconds to wait for the next byte.
    """

    tries: int = 5
    wait: float = 1.0
    connect: float = 10.0
    silence: float = 60.0


class TransferError(SanError):
    """A download that failed, told in a clause without a mend."""


class NotThereError(TransferError):
    """The server does not have the file."""


def fetch(url: str, part: Path, patience: Patience, observer: Observer) -> None:
    """Download ``url`` to ``part``, going on after the bytes that are there already.

    Raises:
        NotThereError: If the server answers that the file is not there.
        TransferError: If the server refuses, sends a web page, or cannot be reached for so long
            that patience runs out; what has come is kept for the next time.
    """
    failures = 0
    while True:
        before = _size(part)
        try:
            if _attempt(url, part, patience, observer):
                return
            trouble = "the connection was cut"
        except _NO_URL as error:
            raise TransferError(f"{url} is no http(s) address") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            trouble = _in_short(error)
        failures = 0 if _size(part) > before else failures + 1
        if failures >= patience.tries:
            raise TransferError(f"{url} failed {failures} times in a row ({trouble})")
        time.sleep(patience.wait * 2 ** max(failures - 1, 0))


def _attempt(url: str, part: Path, patience: Patience, observer: Observer) -> bool:
    """Ask for the missing bytes once; return whether the file is whole."""
    start = _size(part)
    # A server that compresses on the way would make sizes and ranges meaningless.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    timeout = (patience.connect, patience.silence)
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _all_there(response, part, start)
        _refuse_failure(url, response)
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            start = 0  # the file from its beginning, be it that the server ignores ranges
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.unlink(missing_ok=True)  # some other piece: without one here, none is asked for
            return False
        total = int(response.headers.get("Content-Length", 0)) + start
        observer.start(f"download {part.stem}", total, start)
        with part.open("ab" if start else "wb") as stream:
            # Not iter_content: it loses what has come of the chunk in which a cut falls.
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                stream.write(chunk)
                observer.advance(len(chunk))
    return "Content-Length" not in response.headers or _size(part) == total


def _all_there(response: requests.Response, part: Path, start: int) -> bool:
    """Return whether nothing is missing; else throw away what cannot be continued."""
    told = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    if told and int(told[1]) == start:
        return True
    part.unlink()
    return False


def _refuse_failure(url: str, response: requests.Response) -> None:
    """Raise an error for every answer that is not the file."""
    status = response.status_code
    if status in PASSING:
        response.raise_for_status()
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotThereError(f"{url} is not there (HTTP {status})")
    if not response.ok:
        raise TransferError(f"{url} is refused (HTTP {status})")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise TransferError(f"{url} gives a web page (a sign-in or quota page?), not the file")


def _in_short(error: Exception) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the connection was cut"
    return "the server cannot be reached"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
