from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import saved_model
from torch import nn

from sanmodel.errors import SanError
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.paths import Paths
from sanmodel.perturber import OUTPUTS, ModelFiles, Perturber
from sanmodel.prototypes import Prototypes


def saved(folder: Path, network: nn.Module, prototypes: Prototypes, **about: str) -> Perturber:
    return Perturber(saved_model(folder, network, prototypes, **about), "Male")


@pytest.fixture
def perturber(tmp_path: Path, network: Autoencoder, prototypes: Prototypes) -> Perturber:
    return saved(tmp_path, network, prototypes, align="none")


def test_the_true_class_chooses_the_prototypes(perturber, network, prototypes):
    grey = np.random.default_rng(0).integers(0, 256, (2, 224, 224), dtype=np.uint8)
    X = torch.from_numpy(grey).unsqueeze(1) / 255
    P_0, P_1 = prototypes.P_0, prototypes.P_1
    P_NT = 0.75 * P_0 + 0.25 * P_1
    expected = network(
        X,
        torch.stack([P_0, P_1]),
        [torch.stack([P_0, P_1]), torch.stack([P_NT, P_NT]), torch.stack([P_1, P_0])],
    )
    outputs = perturber.outputs(grey, [0, 1], np.zeros((2, 5, 2), np.float32))
    for name, tensor in zip(OUTPUTS, expected, strict=True):
        assert outputs[name].dtype == np.uint8
        difference = outputs[name] - 255 * tensor.detach().squeeze(1).numpy()
        assert np.abs(difference).max() < 0.51


def test_the_file_says_which_autoencoder_it_holds(tmp_path, prototypes):
    network = new_autoencoder("skip")
    perturber = saved(tmp_path, network, prototypes, align="none", architecture="skip")
    grey = np.full((1, 224, 224), 100, np.uint8)
    outputs = perturber.outputs(grey, [1], np.zeros((1, 5, 2), np.float32))
    # Its first outputs are nearly the images, which the paper's network cannot.
    assert all(np.abs(image - 100.0).max() <= 10 for image in outputs.values())


def test_weights_of_another_attribute_are_refused(tmp_path, perturber):
    with pytest.raises(SanError, match="Smiling"):
        Perturber(ModelFiles.trained(tmp_path), "Smiling")


def test_an_autoencoder_of_another_alignment_is_refused(tmp_path, network, prototypes):
    with pytest.raises(SanError, match="align='landmarks', needed is 'none'"):
        saved(tmp_path, network, prototypes, align="landmarks")


def test_a_trained_model_lies_where_the_pipeline_writes_it():
    paths = Paths(Path("tree"))
    files = ModelFiles.trained(Path("tree/models"))
    assert files == ModelFiles(paths.autoencoder, paths.prototypes)
