import pytest
import torch

from sanmodel.models.autoencoder import Autoencoder


@pytest.fixture
def network() -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    torch.manual_seed(1)
    return torch.rand(2, 1, 224, 224), torch.rand(2, 3, 224, 224), [*torch.rand(2, 2, 3, 224, 224)]


def test_the_layers_are_those_of_figure_2(network: Autoencoder):
    shapes = [tuple(layer.weight.shape) for layer in network.children()]
    assert shapes == [
        (8, 4, 3, 3),
        (12, 8, 3, 3),
        (256, 12, 3, 3),
        (128, 256, 3, 3),
        (1, 131, 1, 1),
    ]


def test_the_code_is_56x56x12_and_outputs_are_images(network: Autoencoder, inputs):
    X, P_SM, prototypes = inputs
    assert network.encode(X, P_SM).shape == (2, 12, 56, 56)
    outputs = network(X, P_SM, prototypes)
    assert [tuple(output.shape) for output in outputs] == [(2, 1, 224, 224)] * 2
    assert all(output.min() > 0 and output.max() < 1 for output in outputs)


def test_the_fast_form_equals_the_literal_one(network: Autoencoder, inputs):
    fast, literal = network(*inputs), network.forward_literal(*inputs)
    for a, b in zip(fast, literal, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_their_gradients_are_equal_too(network: Autoencoder, inputs):
    gradients = []
    for form in (network.forward, network.forward_literal):
        network.zero_grad()
        target = torch.linspace(0, 1, 224)
        sum(((output - target) ** 2).mean() for output in form(*inputs)).backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


def test_the_prototype_changes_the_output(network: Autoencoder, inputs):
    first, second = network(*inputs)
    assert not torch.allclose(first, second)
