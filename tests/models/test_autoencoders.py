from pathlib import Path
from typing import get_args

import pytest
import torch

from sanmodel.errors import SanError
from sanmodel.models.autoencoders import AUTOENCODERS, load_autoencoder, new_autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.settings import Settings

ABOUT = {"kind": "autoencoder", "attribute": "Male", "align": "none"}


def saved(folder: Path, network: str, **about: str) -> Path:
    path = folder / f"{network}.safetensors"
    save_weights(path, new_autoencoder(network).state_dict(), **ABOUT, **about)
    return path


def test_params_take_the_names_that_there_are():
    assert set(get_args(Settings.model_fields["autoencoder"].annotation)) == set(AUTOENCODERS)


@pytest.mark.parametrize("architecture", AUTOENCODERS)
def test_a_file_is_loaded_as_what_it_holds(tmp_path: Path, architecture: str):
    path = tmp_path / "autoencoder.safetensors"
    network = new_autoencoder(architecture)
    save_weights(path, network.state_dict(), architecture=architecture, **ABOUT)
    for wanted in (None, architecture):
        loaded = load_autoencoder(path, "Male", "none", wanted)
        assert type(loaded) is AUTOENCODERS[architecture]
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, loaded.state_dict()[name])


def test_a_file_without_the_word_is_of_the_papers(tmp_path: Path):
    loaded = load_autoencoder(saved(tmp_path, "paper"), "Male", "none", "paper")
    assert type(loaded) is AUTOENCODERS["paper"]
    with pytest.raises(SanError, match="does not fit Autoencoder"):
        load_autoencoder(saved(tmp_path, "skip"), "Male", "none")


def test_another_architecture_is_refused_with_the_mend(tmp_path: Path):
    path = saved(tmp_path, "skip", architecture="skip")
    mend = r"holds the autoencoder 'skip', needed is 'paper': .*`dvc repro`.* autoencoder to skip"
    with pytest.raises(SanError, match=mend):
        load_autoencoder(path, "Male", "none", "paper")
    unknown = saved(tmp_path, "paper", architecture="vgg-face")
    with pytest.raises(SanError, match="holds no known autoencoder: run `dvc repro`"):
        load_autoencoder(unknown, "Male", "none")


def test_another_kind_attribute_or_alignment_is_refused(tmp_path: Path):
    path = saved(tmp_path, "skip", architecture="skip")
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        load_autoencoder(path, "Smiling", "none")
    with pytest.raises(SanError, match="align='none', needed is 'landmarks'"):
        load_autoencoder(path, "Male", "landmarks")
    save_weights(path, {}, kind="classifier", attribute="Male")
    with pytest.raises(SanError, match="kind='classifier', needed is 'autoencoder'"):
        load_autoencoder(path, "Male", "none")
