import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sanmodel.evaluation.attackers.learning import (
    BATCH,
    as_tensor,
    drawn,
    learn,
    mirrored,
    probabilities,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4)).astype(np.uint8)
BRIGHT = (IMAGES.mean((1, 2)) > 127).astype(np.float32)


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.dropout = nn.Linear(16, 1), nn.Dropout(0.5)

    def forward(self, X):
        return self.fc(self.dropout(X).flatten(1)).squeeze(1)


def draw():
    rows = drawn(len(IMAGES))
    return mirrored(as_tensor(IMAGES[rows])), torch.from_numpy(BRIGHT[rows])


def trained(steps=5, seed=0, purpose="toy"):
    return learn(Linear, draw, F.binary_cross_entropy_with_logits, steps, seed, purpose)


def scores(network):
    return probabilities(network, IMAGES)


def test_seed_and_purpose_decide_the_network():
    first = scores(trained())
    torch.rand(1)
    np.testing.assert_array_equal(scores(trained()), first)
    assert not np.array_equal(scores(trained(seed=1)), first)
    assert not np.array_equal(scores(trained(purpose="another")), first)


def test_global_random_numbers_are_left_as_they_were():
    state = torch.get_rng_state()
    trained()
    assert torch.equal(torch.get_rng_state(), state)


def test_steps_lower_the_loss():
    classes = torch.from_numpy(BRIGHT).double()
    losses = [
        F.binary_cross_entropy(torch.from_numpy(scores(trained(steps))), classes)
        for steps in (0, 200)
    ]
    assert losses[1] < 0.9 * losses[0]


def test_channels_of_one_image_are_mirrored_alike():
    torch.manual_seed(0)
    X = torch.arange(32.0).view(1, 2, 4, 4).expand(200, 2, 4, 4)
    answer = mirrored(X)
    turned, kept = ((answer == form).flatten(1).all(1) for form in (X.flip(3), X))
    assert (turned ^ kept).all()
    assert 70 < turned.sum() < 130


def test_images_that_must_not_be_written_to_are_read_without_a_warning():
    images = IMAGES.copy()
    images.flags.writeable = False
    warned_once = not torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            X = as_tensor(images)
    finally:
        torch.set_warn_always(not warned_once)
    np.testing.assert_allclose(X[:, 0].numpy() * 255, IMAGES, rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1, BATCH + 1])
def test_probabilities_do_not_depend_on_the_batches(count):
    network = trained()
    values = probabilities(network, IMAGES[:count])
    alone = [probabilities(network, IMAGES[i : i + 1])[0] for i in range(count)]
    assert values.shape == (count,)
    np.testing.assert_allclose(values, alone, rtol=1e-6)
