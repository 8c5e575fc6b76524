import pytest
import torch
from torch import nn

from sanmodel.evaluation.attackers import ATTACKERS
from sanmodel.evaluation.attackers.denoiser import Denoiser
from sanmodel.evaluation.attackers.detector import Detector

BAYER = torch.tensor([[0.4, 0.6], [0.6, 0.4]]).repeat(112, 112)
"""A chessboard of pixels, which averages to grey."""


@pytest.fixture(params=["residual network", "small CNN", "detector"])
def network(request) -> nn.Module:
    torch.manual_seed(0)
    return Detector() if request.param == "detector" else ATTACKERS.get(request.param)()


def test_every_weight_takes_part_in_one_logit_per_image(network):
    logits = network(torch.rand(3, 1, 224, 224))
    assert logits.shape == (3,)
    (logits * torch.tensor([1.0, 2.0, -4.0])).sum().backward()
    assert all(weights.grad is not None for weights in network.parameters())


def test_only_the_thumbnail_loses_the_finest_detail(network, request):
    X = torch.stack([BAYER, torch.full((224, 224), 0.5)]).unsqueeze(1)
    board, grey = network.eval()(X)
    blind = request.node.callspec.params["network"] == "small CNN"
    assert torch.isclose(board, grey, atol=1e-3) == blind


def test_an_untrained_denoiser_changes_nothing():
    X = torch.rand(2, 1, 64, 48)
    assert torch.equal(Denoiser()(X), X)
