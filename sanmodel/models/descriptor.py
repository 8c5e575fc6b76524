"""A compact face descriptor that stands in for VGG-Face where its weights are not at hand.

It is no part of the paper. It is trained on the training identities alone with an additive
cosine margin (Wang et al., "CosFace", CVPR 2018) and used like R_vgg afterwards.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.alignment import inverse, similarity
from sanmodel.augmentation import patches
from sanmodel.models.matcher import Looks

PLACES = ((0.822, 0.305), (0.635, 0.317), (0.178, 0.305), (0.365, 0.317), (0.5, 0.668))
"""Where a face's five landmarks belong in its chip, x and y as shares of the chip's side.

Chips hold brows to mouth and little else: hair and background tell people of a small training
apart, and strangers not.
"""

DESCRIPTOR_SIZE = 256
WIDTHS = (32, 64, 128, 256)
BLOCKS = (1, 2, 2, 1)
"""Residual blocks of each width; the first of a width halves the sides, but for the first width."""

LAST_SIDE = 6
"""Side of the last feature map."""

LEAKY_SLOPE = 0.1


class DescriptorNetwork(nn.Module):
    """A residual network on chips: grey faces that stand upright and fill the image.

    Descriptors have length 1. In evaluation mode a face and its mirror image have the same one, the
    direction between theirs; in training mode not, since looks mirror half of the chips anyway.

    Args:
        dropout: Drop probability before the descriptor while it trains.
    """

    size = 96
    """Side of the chips in pixels."""

    places: Tensor

    def __init__(self, dropout: float = 0.4) -> None:
        super().__init__()
        self.register_buffer("places", 2 * torch.tensor(PLACES)[None] - 1, persistent=False)
        self.stem = _convolution(1, WIDTHS[0], 3, stride=2)
        self.blocks = nn.Sequential(*_blocks())
        self.dropout = dropout
        self.project = nn.Linear(WIDTHS[-1] * LAST_SIDE**2, DESCRIPTOR_SIZE, bias=False)
        self.project_norm = nn.BatchNorm1d(DESCRIPTOR_SIZE)

    def view(self, X: Tensor, landmarks: Tensor, looks: Looks | None = None) -> Tensor:
        """Cut chips out of images, or look at them: faces whose landmarks are near ``PLACES``.

        See :class:`sanmodel.models.matcher.Matcher`.
        """
        # affine_grid counts from -1 to 1, from edge to edge of an image.
        face = (2 * landmarks + 1) / X.shape[-1] - 1
        placement = inverse(similarity(face, self.places))
        return looks(X, self.size, placement) if looks else patches(X, placement, self.size)

    def forward(self, chips: Tensor) -> Tensor:
        """Describe faces.

        Args:
            chips: (B, 1, 96, 96), 0 to 1.

        Returns:
            Descriptors, (B, 256), each of Euclidean length 1.
        """
        if self.training:
            return self._described(chips)
        both = self._described(torch.cat([chips, chips.flip(3)]))
        face, mirrored = both.chunk(2)
        return F.normalize(face + mirrored)

    def _described(self, chips: Tensor) -> Tensor:
        h = 3 * (chips - 0.5)
        h = F.leaky_relu(self.stem(h), LEAKY_SLOPE)  # (B, 32, 48, 48)
        h = self.blocks(h).flatten(1)  # of (B, 256, 6, 6)
        h = F.dropout(h, self.dropout, self.training)
        return F.normalize(self.project_norm(self.project(h)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where shapes change."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.enter = _convolution(inputs, outputs, 3, stride)
        self.leave = _convolution(outputs, outputs, 3)
        same = (inputs, stride) == (outputs, 1)
        self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, 1, stride)

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        branch = self.leave(F.leaky_relu(self.enter(h), LEAKY_SLOPE))
        return F.leaky_relu(branch + self.shortcut(h), LEAKY_SLOPE)


def _blocks() -> list[ResidualBlock]:
    inputs, blocks = WIDTHS[0], []
    for width, count in zip(WIDTHS, BLOCKS, strict=True):
        for number in range(count):
            halved = number == 0 and width > WIDTHS[0]
            blocks.append(ResidualBlock(inputs, width, stride=2 if halved else 1))
            inputs = width
    return blocks


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class CosineMargin(nn.Module):
    """The training head: cross entropy of scaled cosines, a margin taken off the true identity.

    Args:
        identities: Number of training identities.
        scale: Factor s of the cosines.
        margin: Cosine m that the true identity must win by.
    """

    def __init__(self, identities: int, scale: float = 24.0, margin: float = 0.25) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(identities, DESCRIPTOR_SIZE) * 0.05)
        self.scale, self.margin = scale, margin

    def forward(self, descriptors: Tensor, identity: Tensor) -> Tensor:
        """Return the mean loss of unit descriptors (B, 256) with identity numbers (B,)."""
        cosines = descriptors @ F.normalize(self.weight).T
        margins = self.margin * F.one_hot(identity, cosines.shape[1])
        return F.cross_entropy(self.scale * (cosines - margins), identity)
