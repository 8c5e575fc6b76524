from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS
from small_models import saved_model

from sanmodel.evaluation.outputs import VARIANTS, perturbed_batches
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.perturber import Perturber
from sanmodel.prototypes import Prototypes
from sanmodel.tables import iterate_rows


@pytest.fixture
def perturber(tmp_path: Path, network: Autoencoder, prototypes: Prototypes) -> Perturber:
    return Perturber(saved_model(tmp_path, network, prototypes, align="none"), "Male")


def test_aligned_prototypes_are_laid_over_the_landmarks_of_the_table(
    tmp_path, crops, network, prototypes
):
    lower = torch.tensor(POINTS) + torch.tensor([0.0, 20.0])
    aligned = Prototypes(prototypes.P_0, prototypes.P_1, 0.25, lower)
    perturber = Perturber(saved_model(tmp_path, network, aligned, align="landmarks"), "Male")
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
