"""gdown itself, against a server that stands in for Google Drive."""

import random
from pathlib import Path

import pytest
from file_server import Files

from sanmodel.download.drive import fetch
from sanmodel.download.transfer import Patience, TransferError
from sanmodel.observer import SILENT

CONTENT = random.Random(1).randbytes(1_500_000)
ID = "0B7EVK8r0v71pZjFTYXZWM3FlRnM"


def test_a_large_file_comes_through_the_page_that_asks_to_go_on(
    drive_files: Files, part: Path, patience: Patience
):
    drive_files.content[ID] = CONTENT
    fetch(ID, part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert list(part.parent.iterdir()) == [part]
    assert drive_files.asked == [(ID, ""), (ID, "")]


def test_a_cut_download_goes_on(drive_files: Files, part: Path, patience: Patience):
    drive_files.content[ID] = CONTENT
    drive_files.cuts[ID] = [700_000]
    fetch(ID, part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert any(asked.startswith("bytes=") for _, asked in drive_files.asked)


def test_a_download_goes_on_in_the_next_run(drive_files: Files, part: Path, patience: Patience):
    drive_files.content[ID] = CONTENT
    drive_files.cuts[ID] = [700_000, *[0] * 5]
    with pytest.raises(TransferError, match="Google Drive failed"):
        fetch(ID, part, Patience(2, 0.01, 2, 2), SILENT)
    assert not part.exists()
    drive_files.asked.clear()
    drive_files.cuts.clear()
    fetch(ID, part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert any(asked.startswith("bytes=") for _, asked in drive_files.asked)


def test_it_begins_again_where_the_server_cannot_go_on(
    drive_files: Files, part: Path, patience: Patience
):
    drive_files.content[ID], drive_files.ranges = CONTENT, False
    drive_files.cuts[ID] = [700_000]
    fetch(ID, part, patience, SILENT)
    assert part.read_bytes() == CONTENT
    assert list(part.parent.iterdir()) == [part]


def test_a_used_up_quota_is_told(drive_files: Files, part: Path, patience: Patience):
    drive_files.content[ID], drive_files.quota = CONTENT, {ID}
    with pytest.raises(TransferError, match="does not give it out now .too many downloads"):
        fetch(ID, part, patience, SILENT)
    with pytest.raises(TransferError, match="Google Drive"):
        fetch("an-id-that-is-not-there", part, patience, SILENT)
    assert not list(part.parent.iterdir())
