from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_model import Running, running, served_model


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export folder: read it, never write."""
    return served_model(tmp_path_factory.mktemp("served") / "export")


@pytest.fixture(scope="session")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export folder without a classifier."""
    return served_model(tmp_path_factory.mktemp("unread") / "export", classifier=False)


@pytest.fixture(scope="module")
def server(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with its own limits."""
    with running(served, tmp_path_factory.mktemp("server"), detector="dlib") as one:
        yield one
