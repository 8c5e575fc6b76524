"""The least that an attacker would try: a few convolutions on a thumbnail."""

from torch import Tensor, nn

from sanmodel.augmentation import resized
from sanmodel.evaluation.attackers import ATTACKERS
from sanmodel.evaluation.attackers.blocks import halving

SIZE = 64
"""Side of the thumbnail in pixels."""

CHANNELS = (16, 32, 48, 64)
"""Feature maps of the convolutions, each of which halves the side."""


@ATTACKERS.register("small CNN")
class SmallNetwork(nn.Module):
    """Four convolutions with strides, and one fully connected layer that knows places."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = halving((1, *CHANNELS))
        self.fc = nn.Linear(CHANNELS[-1] * (SIZE >> len(CHANNELS)) ** 2, 1)

    def forward(self, X: Tensor) -> Tensor:
        """Map images (B, 1, height, width), 0 to 1, to logits (B,)."""
        logits: Tensor = self.fc(self.convolutions(2 * resized(X, SIZE) - 1).flatten(1))
        return logits.squeeze(1)
