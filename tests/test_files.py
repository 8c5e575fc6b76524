import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.files import (
    atomic_file,
    atomic_folder,
    read_json,
    sha256_folder,
    write_json,
    writing_nothing,
)


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_one_of_several_processes_writes_nothing(tmp_path: Path):
    write_json(tmp_path / "out.json", "first")
    with writing_nothing():
        write_json(tmp_path / "out.json", "second")
        write_json(tmp_path / "new/out.json", "second")
    assert read_json(tmp_path / "out.json") == "first"
    assert os.listdir(tmp_path) == ["out.json"]
    write_json(tmp_path / "out.json", "third")
    assert read_json(tmp_path / "out.json") == "third"


def test_an_error_leaves_the_earlier_folder_and_nothing_else(tmp_path: Path):
    with atomic_folder(tmp_path / "out") as partial:
        (partial / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out") as partial:
        (partial / "b").write_text("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["out"]
    assert os.listdir(tmp_path / "out") == ["a"]


def test_a_folder_is_replaced_whole(tmp_path: Path):
    for name in ("a", "b"):
        with atomic_folder(tmp_path / "out") as partial:
            (partial / name).touch()
    assert os.listdir(tmp_path / "out") == ["b"]


def test_what_a_killed_process_left_is_cleared_or_put_back(tmp_path: Path):
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old/a").write_text("old")
    (tmp_path / ".out.partial").mkdir()
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out"):
        raise RuntimeError
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out/a").read_text() == "old"


FILL_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from sanmodel.files import atomic_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with atomic_file(Path(sys.argv[1])) as partial:
    partial.write_bytes(b"x" * 5000)
"""


def test_a_write_that_the_system_refuses_keeps_the_earlier_file(tmp_path: Path):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", FILL_THE_DISK, str(path)], check=False)
    assert run.returncode != 0
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.bin"]


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(SanError, match="the disk is full"), atomic_file(tmp_path / "out") as _:
        with full.open("w") as stream:
            stream.write("x")
            stream.flush()
    assert os.listdir(tmp_path) == []


def test_other_system_errors_are_not_disguised(tmp_path: Path):
    with pytest.raises(PermissionError), atomic_file(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "no")


def test_json_round_trip_and_bad_json(tmp_path: Path):
    write_json(tmp_path / "a.json", {"b": 1.5, "a": None})
    assert read_json(tmp_path / "a.json") == {"a": None, "b": 1.5}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(SanError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(SanError, match=r"b\.json is missing"):
        read_json(tmp_path / "b.json")


def test_a_folders_digest_sees_names_and_contents(tmp_path: Path):
    digests = []
    for name, text in (("a", "1"), ("b", "1"), ("b", "2")):
        with atomic_folder(tmp_path / "out") as partial:
            (partial / name).write_text(text)
        digests.append(sha256_folder(tmp_path / "out"))
    assert len(set(digests)) == 3
