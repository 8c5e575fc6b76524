from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS
from small_models import saved_model

from sanmodel.evaluation.faces import Faces, load_faces
from sanmodel.evaluation.outputs import VARIANTS, batches, perturbed
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.observer import SILENT
from sanmodel.perturber import Perturber
from sanmodel.prototypes import Prototypes


@pytest.fixture
def test_side(crops: Path, tmp_path: Path) -> Faces:
    return load_faces(crops, "test", "Male", tmp_path / "cache")


def test_aligned_prototypes_are_laid_over_the_landmarks_of_the_table(
    tmp_path: Path, test_side: Faces, network: Autoencoder, prototypes: Prototypes
):
    lower = torch.tensor(POINTS) + torch.tensor([0.0, 20.0])
    aligned = Prototypes(prototypes.P_0, prototypes.P_1, 0.25, lower)
    perturber = Perturber(saved_model(tmp_path, network, aligned, align="landmarks"), "Male")
    images = perturbed(test_side, perturber, tmp_path / "outputs", 9, SILENT)
    X = torch.from_numpy(np.array(images["original"])).unsqueeze(1) / 255
    # The faces of the table lie 20 pixels above the prototypes' own.
    P_0, P_1 = (torch.roll(P, -20, 1)[None] for P in (prototypes.P_0, prototypes.P_1))
    (expected,) = network(X[:1], P_1, [P_0])  # the first has Male = 1
    difference = images["OP"][0] - 255 * expected.detach()[0, 0].numpy()
    assert np.abs(difference[:180]).max() < 0.6  # below is seen what was repeated at the edge


def test_batches_change_nothing_and_a_second_run_writes_anew(
    tmp_path: Path, test_side: Faces, network: Autoencoder, prototypes: Prototypes
):
    perturber = Perturber(saved_model(tmp_path, network, prototypes, align="none"), "Male")
    once = perturbed(test_side, perturber, tmp_path / "outputs", 9, SILENT)
    parts = perturbed(test_side, perturber, tmp_path / "outputs", 4, SILENT)
    assert tuple(parts) == VARIANTS
    for variant in VARIANTS:
        assert parts[variant].shape == (9, 224, 224)
        np.testing.assert_allclose(parts[variant].astype(int), once[variant], atol=1)


def test_places_come_in_runs():
    assert batches(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
