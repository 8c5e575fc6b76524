"""One export for the tests that only read it."""

import pytest
from small_exports import export

from sanmodel.evaluation.exchange import Exchange, read_exchange


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    folder = tmp_path_factory.mktemp("export") / "out"
    export(folder)
    return read_exchange(folder)
