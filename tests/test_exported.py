from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS
from small_models import exported_model, saved_model

from sanmodel.errors import SanError
from sanmodel.exported import ExportedModel, export_folder
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.prototypes import Prototypes


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``models`` of a work tree whose prototypes are laid over each face."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tree") / "models"
    prototypes = Prototypes(*torch.rand(2, 3, 224, 224), 0.3, torch.tensor(POINTS))
    network = new_autoencoder("paper")
    saved_model(folder, network, prototypes, align="landmarks")
    exported_model(folder / "export", network, prototypes)
    return folder


def test_an_exported_model_gives_the_outputs_of_its_weights(models: Path):
    random = np.random.default_rng(1)
    grey = random.integers(0, 256, (5, 224, 224), dtype=np.uint8)
    landmarks = (np.array(POINTS) + random.normal(0, 8, (5, 5, 2))).astype(np.float32)
    labels = [0, 1, 1, 0, 1]
    trained = Perturber(ModelFiles.trained(models), "Male")
    expected = trained.outputs(grey, labels, landmarks)
    found = ExportedModel(models / "export", "Male").outputs(grey, labels, landmarks)
    assert list(found) == list(expected)
    for name, images in expected.items():
        assert np.abs(images.astype(int) - found[name]).max() <= 1
    assert (found["SM"] != found["OP"]).any()


def test_a_model_of_another_attribute_is_refused(models: Path):
    with pytest.raises(SanError, match="holds a model of Male, not Young"):
        ExportedModel(models / "export", "Young")
    with pytest.raises(SanError, match="holds a model of Male: add --attribute Male"):
        export_folder(models, "Young")


def test_the_export_of_a_work_tree_is_found(models: Path):
    export = models / "export"
    assert export_folder(models, "Male") == export_folder(export, "Male") == export
    with pytest.raises(SanError, match="holds no exported model: give an export folder, or"):
        export_folder(models.parent, "Male")
