import pytest
import torch

from sanmodel.augmentation import resized
from sanmodel.models.descriptor import CosineMargin, DescriptorNetwork, ResidualBlock


def test_descriptors_have_length_one_and_crops_are_looked_at_in_the_networks_size():
    network, X = DescriptorNetwork().eval(), torch.rand(2, 1, 224, 224)
    descriptors = network(X)
    assert descriptors.shape == (2, 256)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(2))
    assert network.size == 96
    torch.testing.assert_close(network(resized(X, 96)), descriptors)


def test_the_stages_of_the_network_halve_the_sides_three_times():
    network, shapes = DescriptorNetwork().eval(), []
    for block in network.blocks:
        block.register_forward_hook(lambda block, inputs, h: shapes.append(tuple(h.shape[1:])))
    network(torch.rand(1, 1, 96, 96))
    halved = [(128, 12, 12)] * 2
    assert shapes == [(32, 48, 48), *[(64, 24, 24)] * 2, *halved, (256, 6, 6)]


def test_dropout_acts_in_training_alone():
    network, X = DescriptorNetwork(), torch.rand(2, 1, 96, 96)
    assert not torch.equal(network(X), network(X))
    network.eval()
    assert torch.equal(network(X), network(X))


@pytest.mark.parametrize(("inputs", "stride"), [(4, 1), (4, 2), (2, 1)])
def test_a_block_has_weights_in_its_shortcut_where_shapes_change(inputs: int, stride: int):
    block = ResidualBlock(inputs, 4, stride).eval()
    assert block(torch.rand(2, inputs, 6, 6)).shape == (2, 4, 6 // stride, 6 // stride)
    assert bool(list(block.shortcut.parameters())) == ((inputs, stride) != (4, 1))


def test_the_margin_makes_the_same_descriptors_cost_more():
    torch.manual_seed(0)
    descriptors = torch.nn.functional.normalize(torch.randn(4, 256))
    identity = torch.tensor([0, 1, 2, 0])
    head = CosineMargin(3)
    loss = head(descriptors, identity)
    head.margin = 0.0
    cosines = descriptors @ torch.nn.functional.normalize(head.weight).T
    plain = torch.nn.functional.cross_entropy(head.scale * cosines, identity)
    torch.testing.assert_close(head(descriptors, identity), plain)
    assert loss > plain
