"""Fixtures that shrink the embedded sample to a few people, and VGG-Face, which cannot shrink."""

from pathlib import Path

import pytest
import torch
from small import small_settings
from vggface_files import Weights, random_weights

from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.vggface import rgb_shapes
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.stages import fetch, preprocess
from sanmodel.stages import prototypes as prototypes_stage


@pytest.fixture(scope="session")
def crops_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with raw table, crops and prototypes of six people: read it, never write."""
    root = tmp_path_factory.mktemp("crops")
    for stage in (fetch, preprocess, prototypes_stage):
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


@pytest.fixture(scope="session")
def vggface_weights() -> Weights:
    """Random weights of VGG-Face's shapes, 580 MB: read them, never write."""
    shapes = rgb_shapes()
    weights = [name for name in shapes if name.endswith(".weight")]
    return random_weights({name.removesuffix(".weight"): shapes[name] for name in weights})


@pytest.fixture
def prototypes() -> Prototypes:
    """Random prototypes of two classes, a quarter of the faces in one of them."""
    torch.manual_seed(0)
    return Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.25)


@pytest.fixture
def network() -> Autoencoder:
    """The paper's network before any training."""
    torch.manual_seed(1)
    return Autoencoder()
