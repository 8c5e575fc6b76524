from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sanmodel.errors import SanError
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.descriptor import DescriptorNetwork
from sanmodel.models.ensemble import load_classifiers
from sanmodel.models.frozen import load_matcher
from sanmodel.models.weights import load_module, save_weights


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "autoencoder.safetensors"
    save_weights(path, Autoencoder().state_dict(), kind="autoencoder", attribute="Male")
    return path


def test_weights_come_back(saved: Path):
    first, second = Autoencoder(), Autoencoder()
    load_module(first, saved, kind="autoencoder", attribute="Male")
    load_module(second, saved, kind="autoencoder")
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_damaged_file_is_named(saved: Path):
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(SanError, match=r"autoencoder\.safetensors is damaged .*: delete it"):
        load_module(Autoencoder(), saved)


def test_a_missing_file_names_the_mend(tmp_path: Path):
    with pytest.raises(SanError, match="is missing: run `dvc repro`"):
        load_module(Autoencoder(), tmp_path / "x.safetensors")


def test_a_folder_is_no_weights_file(tmp_path: Path):
    with pytest.raises(SanError, match="is a folder: give the weights file in it"):
        load_module(Autoencoder(), tmp_path)


def test_weights_of_something_else_are_refused(saved: Path):
    with pytest.raises(SanError, match="kind='autoencoder', needed is 'classifier'"):
        load_classifiers(saved, "Male")
    with pytest.raises(SanError, match="needed is 'Smiling'"):
        load_module(Autoencoder(), saved, attribute="Smiling")
    with pytest.raises(SanError, match=r"does not fit AttributeClassifier \(.* is missing\): run"):
        load_module(AttributeClassifier(), saved)
    with pytest.raises(SanError, match="no known face matcher"):
        load_matcher(saved)


def test_weights_of_another_shape_are_named_in_one_sentence(tmp_path: Path):
    path, network = tmp_path / "a.safetensors", torch.nn.Linear(3, 2)
    before = network.weight.clone()
    for state, problem in (
        ({"weight": torch.zeros(2, 4), "bias": torch.zeros(2)}, r"has shape \(2, 4\), needed is"),
        ({"weight": torch.zeros(2, 3)}, "bias is missing"),
        ({**network.state_dict(), "more": torch.zeros(1)}, "more is unknown"),
        (
            {"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)},
            "weight holds values that are not finite",
        ),
    ):
        save_weights(path, state)
        with pytest.raises(
            SanError, match=f"{problem}.*: run `dvc repro` to make it again$"
        ) as why:
            load_module(network, path)
        assert "\n" not in str(why.value)
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize("about", ["not ours", "[1]", None])
def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path, about: str | None):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=None if about is None else {"about": about})
    with pytest.raises(SanError, match="kind=None, needed is 'autoencoder'"):
        load_module(Autoencoder(), path, kind="autoencoder")


def test_a_stand_in_that_was_trained_on_whole_crops_is_refused(tmp_path: Path):
    path = tmp_path / "matcher.safetensors"
    state = DescriptorNetwork().state_dict()
    assert "places" not in state
    save_weights(path, state, kind="matcher", architecture="descriptor")
    with pytest.raises(SanError, match="no known face matcher: run `dvc repro` to make it again"):
        load_matcher(path)
    save_weights(path, state, kind="matcher", architecture="inner-face-descriptor")
    assert torch.equal(load_matcher(path).places, DescriptorNetwork().places)
