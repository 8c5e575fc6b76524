from dataclasses import replace

import pytest
import torch
from small import POINTS
from torch import nn

from sanmodel.export.graph import deployed
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.autoencoders import AUTOENCODERS, new_autoencoder
from sanmodel.prototypes import Prototypes


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


@torch.no_grad()
def test_deployed_network_equals_autoencoder(
    any_autoencoder: nn.Module, prototypes: Prototypes
) -> None:
    X, y = torch.rand(3, 1, 224, 224), torch.tensor([0, 1, 1])
    P = prototypes.for_faces(y)
    expected = any_autoencoder(X, P.same, [P.same, P.neutral, P.opposite])
    network = deployed(any_autoencoder, prototypes)
    assert network.inputs == ("image", "attribute")
    found = network(X, y)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6)


@torch.no_grad()
def test_deployed_network_reads_the_class(autoencoder: Autoencoder, prototypes: Prototypes) -> None:
    X = torch.rand(1, 1, 224, 224).expand(2, -1, -1, -1)
    same, neutral, opposite = deployed(autoencoder, prototypes)(X, torch.tensor([0, 1]))
    for output in (same, neutral, opposite):  # the encoder sees P_SM in all three
        assert not torch.allclose(output[0], output[1], atol=1e-4)


@torch.no_grad()
def test_aligned_network_equals_autoencoder(
    autoencoder: Autoencoder, prototypes: Prototypes
) -> None:
    aligned = replace(prototypes, landmarks=torch.tensor(POINTS))
    X, y = torch.rand(3, 1, 224, 224), torch.tensor([0, 1, 1])
    landmarks = torch.tensor(POINTS) + 8 * torch.randn(3, 5, 2)
    P = aligned.for_faces(y, landmarks)
    expected = autoencoder.forward_literal(X, P.same, [P.same, P.neutral, P.opposite])
    network = deployed(autoencoder, aligned)
    assert network.inputs == ("image", "attribute", "landmarks")
    for one, other in zip(network(X, y, landmarks), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6)
