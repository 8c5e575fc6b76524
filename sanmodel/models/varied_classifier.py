"""Attribute classifiers that differ, so that fooling one of them is not fooling all.

They are no part of the paper, but the idea of its authors' follow-up, "Gender privacy: an ensemble
of semi adversarial networks for confounding arbitrary gender classifiers" (BTAS 2018). A stranger's
classifier may look at a small thumbnail or at fine detail, be shallow or deep. So these see faces
at sizes from 32 to 112 pixels, with different widths, and with and without shortcuts and batch
normalisation.
"""

from dataclasses import dataclass
from math import log2

import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.augmentation import resized

LEAKY_SLOPE = 0.1
LAST_SIDE = 4
"""Side of the last feature map."""

MOST_DOUBLINGS = 3
"""Feature maps double from block to block, but no further than this."""

HIDDEN = 64


@dataclass(frozen=True)
class Recipe:
    """What makes one classifier another than the next.

    Attributes:
        size: Side of the image that it looks at, in pixels.
        width: Feature maps of its first block.
        shortcuts: Two more convolutions per block, beside a shortcut.
        normalise: Batch normalisation.
    """

    size: int
    width: int
    shortcuts: bool = False
    normalise: bool = True


RECIPES = (
    Recipe(64, 24),
    Recipe(32, 32, shortcuts=True),
    Recipe(96, 16),
    Recipe(48, 24, normalise=False),
    Recipe(64, 24, shortcuts=True),
    Recipe(32, 32),
    Recipe(112, 16),
    Recipe(40, 32, shortcuts=True),
    Recipe(32, 32, normalise=False),
    Recipe(80, 20, shortcuts=True),
)


class VariedClassifier(nn.Module):
    """A plain or residual network on grey faces of its own size.

    Args:
        recipe: What makes it different.
        dropout: Drop probability before and after the first fully connected layer.
    """

    def __init__(self, recipe: Recipe, dropout: float = 0.5) -> None:
        super().__init__()
        self.size, self.dropout = recipe.size, dropout
        blocks = round(log2(recipe.size / LAST_SIDE))
        widths = [recipe.width * 2 ** min(i, MOST_DOUBLINGS) for i in range(blocks)]
        pairs = zip([1, *widths], widths, strict=False)
        self.blocks = nn.Sequential(*(Block(i, o, recipe) for i, o in pairs))
        side = recipe.size // 2**blocks
        self.fc_1 = nn.Linear(widths[-1] * side**2, HIDDEN)
        self.fc_2 = nn.Linear(HIDDEN, 1)

    def forward(self, X: Tensor) -> Tensor:
        """Classify grey images.

        Args:
            X: (B, 1, height, width), 0 to 1; resized to the classifier's own size.

        Returns:
            Logits (B,); their sigmoid is the probability of having the attribute.
        """
        h = self.blocks(3 * (resized(X, self.size) - 0.5)).flatten(1)
        h = F.dropout(h, self.dropout, self.training)
        h = F.leaky_relu(self.fc_1(h), LEAKY_SLOPE)
        logits: Tensor = self.fc_2(F.dropout(h, self.dropout, self.training)).squeeze(1)
        return logits


class Block(nn.Module):
    """Convolutions, then half the side, rounded down."""

    def __init__(self, inputs: int, outputs: int, recipe: Recipe) -> None:
        super().__init__()
        self.enter = _convolution(inputs, outputs, recipe.normalise)
        self.beside = _convolution(outputs, outputs, recipe.normalise) if recipe.shortcuts else None

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / 2, W / 2)."""
        h = F.leaky_relu(self.enter(h), LEAKY_SLOPE)
        if self.beside is None:
            return F.max_pool2d(h, 2)
        h = F.avg_pool2d(h, 2)
        return F.leaky_relu(h + self.beside(h), LEAKY_SLOPE)


def _convolution(inputs: int, outputs: int, normalise: bool) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not normalise)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs)) if normalise else convolution
