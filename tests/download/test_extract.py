"""Archives of every kind: sound ones, damaged ones, and those that mean harm."""

import io
import os
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import py7zr
import pytest
from py7zr.properties import FILTER_LZMA2
from py7zr.py7zr import FILE_ATTRIBUTE_UNIX_EXTENSION

from sanmodel.download.extract import Limits, extract
from sanmodel.errors import SanError

PHOTO = random.Random(2).randbytes(5000)
Members = dict[str, bytes]
USUAL = Limits()


def make_zip(path: Path, members: Members, link: str = "") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
        if link:
            info = zipfile.ZipInfo("link")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, link)


def make_tar(path: Path, members: Members, link: str = "") -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)


def make_7z(path: Path, members: Members, link: str = "") -> None:
    with py7zr.SevenZipFile(path, "w", filters=[{"id": FILTER_LZMA2, "preset": 1}]) as archive:
        for name, content in members.items():
            archive._writestr(content, name)  # the public method refuses bad names
        if link:
            archive._writestr(link.encode(), "link")
            mode = (stat.S_IFLNK | 0o777) << 16
            archive.header.files_info.files[-1]["attributes"] = mode | FILE_ATTRIBUTE_UNIX_EXTENSION


KINDS = {"zip": make_zip, "tar.gz": make_tar, "7z": make_7z}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Make an archive of one kind."""

    def made(members: Members, link: str = "") -> Path:
        path = tmp_path / f"in/photos.{request.param}"
        path.parent.mkdir(exist_ok=True)
        KINDS[request.param](path, members, link)
        return path

    return made


def found(folder: Path) -> Members:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(path: Path, into: Path, words: str, limits: Limits = USUAL) -> None:
    before = found(into.parent)
    with pytest.raises(SanError, match=words) as caught:
        extract([path], into, limits)
    assert str(path) in str(caught.value)
    assert found(into.parent) == before
    assert not into.exists()


def test_the_content_takes_the_place_of_the_outermost_folder(make, tmp_path: Path):
    path = make({"lfw/Ann/Ann_0001.jpg": PHOTO, "lfw/Bob/Bob_0001.jpg": PHOTO[::-1]})
    extract([path], tmp_path / "out/lfw")
    assert found(tmp_path / "out") == {
        "lfw/Ann/Ann_0001.jpg": PHOTO,
        "lfw/Bob/Bob_0001.jpg": PHOTO[::-1],
    }
    assert os.access(tmp_path / "out/lfw/Ann/Ann_0001.jpg", os.R_OK)


def test_no_archive_decides_who_may_do_what(tmp_path: Path):
    path = tmp_path / "photos.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        for number, mode in enumerate((0o4777, 0o000)):
            archive.writestr(PHOTO, f"{number}.jpg")
            attributes = (stat.S_IFREG | mode) << 16 | FILE_ATTRIBUTE_UNIX_EXTENSION
            archive.header.files_info.files[-1]["attributes"] = attributes
    extract([path], tmp_path / "photos")
    for file in (tmp_path / "photos").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_an_archive_without_an_outermost_folder_is_taken_as_it_is(make, tmp_path: Path):
    extract([make({"1.jpg": PHOTO, "2.jpg": PHOTO})], tmp_path / "out/photos")
    assert sorted(found(tmp_path / "out")) == ["photos/1.jpg", "photos/2.jpg"]


def test_volumes_are_one_archive_whatever_lies_beside_them(tmp_path: Path):
    make_7z(tmp_path / "whole.7z", {f"img/{i}.jpg": PHOTO[i:] for i in range(5)})
    content = (tmp_path / "whole.7z").read_bytes()
    volumes = [tmp_path / f"img.7z.{number:03d}" for number in (1, 2, 3)]
    for index, volume in enumerate(volumes):
        volume.write_bytes(content[index * 9000 : (index + 1) * 9000])
    (tmp_path / "img.7z.001.md5").write_text("something else")
    extract(volumes, tmp_path / "img")
    assert found(tmp_path / "img") == {f"{i}.jpg": PHOTO[i:] for i in range(5)}


@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg", "..\\x.jpg"])
def test_no_member_leaves_the_folder(make, name: str, tmp_path: Path):
    path = make({"photos/good.jpg": PHOTO, name: PHOTO})
    refused(path, tmp_path / "out/photos", "leads out of the folder")
    assert not (tmp_path / "evil.jpg").exists()
    assert not Path("/evil.jpg").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "good.jpg"])
def test_links_are_refused_wherever_they_point(make, target: str, tmp_path: Path):
    path = make({"good.jpg": PHOTO}, link=target)
    refused(path, tmp_path / "out/photos", "is a link or a device")


def test_hard_links_and_devices_are_refused(tmp_path: Path):
    for kind in (tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "photos.tar", "w") as archive:
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        refused(tmp_path / "photos.tar", tmp_path / "out/photos", "is a link or a device")


def test_a_bomb_does_not_go_off(make, tmp_path: Path):
    bomb = make({"photos/0.jpg": PHOTO, "photos/1.jpg": bytes(20_000_000)})
    limits = Limits(total_small=1_000_000)
    refused(bomb, tmp_path / "out/photos", "holds more than [0-9],[0-9]{3},[0-9]{3} bytes", limits)
    refused(bomb, tmp_path / "out/photos", "holds more than 9,000 bytes", Limits(total=9000))
    many = make({f"{index}": b"" for index in range(20)})
    refused(many, tmp_path / "out/photos", "has more than 10 members", Limits(members=10))


def test_half_an_archive_is_told_and_leaves_nothing(make, tmp_path: Path):
    path = make({f"photos/{index}.jpg": PHOTO for index in range(9)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, tmp_path / "out/photos", "is damaged or cut short .*: delete it and run")


def test_a_flipped_byte_is_told(make, tmp_path: Path):
    path = make({"photos/1.jpg": PHOTO})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    refused(path, tmp_path / "out/photos", "is damaged or cut short")


def test_what_is_no_archive_is_told(make, tmp_path: Path):
    path = make({"1.jpg": PHOTO})
    path.write_bytes(b"<html>sign in</html>")
    refused(path, tmp_path / "out/photos", "is damaged or cut short")
    (tmp_path / "photos.rar").write_bytes(PHOTO)
    refused(tmp_path / "photos.rar", tmp_path / "out/photos", "no archive that is known")


def test_an_encrypted_zip_is_told(tmp_path: Path):
    make_zip(tmp_path / "photos.zip", {"1.jpg": PHOTO})
    content = bytearray((tmp_path / "photos.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "photos.zip").write_bytes(content)
    refused(tmp_path / "photos.zip", tmp_path / "out/photos", "it is encrypted")


def test_what_an_interrupted_run_left_is_replaced(make, tmp_path: Path):
    (tmp_path / "out/.photos.partial").mkdir(parents=True)
    (tmp_path / "out/.photos.partial/old.jpg").write_bytes(b"old")
    extract([make({"photos/1.jpg": PHOTO, "photos/2.jpg": PHOTO})], tmp_path / "out/photos")
    assert sorted(found(tmp_path / "out")) == ["photos/1.jpg", "photos/2.jpg"]
