from dataclasses import replace

import pytest
import torch
from small import POINTS
from torch import nn

from sanmodel.export.graph import deployed
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.autoencoders import AUTOENCODERS, new_autoencoder
from sanmodel.prototypes import FacePrototypes, Prototypes


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    torch.manual_seed(1)
    return Autoencoder().eval()


@pytest.fixture(scope="module")
def prototypes() -> Prototypes:
    torch.manual_seed(2)
    return Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), a_1=0.3)


@pytest.fixture(scope="module", params=AUTOENCODERS)
def any_autoencoder(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    return new_autoencoder(request.param).eval()


def literal(network: nn.Module, X: torch.Tensor, P: FacePrototypes) -> torch.Tensor:
    """X'_SM, X'_NT and X'_OP as figure 2 or the training computes them, (N, 3, 224, 224)."""
    compute = getattr(network, "forward_literal", network)
    return torch.cat(compute(X, P.same, [P.same, P.neutral, P.opposite]), dim=1)


MODES = torch.tensor([[0.0, 0.5, 1.0]])


@torch.no_grad()
@pytest.mark.parametrize("align", ["none", "landmarks"])
def test_deployed_network_equals_autoencoder(
    any_autoencoder: nn.Module, prototypes: Prototypes, align: str
) -> None:
    if align == "landmarks":
        prototypes = replace(prototypes, landmarks=torch.tensor(POINTS))
    X, y = torch.rand(3, 1, 224, 224), torch.tensor([0, 1, 1])
    landmarks = torch.tensor(POINTS) + 8 * torch.randn(3, 5, 2)
    expected = literal(any_autoencoder, X, prototypes.for_faces(y, landmarks))
    network = deployed(any_autoencoder, prototypes, "float32")
    inputs = (X[:, 0], y, MODES.expand(3, 3), landmarks)[: len(network.inputs)]
    assert len(network.inputs) == (4 if align == "landmarks" else 3)
    torch.testing.assert_close(network(*inputs), expected, rtol=0, atol=2e-6)


@torch.no_grad()
def test_grey_levels_are_the_nearest(any_autoencoder: nn.Module, prototypes: Prototypes) -> None:
    image = torch.randint(0, 256, (2, 224, 224), dtype=torch.uint8)
    y, modes = torch.tensor([0, 1]), torch.tensor([[0.25], [0.8]])
    exact = deployed(any_autoencoder, prototypes, "float32")(image / 255, y, modes)
    found = deployed(any_autoencoder, prototypes)(image, y, modes)
    assert (found.dtype, found.shape) == (torch.uint8, (2, 1, 224, 224))
    assert (found - 255 * exact).abs().max() < 0.501


@torch.no_grad()
def test_a_weight_between_modes_is_a_prototype_between(
    any_autoencoder: nn.Module, prototypes: Prototypes
) -> None:
    """A quarter of the way lies between P_SM and P_NT, 0.9 between P_NT and P_OP."""
    X, y = torch.rand(2, 1, 224, 224), torch.tensor([0, 1])
    P = prototypes.for_faces(y)
    between = [0.5 * P.same + 0.5 * P.neutral, 0.2 * P.neutral + 0.8 * P.opposite]
    expected = torch.cat(any_autoencoder(X, P.same, between), dim=1)
    network = deployed(any_autoencoder, prototypes, "float32")
    found = network(X[:, 0], y, torch.tensor([[0.25, 0.9]] * 2))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


@torch.no_grad()
def test_deployed_network_reads_the_class(autoencoder: Autoencoder, prototypes: Prototypes) -> None:
    image = torch.rand(1, 224, 224).expand(2, -1, -1)
    network = deployed(autoencoder, prototypes, "float32")
    outputs = network(image, torch.tensor([0, 1]), MODES.expand(2, 3))
    for output in outputs.unbind(dim=1):  # the encoder sees P_SM in all three
        assert not torch.allclose(output[0], output[1], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("align", ["none", "landmarks"])
def test_half_precision_is_that_of_the_layers_alone(
    any_autoencoder: nn.Module, prototypes: Prototypes, precision: torch.dtype, align: str
) -> None:
    points = torch.tensor(POINTS)
    prototypes = replace(prototypes, landmarks=points if align == "landmarks" else None)
    exact = deployed(any_autoencoder, prototypes, "float32")
    reduced = exact.in_precision(precision)
    inputs = (
        torch.rand(2, 224, 224),
        torch.tensor([0, 1]),
        MODES.expand(2, 3),
        points.expand(2, 5, 2),
    )
    inputs = inputs[: len(exact.inputs)]
    found, expected = reduced(*inputs), exact(*inputs)
    assert found.dtype == torch.float32
    assert {weight.dtype for weight in reduced.autoencoder.parameters()} == {precision}
    assert {weight.dtype for weight in exact.autoencoder.parameters()} == {torch.float32}
    assert 0 < (found - expected).abs().max() < 0.03
