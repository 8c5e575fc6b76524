"""A compact face descriptor that stands in for VGG-Face where its weights are not at hand.

It is no part of the paper. It is trained on the training identities alone with an additive
cosine margin (Wang et al., "CosFace", CVPR 2018) and used like R_vgg afterwards.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DESCRIPTOR_SIZE = 256
WIDTHS = (32, 64, 128, 256)


class DescriptorNetwork(nn.Module):
    """A small residual network on grey faces; descriptors have length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, WIDTHS[0], 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(WIDTHS[0])
        widths = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.ModuleList(
            ResidualBlock(i, o) for i, o in zip(widths, WIDTHS, strict=False)
        )
        self.project = nn.Linear(WIDTHS[-1] * 4 * 4, DESCRIPTOR_SIZE, bias=False)
        self.project_norm = nn.BatchNorm1d(DESCRIPTOR_SIZE)

    def forward(self, X: Tensor) -> Tensor:
        """Describe grey images.

        Args:
            X: (B, 1, 224, 224), 0 to 1.

        Returns:
            Descriptors R(X), (B, 256), each of Euclidean length 1.
        """
        h = F.avg_pool2d(X - 0.5, 2)  # (B, 1, 112, 112)
        h = F.relu(self.stem_norm(self.stem(h)))  # (B, 32, 56, 56)
        for block in self.blocks:
            h = block(h)
        h = self.project_norm(self.project(h.flatten(1)))  # from (B, 256, 4, 4)
        return F.normalize(h)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 shortcut; halves the sides, rounding up."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm_1 = nn.BatchNorm2d(outputs)
        self.conv_2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm_2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / 2, W / 2)."""
        branch = F.relu(self.norm_1(self.conv_1(h)))
        return F.relu(self.norm_2(self.conv_2(branch)) + self.shortcut(h))


class CosineMargin(nn.Module):
    """The training head: cross entropy of scaled cosines, a margin taken off the true identity.

    Args:
        identities: Number of training identities.
        scale: Factor s of the cosines.
        margin: Cosine m that the true identity must win by.
    """

    def __init__(self, identities: int, scale: float = 24.0, margin: float = 0.2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(identities, DESCRIPTOR_SIZE) * 0.01)
        self.scale, self.margin = scale, margin

    def forward(self, descriptors: Tensor, identity: Tensor) -> Tensor:
        """Return the mean loss of unit descriptors (B, 256) with identity numbers (B,)."""
        cosines = descriptors @ F.normalize(self.weight).T
        margins = self.margin * F.one_hot(identity, cosines.shape[1])
        return F.cross_entropy(self.scale * (cosines - margins), identity)
