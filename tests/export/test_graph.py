import pytest
import torch

from sanmodel.export.graph import DeployedAutoencoder
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    torch.manual_seed(1)
    return Autoencoder().eval()


@pytest.fixture(scope="module")
def prototypes() -> Prototypes:
    torch.manual_seed(2)
    return Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), a_1=0.3)


@torch.no_grad()
def test_deployed_network_equals_autoencoder(
    autoencoder: Autoencoder, prototypes: Prototypes
) -> None:
    X, y = torch.rand(3, 1, 224, 224), torch.tensor([0, 1, 1])
    P_SM = prototypes.same(y)
    expected = autoencoder(X, P_SM, [P_SM, prototypes.neutral(y), prototypes.opposite(y)])
    found = DeployedAutoencoder(autoencoder, prototypes)(X, y)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6)


@torch.no_grad()
def test_deployed_network_reads_the_class(autoencoder: Autoencoder, prototypes: Prototypes) -> None:
    X = torch.rand(1, 1, 224, 224).expand(2, -1, -1, -1)
    same, neutral, opposite = DeployedAutoencoder(autoencoder, prototypes)(X, torch.tensor([0, 1]))
    for output in (same, neutral, opposite):  # the encoder sees P_SM in all three
        assert not torch.allclose(output[0], output[1], atol=1e-4)
