"""Fixtures that shrink the embedded sample to a few people."""

from pathlib import Path

import pytest
from small import small_settings

from sanmodel.paths import Paths
from sanmodel.stages import fetch, preprocess, prototypes


@pytest.fixture(scope="session")
def crops_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with raw table, crops and prototypes of six people: read it, never write."""
    root = tmp_path_factory.mktemp("crops")
    for stage in (fetch, preprocess, prototypes):
        stage.run(small_settings(), Paths(root))
    return root


@pytest.fixture
def tree(crops_root: Path, tmp_path: Path) -> Paths:
    """A work tree of the test's own, with the crops and prototypes linked in."""
    (tmp_path / "models").mkdir()
    (tmp_path / "data").symlink_to(crops_root / "data")
    (tmp_path / "models/prototypes.safetensors").symlink_to(
        crops_root / "models/prototypes.safetensors"
    )
    return Paths(tmp_path)
