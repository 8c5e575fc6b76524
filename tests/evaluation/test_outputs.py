from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS
from torch import nn

from sanmodel.errors import SanError
from sanmodel.evaluation.outputs import OUTPUTS, VARIANTS, Perturber, perturbed_batches
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.prototypes import Prototypes
from sanmodel.tables import iterate_rows


@pytest.fixture
def prototypes() -> Prototypes:
    torch.manual_seed(0)
    return Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.25)


@pytest.fixture
def network() -> Autoencoder:
    torch.manual_seed(1)
    return Autoencoder()


def saved(folder: Path, network: nn.Module, prototypes: Prototypes, **about: str) -> Perturber:
    files = folder / "autoencoder.safetensors", folder / "prototypes.safetensors"
    save_weights(files[0], network.state_dict(), kind="autoencoder", attribute="Male", **about)
    prototypes.save(files[1], "Male")
    return Perturber(*files, "Male")


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


def test_aligned_prototypes_are_laid_over_the_landmarks_of_the_table(
    tmp_path, crops, network, prototypes
):
    lower = torch.tensor(POINTS) + torch.tensor([0.0, 20.0])
    aligned = Prototypes(prototypes.P_0, prototypes.P_1, 0.25, lower)
    perturber = saved(tmp_path, network, aligned, align="landmarks")
    (batch,) = perturbed_batches(crops, "Male", perturber, batch_size=9)
    X = torch.from_numpy(batch.images["original"]).unsqueeze(1) / 255
    # The faces of the table lie 20 pixels above the prototypes' own.
    P_0, P_1 = (torch.roll(P, -20, 1)[None] for P in (prototypes.P_0, prototypes.P_1))
    (expected,) = network(X[:1], P_1, [P_0])  # the first has Male = 1
    difference = batch.images["OP"][0] - 255 * expected.detach()[0, 0].numpy()
    assert np.abs(difference[:180]).max() < 0.6  # below is seen what was repeated at the edge


def test_batches_hold_the_test_side_in_order(crops, perturber):
    batches = list(perturbed_batches(crops, "Male", perturber, batch_size=4))
    assert [len(batch.image_ids) for batch in batches] == [4, 4, 1]
    test = [row for row in iterate_rows(crops) if row["split"] == "test"]
    assert [name for batch in batches for name in batch.image_ids] == [r["image_id"] for r in test]
    for batch in batches:
        assert set(batch.images) == set(VARIANTS)
        assert all(len(images) == len(batch.image_ids) for images in batch.images.values())
        np.testing.assert_array_equal(batch.boxes[0], [46, 59, 178, 191])


def test_the_file_says_which_autoencoder_it_holds(tmp_path, prototypes):
    network = new_autoencoder("skip")
    perturber = saved(tmp_path, network, prototypes, align="none", architecture="skip")
    grey = np.full((1, 224, 224), 100, np.uint8)
    outputs = perturber.outputs(grey, [1], np.zeros((1, 5, 2), np.float32))
    # Its first outputs are nearly the images, which the paper's network cannot.
    assert all(np.abs(image - 100.0).max() <= 10 for image in outputs.values())


def test_weights_of_another_attribute_are_refused(tmp_path, perturber):
    files = tmp_path / "autoencoder.safetensors", tmp_path / "prototypes.safetensors"
    with pytest.raises(SanError, match="Smiling"):
        Perturber(*files, "Smiling")


def test_an_autoencoder_of_another_alignment_is_refused(tmp_path, network, prototypes):
    with pytest.raises(SanError, match="align='landmarks', needed is 'none'"):
        saved(tmp_path, network, prototypes, align="landmarks")
