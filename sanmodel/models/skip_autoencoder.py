"""An autoencoder that keeps the detail; it is no part of the paper.

The paper's code of 56x56x12 must hold the whole face, and what does not fit into it is lost in
blocks. Here the image itself goes on to the output, and the network only adds to it:
X' = sigmoid(logit(X) + change). The rest follows figure 2: encoder and decoder see the image with
P_SM and run once for an image; only the proto-combiner, here of three layers, runs once per
prototype.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.models.autoencoder import LEAKY_SLOPE, initialise

REDUCTION = 4
"""Side, in pixels, of the block of the image that is one place of the finest map."""

FINE, MIDDLE, COARSE = 48, 96, 128
"""Feature maps at 56x56, 28x28 and 14x14."""

DARKEST = 0.02
"""Pixels are kept that far from black and white: their logits are infinite, or nearly so, and no
change would move them."""

FIRST_CHANGE = 0.03
"""Factor of the last layer's first weights: the first outputs are nearly the images."""


class SkipAutoencoder(nn.Module):
    """A U-shaped network that takes the place of the paper's autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_1 = _convolution((1 + 3) * REDUCTION**2, FINE)
        self.encoder_2 = _convolution(FINE, FINE)
        self.encoder_3 = _convolution(FINE, MIDDLE, stride=2)
        self.encoder_4 = _convolution(MIDDLE, MIDDLE)
        self.encoder_5 = _convolution(MIDDLE, COARSE, stride=2)
        self.encoder_6 = _convolution(COARSE, COARSE)
        self.decoder_1 = _convolution(COARSE, COARSE)
        self.decoder_2 = _convolution(COARSE + MIDDLE, MIDDLE)
        self.decoder_3 = _convolution(MIDDLE + FINE, FINE)
        self.proto_combiner_1 = _convolution(FINE + 3, FINE)
        self.proto_combiner_2 = _convolution(FINE, FINE)
        self.proto_combiner_3 = _convolution(FINE, 4)
        initialise(layer for layer in self.children() if isinstance(layer, nn.Conv2d))
        with torch.no_grad():
            self.proto_combiner_3.weight.mul_(FIRST_CHANGE)

    def forward(self, X: Tensor, P_SM: Tensor, prototypes: Sequence[Tensor]) -> list[Tensor]:
        """Perturb grey images, once per prototype.

        Args:
            X: Grey images, (B, 1, 224, 224), 0 to 1.
            P_SM: Same-class prototype of each image, (B, 3, 224, 224), 0 to 1.
            prototypes: For each output a prototype per image, (B, 3, 224, 224), 0 to 1.

        Returns:
            One (B, 1, 224, 224) tensor of perturbed images, 0 to 1, for each prototype.
        """
        features = self.see(X, P_SM)
        return [torch.sigmoid(self.combine(X, features, P)) for P in prototypes]

    def see(self, X: Tensor, P_SM: Tensor) -> Tensor:
        """Return what encoder and decoder make of the images, (B, 48, 56, 56)."""
        h = F.pixel_unshuffle(torch.cat([X, P_SM], dim=1) - 0.5, REDUCTION)  # (B, 64, 56, 56)
        return self.features(self.encoder_1(h.to(self.encoder_1.weight.dtype)))

    def combine(self, X: Tensor, seen: Tensor, P: Tensor) -> Tensor:
        """Return the logits of one output, (B, 1, 224, 224) in float32.

        Args:
            X: See :meth:`forward`.
            seen: What :meth:`see` made of the images.
            P: The output's prototype of each image, (B, 3, 224, 224), 0 to 1.
        """
        small = F.avg_pool2d(P - 0.5, REDUCTION).to(seen.dtype)
        h = torch.cat([seen, small], dim=1)  # (B, 51, 56, 56)
        return self.logits(X) + self.change(self.proto_combiner_1(h))

    def features(self, h: Tensor) -> Tensor:
        """Go on from what the first convolution made, (B, 48, 56, 56), to the features."""
        fine = _active(self.encoder_2, _leaky(h))  # (B, 48, 56, 56)
        middle = _active(self.encoder_4, _active(self.encoder_3, fine))  # (B, 96, 28, 28)
        coarse = _active(self.encoder_6, _active(self.encoder_5, middle))  # (B, 128, 14, 14)
        h = _doubled(_active(self.decoder_1, coarse))
        h = _doubled(_active(self.decoder_2, torch.cat([h, middle], dim=1)))
        return _active(self.decoder_3, torch.cat([h, fine], dim=1))

    def change(self, h: Tensor) -> Tensor:
        """Return what a prototype adds to the images' logits, (B, 1, 224, 224).

        It is computed at 112x112 and smoothly enlarged, so that it has neither blocks nor noise
        of single pixels. It is float32 also where the layers compute in fewer bits.

        Args:
            h: What the combiner's first convolution made of features and prototype,
                (B, 48, 56, 56).
        """
        h = _active(self.proto_combiner_2, _leaky(h))
        h = F.pixel_shuffle(self.proto_combiner_3(h), 2).float()  # (B, 1, 112, 112)
        return F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)

    @staticmethod
    def logits(X: Tensor) -> Tensor:
        """Return the logits of images, 0 to 1, none of them infinite."""
        return torch.logit(X.clamp(DARKEST, 1 - DARKEST))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)


def _active(layer: nn.Conv2d, h: Tensor) -> Tensor:
    return _leaky(layer(h))


def _leaky(h: Tensor) -> Tensor:
    return F.leaky_relu(h, LEAKY_SLOPE)


def _doubled(h: Tensor) -> Tensor:
    return F.interpolate(h, scale_factor=2, mode="nearest")
