"""One file over HTTP from a server that cuts, refuses, is silent or sends something else."""

import random
import socket
from pathlib import Path

import pytest
from file_server import QUOTA_PAGE, Files

from sanmodel.download.transfer import NotThereError, Patience, TransferError, fetch
from sanmodel.observer import SILENT, Observer

CONTENT = random.Random(0).randbytes(300_000)


class Counter(Observer):
    total = done = 0

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.total, self.done = total, done

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def test_a_file_arrives_whole_and_its_bytes_are_counted(
    server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"] = CONTENT
    counter = Counter()
    fetch(f"{server}/photos.zip", part, patience, counter)
    assert part.read_bytes() == CONTENT
    assert (counter.done, counter.total) == (len(CONTENT), len(CONTENT))


def test_a_cut_download_goes_on_where_it_was_cut(
    server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"] = CONTENT
    files.cuts["/photos.zip"] = [100_000, 50_000]
    fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert [asked for _, asked in files.asked] == ["", "bytes=100000-", "bytes=150000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(
    server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"], files.ranges = CONTENT, False
    files.cuts["/photos.zip"] = [100_000, 150_000]
    fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert len(files.asked) == 3


@pytest.mark.parametrize("left", [CONTENT[:1234], CONTENT, CONTENT + b"of another file"])
def test_what_an_earlier_run_left_is_continued_or_thrown_away(
    left: bytes, server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"] = CONTENT
    part.write_bytes(left)
    fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert files.asked[0] == ("/photos.zip", f"bytes={len(left)}-")


def test_a_piece_that_was_not_asked_for_is_not_pasted_in(
    server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"], files.shift = CONTENT, 1000
    files.cuts["/photos.zip"] = [100_000]
    fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server: str, files: Files, part: Path, patience: Patience):
    files.content["/photos.zip"] = CONTENT
    files.statuses["/photos.zip"] = [503, 429]
    fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT


def test_patience_ends_and_keeps_what_has_come(
    server: str, files: Files, part: Path, patience: Patience
):
    files.content["/photos.zip"] = CONTENT
    files.cuts["/photos.zip"] = [1000, 0, 0, 0]
    with pytest.raises(TransferError, match=r"failed 3 times in a row \(the connection was cut\)"):
        fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT[:1000]
    files.statuses["/photos.zip"] = [500, 500, 500]
    with pytest.raises(TransferError, match=r"failed 3 times in a row \(HTTP 500\)"):
        fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert part.read_bytes() == CONTENT[:1000]


def test_what_is_not_there_or_refused_is_not_asked_again(
    server: str, files: Files, part: Path, patience: Patience
):
    with pytest.raises(NotThereError, match=r"photos\.zip is not there \(HTTP 404\)"):
        fetch(f"{server}/photos.zip", part, patience, SILENT)
    files.statuses["/photos.zip"] = [403]
    with pytest.raises(TransferError, match=r"photos\.zip is refused \(HTTP 403\)"):
        fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert len(files.asked) == 2
    assert not part.exists()


def test_a_web_page_is_not_the_file(server: str, files: Files, part: Path, patience: Patience):
    files.content["/photos.zip"] = QUOTA_PAGE
    files.kinds["/photos.zip"] = "text/html; charset=utf-8"
    with pytest.raises(TransferError, match="gives a web page"):
        fetch(f"{server}/photos.zip", part, patience, SILENT)
    assert not part.exists()


def test_a_silent_server_is_left(server: str, files: Files, part: Path):
    files.content["/photos.zip"], files.delay = CONTENT, 0.4
    with pytest.raises(TransferError, match="no answer in time"):
        fetch(f"{server}/photos.zip", part, Patience(2, 0.01, 1, 0.1), SILENT)


def test_no_server_and_no_address_are_told(part: Path, patience: Patience):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransferError, match="the server cannot be reached"):
        fetch(f"http://127.0.0.1:{port}/photos.zip", part, patience, SILENT)
    for address in ("photos.zip", "file:///photos.zip", "http://"):
        with pytest.raises(TransferError, match=r"is no http\(s\) address"):
            fetch(address, part, patience, SILENT)
