from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import DriveHandler, Files, certificate, serving

from sanmodel.download.transfer import Patience

PATIENCE = Patience(tries=3, wait=0.01, connect=2, silence=2)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def server(files: Files) -> Iterator[str]:
    """Base URL of a server of ``files``."""
    with serving(files) as url:
        yield url


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> object:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def drive_files(authority: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """Files by id behind https://drive.google.com, as far as this process can tell."""
    context, public = authority
    files = Files()
    with serving(files, DriveHandler, certificate=context) as proxy:
        for name in ("no_proxy", "NO_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
        yield files


@pytest.fixture
def patience() -> Patience:
    return PATIENCE


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "photos.zip.part"
