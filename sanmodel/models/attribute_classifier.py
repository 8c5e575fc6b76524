"""Subnetwork II: the auxiliary attribute classifier f_G (paper, section 2.2.3, figure 4)."""

import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.models.autoencoder import LEAKY_SLOPE, initialise

CHANNELS = (8, 16, 32, 64, 128, 256)
"""Feature maps of the six convolutions; the paper's text fixes only the last, 4x4x256."""

HIDDEN = 256
"""Width of the first fully connected layer; the paper's text gives none."""


class AttributeClassifier(nn.Module):
    """Six convolutions and two fully connected layers on a grey 224x224 image.

    Every convolution is followed by a leaky ReLU and a max pooling that halves the sides, rounding
    up: 224, 112, 56, 28, 14, 7, 4. The two dropout layers act only while the classifier trains
    itself; frozen (``eval()``) they are gone, as in the paper.
    """

    size = 224
    """Side of the images that it looks at."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        widths = (1, *CHANNELS)
        convolutions = [
            nn.Conv2d(i, o, 3, padding=1) for i, o in zip(widths, CHANNELS, strict=False)
        ]
        self.convolutions = nn.ModuleList(convolutions)
        self.fc_1 = nn.Linear(4 * 4 * CHANNELS[-1], HIDDEN)
        self.fc_2 = nn.Linear(HIDDEN, 1)
        self.dropout = dropout
        initialise([*convolutions, self.fc_1])

    def forward(self, X: Tensor) -> Tensor:
        """Classify grey images.

        Args:
            X: (B, 1, 224, 224), 0 to 1.

        Returns:
            Logits (B,); their sigmoid is the probability of having the attribute, the paper's
            f_G(X). The cross entropy is computed from the logits, which is the exact form.
        """
        h = 2 * X - 1
        for convolution in self.convolutions:
            h = F.max_pool2d(F.leaky_relu(convolution(h), LEAKY_SLOPE), 2, ceil_mode=True)
        h = F.dropout(h.flatten(1), self.dropout, self.training)
        h = F.leaky_relu(self.fc_1(h), LEAKY_SLOPE)
        h = F.dropout(h, self.dropout, self.training)
        logits: Tensor = self.fc_2(h).squeeze(1)
        return logits
