import pytest
import torch
import torch.nn.functional as F
from small import POINTS

from sanmodel.alignment import inverse, warp
from sanmodel.augmentation import Augmentation
from sanmodel.models.descriptor import PLACES, CosineMargin, DescriptorNetwork, ResidualBlock

LANDMARKS = torch.tensor([POINTS])
PLAIN = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    """Three soft pictures of one size in one face's place."""
    coarse = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (224, 224), mode="bicubic").clamp(0, 1)


def test_descriptors_have_length_one():
    network, chips = DescriptorNetwork().eval(), torch.rand(2, 1, 96, 96)
    descriptors = network(chips)
    assert descriptors.shape == (2, 256)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(2))


def test_a_face_and_its_mirror_image_have_one_descriptor_once_it_is_trained():
    network, chips = DescriptorNetwork().eval(), torch.rand(2, 1, 96, 96)
    torch.testing.assert_close(network(chips), network(chips.flip(3)))
    network.train()
    torch.manual_seed(0)
    face = network(chips)
    torch.manual_seed(0)
    assert (network(chips.flip(3)) - face).abs().max() > 0.01


def test_the_landmarks_come_to_their_places_in_the_chip():
    where = 30 + 120 * torch.tensor([PLACES])  # of a face that is like the chip's
    picture = torch.zeros(1, 1, 224, 224)
    for x, y in where[0].round().int().tolist():
        picture[..., y - 1 : y + 2, x - 1 : x + 2] = 1
    (chip,) = DescriptorNetwork().view(picture, where)[0]
    for x, y in PLACES:
        column, row = int(96 * x), int(96 * y)  # pixels whose area holds the place
        assert chip[row, column] > 0.4
    assert (chip > 0.1).float().mean() < 0.02


def test_a_chip_is_sampled_where_it_lies_to_a_fraction_of_a_pixel():
    columns = torch.arange(224.0).expand(1, 1, 224, 224)
    corner, side = 30.0, 120.0  # of the chip, in pixels of the picture
    (chip,) = DescriptorNetwork().view(columns, corner + side * torch.tensor([PLACES]))[0]
    places = corner + side * (torch.arange(96) + 0.5) / 96
    torch.testing.assert_close(chip, places.expand(96, 96), rtol=0, atol=1e-3)


def test_a_frontal_crop_is_shown_upright_from_brows_to_mouth():
    ramps = torch.stack(torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="xy"))
    x, y = DescriptorNetwork().view(ramps[None], LANDMARKS)[0]
    assert x.diff(dim=0).abs().max() < 0.01
    assert y.diff(dim=1).abs().max() < 0.01
    side = float(96 * x.diff(dim=1).mean())
    assert 95 < side < 125
    assert float(x.mean()) == pytest.approx(112, abs=1)


@pytest.mark.parametrize(
    "move",
    [
        [[1.0, 0.0, 9.0], [0.0, 1.0, -6.0]],
        [[0.85, 0.0, 16.8], [0.0, 0.85, 16.8]],
        [[0.966, -0.259, 32.7], [0.259, 0.966, -25.1]],
        [[0.9, 0.25, -12.0], [-0.25, 0.9, 35.0]],
    ],
    ids=["shifted", "scaled", "turned", "all"],
)
def test_the_chip_of_a_moved_crop_is_the_chip_of_the_crop(X: torch.Tensor, move: list[list[float]]):
    network, transform = DescriptorNetwork(), torch.tensor([move])
    moved, landmarks = warp(X, inverse(transform)), LANDMARKS @ transform[:, :, :2].mT
    chips = network.view(X, LANDMARKS)
    found = network.view(moved, landmarks + transform[:, None, :, 2])
    assert (found - chips).abs().mean() < 0.005
    assert (network.view(moved, LANDMARKS) - chips).abs().mean() > 0.02


def test_a_look_without_strength_is_the_chip_or_its_mirror_image(X: torch.Tensor):
    network, X = DescriptorNetwork(), X.mT.expand(8, -1, -1, -1)
    landmarks = LANDMARKS + 5 * torch.randn(8, 5, 2, generator=torch.Generator().manual_seed(1))
    chips, looks = network.view(X, landmarks), network.view(X, landmarks, PLAIN)
    assert chips.shape == looks.shape == (8, 3, 96, 96)
    for chip, look in zip(chips, looks, strict=True):
        distance = min((look - chip).abs().max(), (look - chip.flip(2)).abs().max())
        assert distance < 1e-4


@pytest.mark.parametrize("looks", [None, Augmentation()])
def test_gradients_reach_the_face(looks: Augmentation | None):
    X = torch.rand(2, 1, 224, 224, requires_grad=True)
    network = DescriptorNetwork().eval()
    network(network.view(X, LANDMARKS.expand(2, -1, -1), looks))[:, 0].sum().backward()
    assert X.grad is not None
    assert (X.grad[..., 60:164, 60:164].abs().mean(dim=(1, 2, 3)) > 0).all()
    assert X.grad[..., :20].abs().max() == 0  # beside the face


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
