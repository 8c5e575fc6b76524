"""What the attackers are built of."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import nn

MOMENTUM = 0.2
"""Share of each batch in the running means: twice torch's, since the trainings are short."""


def convolution(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Module:
    """Return a convolution with batch normalisation that leaves ``1 / stride`` of the sides."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs, momentum=MOMENTUM))


def halving(channels: Sequence[int]) -> nn.Module:
    """Return convolutions with ReLUs, each of which halves the sides.

    Args:
        channels: Feature maps that enter, then those of each convolution.
    """

    def layers() -> Iterator[nn.Module]:
        for inputs, outputs in pairwise(channels):
            yield convolution(inputs, outputs, stride=2)
            yield nn.ReLU()

    return nn.Sequential(*layers())
