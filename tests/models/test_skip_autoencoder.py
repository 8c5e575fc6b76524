import pytest
import torch
from torch import Tensor, nn

from sanmodel.models.skip_autoencoder import DARKEST, SkipAutoencoder

Inputs = tuple[Tensor, Tensor, list[Tensor]]


@pytest.fixture
def fresh() -> SkipAutoencoder:
    torch.manual_seed(0)
    return SkipAutoencoder()


@pytest.fixture
def network(fresh: SkipAutoencoder) -> SkipAutoencoder:
    """Weights with which the change is as large as that of a trained network."""
    nn.init.normal_(fresh.proto_combiner_3.weight, std=0.1)
    return fresh


@pytest.fixture
def inputs() -> Inputs:
    torch.manual_seed(1)
    return torch.rand(2, 1, 224, 224), torch.rand(2, 3, 224, 224), [*torch.rand(2, 2, 3, 224, 224)]


def test_outputs_are_images_one_for_each_prototype(network: SkipAutoencoder, inputs: Inputs):
    outputs = network(*inputs)
    assert [tuple(output.shape) for output in outputs] == [(2, 1, 224, 224)] * 2
    assert all(output.min() > 0 and output.max() < 1 for output in outputs)


def test_the_first_outputs_are_nearly_the_images(fresh: SkipAutoencoder, inputs: Inputs):
    for output in fresh(*inputs):
        psnr = -10 * ((output - inputs[0]) ** 2).mean().log10()
        assert psnr > 40


def test_black_and_white_can_be_changed(network: SkipAutoencoder, inputs: Inputs):
    _, P_SM, prototypes = inputs
    for level in (0.0, 1.0):
        (output,) = network(torch.full((2, 1, 224, 224), level), P_SM, prototypes[:1])
        assert (output - level).abs().max() > 2 * DARKEST


def test_the_same_class_and_the_outputs_prototype_change_the_output(
    network: SkipAutoencoder, inputs: Inputs
):
    X, P_SM, (P, P_OP) = inputs
    first, second = network(X, P_SM, [P, P_OP])
    (third,) = network(X, P_OP, [P])
    assert (first - second).abs().mean() > 1e-3
    assert (first - third).abs().mean() > 1e-3


def test_the_change_is_smooth(network: SkipAutoencoder, inputs: Inputs):
    grey = torch.full((2, 1, 224, 224), 0.5)
    (output,) = network(grey, inputs[1], inputs[2][:1])
    for side in (-1, -2):
        steps = output.logit().transpose(side, -1).diff()
        within, between = steps[..., 0::2], steps[..., 1::2]  # pairs of pixels
        mean = (between[..., 1:] + between[..., :-1]) / 2
        torch.testing.assert_close(within[..., 1:-1], mean, rtol=0, atol=1e-4)


def test_each_image_and_prototype_is_on_its_own(network: SkipAutoencoder, inputs: Inputs):
    X, P_SM, prototypes = inputs
    together = network(X, P_SM, prototypes)
    for row in range(2):
        one = slice(row, row + 1)
        for P, expected in zip(prototypes, together, strict=True):
            (alone,) = network(X[one], P_SM[one], [P[one]])
            torch.testing.assert_close(alone, expected[one], rtol=0, atol=1e-6)


def test_gradients_reach_every_weight(fresh: SkipAutoencoder, inputs: Inputs):
    sum((output**2).mean() for output in fresh(*inputs)).backward()
    for name, parameter in fresh.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
