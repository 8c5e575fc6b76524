"""The network that tells perturbed from original images."""

from torch import Tensor, nn

from sanmodel.evaluation.attackers.blocks import halving

FOLD = 4
"""Squares of this side become channels of one place: a perturbation may hide in fine detail."""

CHANNELS = (16, 32, 64)
"""Feature maps of the convolutions, each of which halves the side."""


class Detector(nn.Module):
    """Three convolutions with strides on all pixels, then the mean over all places."""

    def __init__(self) -> None:
        super().__init__()
        folded = halving((FOLD**2, *CHANNELS))
        self.convolutions = nn.Sequential(nn.PixelUnshuffle(FOLD), folded)
        self.fc = nn.Linear(CHANNELS[-1], 1)

    def forward(self, X: Tensor) -> Tensor:
        """Map images (B, 1, height, width), 0 to 1, sides multiples of ``FOLD``, to logits (B,)."""
        logits: Tensor = self.fc(self.convolutions(2 * X - 1).mean((2, 3)))
        return logits.squeeze(1)
