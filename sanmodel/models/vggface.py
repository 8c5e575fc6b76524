"""Subnetwork III: VGG-Face, the auxiliary face matcher R_vgg (paper, section 2.2.4).

Parkhi, Vedaldi, Zisserman, "Deep face recognition" (BMVC 2015): 13 convolutions and three fully
connected layers, a descriptor of 2622 values. The weights are public but not ours to ship.
"""

from collections.abc import Mapping
from typing import Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.models.matcher import Looks

V = TypeVar("V", bound="VGGFace")

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
LAYERS = (
    *(f"conv{b}_{i}" for b, widths in enumerate(BLOCKS, 1) for i in range(1, len(widths) + 1)),
    *("fc6", "fc7", "fc8"),
)
"""The published names of the 16 weight layers, in their order."""

RGB_MEAN = (129.1863, 104.7624, 93.5940)
"""Mean colour of VGG-Face's training images (0 to 255), subtracted before the first layer."""


class VGGFace(nn.Module):
    """VGG-Face on grey images: its first layer's three input filters are added up.

    Subtracting the RGB mean before a zero-padded convolution is the same as subtracting the
    convolution of the constant mean image after it, borders included; that image's response is
    ``mean_response``.
    """

    size = 224
    """Side of the images that it looks at."""

    mean_response: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleDict()
        channels = 1
        for block, widths in enumerate(BLOCKS, start=1):
            for layer, width in enumerate(widths, start=1):
                name = f"conv{block}_{layer}"
                self.convolutions[name] = nn.Conv2d(channels, width, 3, padding=1)
                channels = width
        self.fc6 = nn.Linear(512 * 7 * 7, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 2622)
        self.register_buffer("mean_response", torch.zeros(1, 64, 224, 224))

    def view(self, X: Tensor, landmarks: Tensor, looks: Looks | None = None) -> Tensor:
        """Return the images as they are, or looks at them: landmarks play no part.

        See :class:`sanmodel.models.matcher.Matcher`.
        """
        return looks(X, self.size) if looks else X

    def forward(self, X: Tensor) -> Tensor:
        """Describe grey images.

        Args:
            X: (B, 1, 224, 224), 0 to 1.

        Returns:
            Descriptors R_vgg(X), (B, 2622).
        """
        h = 255 * X
        for block, widths in enumerate(BLOCKS, start=1):
            for layer in range(1, len(widths) + 1):
                h = self.convolutions[f"conv{block}_{layer}"](h)
                if (block, layer) == (1, 1):
                    h = h - self.mean_response
                h = F.relu(h)
            h = F.max_pool2d(h, 2)
        h = F.relu(self.fc6(h.flatten(1)))
        descriptors: Tensor = self.fc8(F.relu(self.fc7(h)))
        return descriptors

    @classmethod
    def from_rgb(cls, weights: Mapping[str, Tensor]) -> Self:
        """Make the network from the weights of the published one, which takes RGB images.

        Args:
            weights: Names and shapes as :func:`rgb_shapes` has them. What can be kept is not
                copied: the network shares it.
        """
        first = weights["conv1_1.weight"]
        mean = torch.tensor(RGB_MEAN).view(1, 3, 1, 1).expand(1, 3, 224, 224)
        own = {_own_name(name): weight for name, weight in weights.items()}
        own["convolutions.conv1_1.weight"] = first.sum(dim=1, keepdim=True)
        own["mean_response"] = F.conv2d(mean, first, padding=1)
        network = _without_memory(cls)
        network.load_state_dict(own, assign=True)
        return network


class UnitVGGFace(VGGFace):
    """VGG-Face with descriptors of Euclidean length 1, as in the authors' release."""

    def forward(self, X: Tensor) -> Tensor:
        """Describe grey images; see :meth:`VGGFace.forward`."""
        return F.normalize(super().forward(X))


def rgb_shapes() -> dict[str, torch.Size]:
    """Return names and shapes of the published weights, as in ``vgg_face_dag.pth``.

    ``conv1_1.weight`` is (64, 3, 3, 3), its input in the order red, green, blue; ``fc6.weight`` is
    (4096, 25088), its input in the order channels, rows, columns; ``fc8.bias`` is (2622,).
    """
    own = _without_memory(VGGFace).state_dict()
    names = [f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")]
    shapes = {name: own[_own_name(name)].shape for name in names}
    return shapes | {"conv1_1.weight": torch.Size([64, 3, 3, 3])}


def _own_name(published: str) -> str:
    """Return what a published tensor is called in :class:`VGGFace`."""
    return f"convolutions.{published}" if published.startswith("conv") else published


def _without_memory(kind: type[V]) -> V:
    """Return the network with shapes but no numbers: drawing 145 million takes seconds."""
    with torch.device("meta"):
        return kind()
