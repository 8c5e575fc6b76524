"""VGG-Face with random weights of the true shapes: the public file is not ours to ship."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from sanmodel.errors import SanError
from sanmodel.models.vggface import BLOCKS, RGB_MEAN, VGGFace, load_vggface


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes, channels = {}, 3
    for block, widths in enumerate(BLOCKS, start=1):
        for layer, width in enumerate(widths, start=1):
            shapes[f"conv{block}_{layer}"] = (width, channels, 3, 3)
            channels = width
    shapes |= {"fc6": (4096, 25088), "fc7": (4096, 4096), "fc8": (2622, 4096)}
    tensors = {}
    for name, shape in shapes.items():
        scale = (2 / torch.Size(shape[1:]).numel()) ** 0.5
        tensors[f"{name}.weight"] = torch.randn(shape, generator=generator) * scale
        tensors[f"{name}.bias"] = torch.zeros(shape[0])
    return tensors


def rgb_descriptor(state: dict[str, torch.Tensor], X: torch.Tensor) -> torch.Tensor:
    """The published network, three channels and mean subtraction, layer by layer."""
    h = 255 * X.repeat(1, 3, 1, 1) - torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
    for block, widths in enumerate(BLOCKS, start=1):
        for layer in range(1, len(widths) + 1):
            name = f"conv{block}_{layer}"
            h = F.relu(F.conv2d(h, state[f"{name}.weight"], state[f"{name}.bias"], padding=1))
        h = F.max_pool2d(h, 2)
    h = F.relu(F.linear(h.flatten(1), state["fc6.weight"], state["fc6.bias"]))
    h = F.relu(F.linear(h, state["fc7.weight"], state["fc7.bias"]))
    return F.linear(h, state["fc8.weight"], state["fc8.bias"])


def test_a_grey_image_is_described_like_its_three_channel_copy(state):
    network = VGGFace()
    network.load_rgb_weights(state)
    X = torch.rand(2, 1, 224, 224)
    with torch.inference_mode():
        ours, theirs = network(X), rgb_descriptor(state, X)
    assert ours.shape == (2, 2622)
    assert len([p for p in network.parameters() if p.ndim > 1]) == 16  # weight layers
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4 * float(theirs.abs().max()))


def test_other_files_are_refused(tmp_path: Path):
    html = tmp_path / "vgg_face_dag.pth"
    with pytest.raises(SanError, match="is missing: set train_matcher.vgg_face"):
        load_vggface(html)
    html.write_text("<html>quota exceeded</html>")
    with pytest.raises(SanError, match="is no readable weights file"):
        load_vggface(html)
    torch.save({"conv1_1.weight": torch.zeros(64, 3, 5, 5)}, html)
    with pytest.raises(SanError, match="not VGG-Face weights"):
        load_vggface(html)
