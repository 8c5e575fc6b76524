"""An autoencoder that keeps the detail (no part of the paper).

The paper's code of 56x56x12 must hold the whole face, and what does not fit is lost in blocks.
Here the image itself goes on to the output, and the network only adds to it: X' = sigmoid(logit(X)
+ change). The rest follows figure 2: encoder and decoder see the image with P_SM and run once; only
the proto-combiner, here of three layers, runs once per prototype.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.models.autoencoder import LEAKY_SLOPE, initialise

REDUCTION = 4
"""Pixels of the image along each side of a place of the finest map."""

WIDTHS = (48, 96, 128)
"""Feature maps at 56x56, 28x28 and 14x14."""

DARKEST = 0.02
"""Pixels are kept between this and its distance from white before their logit is taken: a change
must be able to move black and white."""


class SkipAutoencoder(nn.Module):
    """A U-shaped network that is used like the paper's autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.encoder_1 = _convolution((1 + 3) * REDUCTION**2, fine)
        self.encoder_2 = _convolution(fine, fine)
        self.encoder_3 = _convolution(fine, middle, stride=2)
        self.encoder_4 = _convolution(middle, middle)
        self.encoder_5 = _convolution(middle, coarse, stride=2)
        self.encoder_6 = _convolution(coarse, coarse)
        self.decoder_1 = _convolution(coarse, coarse)
        self.decoder_2 = _convolution(coarse + middle, middle)
        self.decoder_3 = _convolution(middle + fine, fine)
        self.proto_combiner_1 = _convolution(fine + 3, fine)
        self.proto_combiner_2 = _convolution(fine, fine)
        self.proto_combiner_3 = _convolution(fine, 4)
        *layers, last = (layer for layer in self.children() if isinstance(layer, nn.Conv2d))
        initialise(layers)
        # The first outputs are nearly the images: there is nothing to pre-train.
        nn.init.normal_(last.weight, std=0.002)
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    def forward(self, X: Tensor, P_SM: Tensor, prototypes: Sequence[Tensor]) -> list[Tensor]:
        """Perturb grey images, once per prototype.

        Args:
            X: Grey images, (B, 1, 224, 224), 0 to 1.
            P_SM: Same-class prototype of each image, (B, 3, 224, 224), 0 to 1.
            prototypes: For each output a prototype per image, (B, 3, 224, 224), 0 to 1.

        Returns:
            One (B, 1, 224, 224) tensor of perturbed images, 0 to 1, for each prototype.
        """
        features = self.features(X, P_SM)
        logits = torch.logit(X.clamp(DARKEST, 1 - DARKEST))
        return [torch.sigmoid(logits + self.change(features, P)) for P in prototypes]

    def features(self, X: Tensor, P_SM: Tensor) -> Tensor:
        """Return what encoder and decoder make of the images, (B, 48, 56, 56)."""
        h = F.pixel_unshuffle(torch.cat([X, P_SM], dim=1) - 0.5, REDUCTION)
        fine = _active(self.encoder_2, _active(self.encoder_1, h))  # (B, 48, 56, 56)
        middle = _active(self.encoder_4, _active(self.encoder_3, fine))  # (B, 96, 28, 28)
        coarse = _active(self.encoder_6, _active(self.encoder_5, middle))  # (B, 128, 14, 14)
        h = _active(self.decoder_1, coarse)
        h = _active(self.decoder_2, torch.cat([_doubled(h), middle], dim=1))
        return _active(self.decoder_3, torch.cat([_doubled(h), fine], dim=1))

    def change(self, features: Tensor, P: Tensor) -> Tensor:
        """Return what a prototype makes of the features: a change of the logits, (B, 1, 224, 224).

        It is computed at 112x112 and smoothly enlarged, so that it has no blocks.
        """
        h = torch.cat([features, F.avg_pool2d(P - 0.5, REDUCTION)], dim=1)
        h = _active(self.proto_combiner_2, _active(self.proto_combiner_1, h))
        h = F.pixel_shuffle(self.proto_combiner_3(h), 2).float()
        return F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)


def _active(layer: nn.Module, h: Tensor) -> Tensor:
    return F.leaky_relu(layer(h), LEAKY_SLOPE)


def _doubled(h: Tensor) -> Tensor:
    return F.interpolate(h, scale_factor=2, mode="nearest")
