"""Archives that nobody trusts: no member leaves the folder, no bomb goes off, all or nothing."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PureWindowsPath
from typing import IO, cast

import multivolumefile
import py7zr
from py7zr.exceptions import ArchiveError, PasswordRequired

from sanmodel.errors import SanError
from sanmodel.files import full_disk_explained


@dataclass(frozen=True)
class Limits:
    """What an archive of photos stays below by far.

    Attributes:
        members: Files and folders in it.
        total: Bytes of all of them.
        ratio: Bytes out per byte of archive, once ``total_small`` bytes are out; photos give
            about 1, lists of text 10.
        total_small: Bytes out below which the ratio does not matter.
    """

    members: int = 2_000_000
    total: int = 200 << 30
    ratio: int = 100
    total_small: int = 64 << 20


class _Guard:
    """Lets members in until one breaks a rule."""

    def __init__(self, archive: Path, compressed: int, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._members = 0
        self.total = 0
        self.most = min(limits.total, max(limits.ratio * compressed, limits.total_small))

    def admit(self, name: str, size: int, plain: bool) -> None:
        """Check one member before it is written.

        Raises:
            SanError: If it leads out of the folder, is neither file nor folder, or is too much.
        """
        windows = PureWindowsPath(name)
        if windows.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            self._refuse(f"its member {name!r} leads out of the folder")
        if not plain:
            self._refuse(f"its member {name!r} is a link or a device")
        self._members, self.total = self._members + 1, self.total + size
        if self._members > self._limits.members:
            self._refuse(f"it has more than {self._limits.members:,} members")
        if self.total > self.most:
            self._refuse(f"it holds more than {self.most:,} bytes")

    def _refuse(self, why: str) -> None:
        raise SanError(f"{self._archive} is not extracted: {why}; get it from a place you trust")


_DAMAGE = (
    ArchiveError,
    PasswordRequired,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    NotImplementedError,  # zipfile's word for a compression that it does not know
    OSError,
)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_PADDING = 1 << 20
_LIMITS = Limits()


def extract(parts: Sequence[Path], into: Path, limits: Limits = _LIMITS) -> None:
    """Extract an archive so that the folder ``into`` is either complete or not there.

    An outermost folder that holds all the rest is left out.

    Args:
        parts: The archive's files: one ``.zip``, ``.tar.gz`` (or the like) or ``.7z``, or the
            volumes ``.7z.001`` and so on.
        into: The folder to make; must not be there.
        limits: How much may come out.

    Raises:
        SanError: If the archive is damaged, of another kind, or breaks a rule; nothing is left.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = into.with_name(f".{into.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    guard = _Guard(parts[0], sum(part.stat().st_size for part in parts), limits)
    try:
        with full_disk_explained(into):
            _unpack(parts, partial, guard)
            _content(partial).rename(into)
    except PermissionError:
        raise
    except _DAMAGE as error:
        raise SanError(
            f"{parts[0]} is damaged or cut short ({error}): delete it and run the command again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unpack(parts: Sequence[Path], target: Path, guard: _Guard) -> None:
    name = parts[0].name.lower()
    if name.endswith(".zip"):
        _unpack_zip(parts[0], target, guard)
    elif name.endswith(_TAR):
        _unpack_tar(parts[0], target, guard)
    elif name.endswith((".7z", ".7z.001")):
        _unpack_7z(parts, target, guard)
    else:
        raise SanError(f"{parts[0]} is no archive that is known (zip, tar, 7z): extract it by hand")


def _unpack_zip(path: Path, target: Path, guard: _Guard) -> None:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            guard.admit(info.filename, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR))
            if info.flag_bits & 1:
                raise zipfile.BadZipFile("it is encrypted")
            archive.extract(info, target)


def _unpack_tar(path: Path, target: Path, guard: _Guard) -> None:
    with tarfile.open(path) as archive:
        for member in archive:
            guard.admit(member.name, member.size, member.isreg() or member.isdir())
            archive.extract(member, target, filter="data")
        # The checksum of a .gz stands behind the padding, where tarfile does not look.
        if archive.fileobj and len(archive.fileobj.read(_PADDING)) == _PADDING:
            raise tarfile.ReadError("it goes on behind its end")


def _unpack_7z(parts: Sequence[Path], target: Path, guard: _Guard) -> None:
    with ExitStack() as stack:
        stream = stack.enter_context(_joined(parts))
        archive = stack.enter_context(py7zr.SevenZipFile(stream, max_extract_size=guard.most))
        for file in archive.files:
            odd = file.is_symlink or file.is_junction or file.is_socket
            guard.admit(file.filename, file.uncompressed, not odd)
        archive.extractall(target)  # of members that the guard has all admitted by now
    for path in target.rglob("*"):  # the library gives files the modes that the archive wants
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def _joined(parts: Sequence[Path]) -> Iterator[IO[bytes]]:
    """Open one file or several volumes as one stream."""
    if len(parts) == 1:
        with parts[0].open("rb") as stream:
            yield stream
        return
    # The library takes every file that lies beside the volumes and has their name for one of them.
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(parts):
            Path(folder, f"volume.{number:04d}").symlink_to(part.resolve())
        with multivolumefile.MultiVolume(Path(folder, "volume"), "rb") as volumes:
            yield cast(IO[bytes], volumes)


def _content(folder: Path) -> Path:
    """Return the one folder that holds everything, or ``folder`` itself."""
    inside = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
