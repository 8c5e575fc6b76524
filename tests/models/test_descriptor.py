import torch

from sanmodel.models.descriptor import CosineMargin, DescriptorNetwork


def test_descriptors_have_length_one():
    network = DescriptorNetwork().eval()
    descriptors = network(torch.rand(2, 1, 224, 224))
    assert descriptors.shape == (2, 256)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(2))


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
