"""The network that undoes perturbations: a small U-net (Ronneberger et al., MICCAI 2015)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FOLD = 4
"""Squares of this side become channels of one place (Shi et al., CVPR 2016), which makes it cheap
to see the whole face."""

CHANNELS = (12, 24, 48)
"""Feature maps at the folded, at half and at a quarter of the folded resolution."""


class Denoiser(nn.Module):
    """Adds a correction to an image; before any training the correction is zero."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = CHANNELS
        self.enter = nn.Sequential(nn.PixelUnshuffle(FOLD), _convolution(FOLD**2, fine))
        self.down_1 = _convolution(fine, middle, stride=2)
        self.down_2 = _convolution(middle, coarse, stride=2)
        self.bottom = _convolution(coarse, coarse)
        self.up_1 = Up(coarse, middle)
        self.up_2 = Up(middle, fine)
        self.leave = nn.Conv2d(fine, FOLD**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(torch.as_tensor(self.leave.bias))

    def forward(self, X: Tensor) -> Tensor:
        """Map images (B, 1, H, W), 0 to 1, H and W multiples of 16, to cleaned ones alike.

        Their values may leave the range.
        """
        h_1 = self.enter(2 * X - 1)
        h_2 = self.down_1(h_1)
        h = self.up_1(self.bottom(self.down_2(h_2)), h_2)
        return X + F.pixel_shuffle(self.leave(self.up_2(h, h_1)), FOLD)


class Up(nn.Module):
    """Twice the side, added to what was there on the way down."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(inputs, outputs, 1)
        self.join = _convolution(outputs, outputs)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Join (B, inputs, H, W) with (B, outputs, 2 H, 2 W) to a tensor like the latter."""
        wider = F.interpolate(self.narrow(coarse), scale_factor=2, mode="nearest")
        joined: Tensor = self.join(wider + fine)
        return joined


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.ReLU())
