"""A deeper attacker that sees every pixel: a residual network (He et al., CVPR 2016)."""

import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.evaluation.attackers import ATTACKERS
from sanmodel.evaluation.attackers.blocks import convolution

FOLD = 4
"""Squares of this side become channels of one place, so that no detail is averaged away."""

CHANNELS = (16, 32, 64)
"""Feature maps of the pairs of convolutions, from fine to coarse."""


@ATTACKERS.register("residual network")
class ResidualNetwork(nn.Module):
    """Seven 3x3 convolutions with shortcuts, then the mean over all places.

    Of 224 pixels the folding leaves 56, the first convolution 28, the blocks 28, 14 and 7.
    """

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.PixelUnshuffle(FOLD), convolution(FOLD**2, CHANNELS[0], 2))
        pairs = zip((CHANNELS[0], *CHANNELS), CHANNELS, strict=False)
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in pairs))
        self.fc = nn.Linear(CHANNELS[-1], 1)

    def forward(self, X: Tensor) -> Tensor:
        """Map images (B, 1, height, width), 0 to 1, sides multiples of ``FOLD``, to logits (B,)."""
        h = self.blocks(F.relu(self.enter(2 * X - 1)))
        logits: Tensor = self.fc(h.mean((2, 3))).squeeze(1)
        return logits


class Block(nn.Module):
    """Two convolutions beside a shortcut; half the side where the feature maps grow in number."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = convolution(inputs, outputs, stride)
        self.second = convolution(outputs, outputs)
        self.shortcut = (
            nn.Identity() if stride == 1 else convolution(inputs, outputs, stride, kernel=1)
        )

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return F.relu(self.shortcut(h) + self.second(F.relu(self.first(h))))
