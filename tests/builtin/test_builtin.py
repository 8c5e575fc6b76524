from pathlib import Path

import pytest
import torch

from sanmodel.builtin import ATTRIBUTES, FOLDER, builtin_model
from sanmodel.builtin.making import card_row
from sanmodel.errors import SanError
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.perturber import ModelFiles
from sanmodel.prototypes import Prototypes


@pytest.fixture(params=ATTRIBUTES)
def attribute(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(attribute: str) -> ModelFiles:
    return builtin_model(attribute)


def test_a_built_in_model_loads_as_float32(files: ModelFiles, attribute: str):
    prototypes = Prototypes.load(files.prototypes, attribute)
    network = load_autoencoder(files.autoencoder, attribute, prototypes.align, "skip")
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert all(weight.isfinite().all() for weight in network.parameters())
    for P in (prototypes.P_0, prototypes.P_1):
        assert P.dtype == torch.float32
        assert P.shape == (3, 224, 224)
        assert P.min() >= 0
        assert P.max() <= 1
    assert not torch.equal(prototypes.P_0, prototypes.P_1)


def test_a_built_in_model_is_small_enough_for_the_repository(files: ModelFiles):
    assert 1_000_000 < files.autoencoder.stat().st_size < 2_000_000
    assert files.prototypes.stat().st_size < 700_000


def test_the_card_names_the_files_that_are_there(files: ModelFiles, attribute: str):
    rows = (FOLDER / f"{attribute.lower()}.md").read_text(encoding="utf-8").splitlines()
    assert card_row(files.autoencoder) in rows
    assert card_row(files.prototypes) in rows


def test_there_is_no_file_without_a_card():
    stems = {path.stem.removesuffix("_prototypes") for path in FOLDER.glob("*.safetensors")}
    assert stems == {path.stem for path in FOLDER.glob("*.md")}
    assert stems == {attribute.lower() for attribute in ATTRIBUTES}


def test_another_attribute_has_none():
    with pytest.raises(SanError, match="no built-in model of 'Young', only of Male: train one"):
        builtin_model("Young")


def test_a_row_of_the_card_tells_size_and_digest(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"abc" * 400)
    digest = "c60f31dde430c46ed35613b85ed4e926db829917cb2248947abf1a7181e68bb3"
    assert card_row(path) == f"| `a.safetensors` | 1,200 | `{digest}` |"
