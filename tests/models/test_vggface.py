"""VGG-Face with random weights of the true shapes: the public file is not ours to ship."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from vggface_files import Weights

from sanmodel.augmentation import Augmentation
from sanmodel.models.vggface import (
    BLOCKS,
    LAYERS,
    RGB_MEAN,
    UnitVGGFace,
    VGGFace,
    _without_memory,
    rgb_shapes,
)


def test_the_published_shapes_are_those_of_the_paper():
    shapes = rgb_shapes()
    assert list(shapes) == [f"{name}.{kind}" for name in LAYERS for kind in ("weight", "bias")]
    assert sum(len(shape) > 1 for shape in shapes.values()) == 16
    assert shapes["conv1_1.weight"] == (64, 3, 3, 3)
    assert shapes["fc6.weight"] == (4096, 512 * 7 * 7)
    assert shapes["fc8.bias"] == (2622,)
    assert sum(shape.numel() for shape in shapes.values()) == 145_002_878


@pytest.fixture
def doubles() -> Iterator[None]:
    """New tensors have 64 bits."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def rgb_descriptor(weights: Weights, X: torch.Tensor) -> torch.Tensor:
    """The published network, three channels and mean subtraction, layer by layer."""
    h = 255 * X.repeat(1, 3, 1, 1) - torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
    for block, widths in enumerate(BLOCKS, start=1):
        for layer in range(1, len(widths) + 1):
            name = f"conv{block}_{layer}"
            h = F.relu(F.conv2d(h, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))
        h = F.max_pool2d(h, 2)
    h = F.relu(F.linear(h.flatten(1), weights["fc6.weight"], weights["fc6.bias"]))
    h = F.relu(F.linear(h, weights["fc7.weight"], weights["fc7.bias"]))
    return F.linear(h, weights["fc8.weight"], weights["fc8.bias"])


def test_a_grey_image_is_described_like_its_three_channel_copy(vggface_weights: Weights):
    """To 1e-4 of the largest value; without the mean's borders it would be 200 times that."""
    X = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours = VGGFace.from_rgb(vggface_weights)(X)
        theirs = rgb_descriptor(vggface_weights, X)
    assert ours.shape == (2, 2622)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4 * float(theirs.abs().max()))


def test_descriptors_of_the_release_have_length_1(vggface_weights: Weights):
    X = torch.rand(2, 1, 224, 224)
    plain, unit = VGGFace.from_rgb(vggface_weights), UnitVGGFace.from_rgb(vggface_weights)
    with torch.inference_mode():
        torch.testing.assert_close(unit(X), plain(X) / plain(X).norm(dim=1, keepdim=True))


def test_its_gradient_with_respect_to_the_image_is_the_three_channel_networks(
    vggface_weights: Weights, doubles: None
):
    """In 64 bits: in 32, rounding turns a few units on or off, and each changes the gradient."""
    weights = {name: weight.double() for name, weight in vggface_weights.items()}
    X = torch.rand(1, 1, 224, 224, generator=torch.Generator().manual_seed(1), requires_grad=True)
    network = VGGFace.from_rgb(weights).requires_grad_(False)
    ours, theirs = (
        torch.autograd.grad(R_X.square().sum(), X)[0]
        for R_X in (network(X), rgb_descriptor(weights, X))
    )
    assert theirs.count_nonzero() > X.numel() / 2
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9 * float(theirs.abs().max()))


def test_it_sees_the_whole_crop_wherever_the_landmarks_are():
    network, X, looks = _without_memory(VGGFace), torch.rand(2, 1, 224, 224), Augmentation()
    landmarks = 223 * torch.rand(2, 5, 2)
    assert network.view(X, landmarks) is X
    torch.manual_seed(0)
    seen = network.view(X, landmarks, looks)
    torch.manual_seed(0)
    assert torch.equal(seen, looks(X, 224))
