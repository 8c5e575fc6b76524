"""Random differentiable looks at a face, between an output X' and the networks that judge it.

A perturbation that only fools a classifier at its own pixels overfits to it: another crop, another
camera or another classifier is not fooled. So every judge sees every output a little displaced,
turned, relit, blurred, noisy or compressed, each time in another way ("expectation over
transformation", Athalye et al., ICML 2018). Gradients flow through to X'.

Random numbers come from torch's global generator, which checkpoints keep.
"""

from dataclasses import dataclass
from functools import cache
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from sanmodel.alignment import composed

BLOCK = 8
"""Side of JPEG's blocks in pixels."""

ERASED = 1 / 8, 1 / 3
"""Least and largest side of an erased square, as a share of the look's side."""


@dataclass(frozen=True)
class Augmentation:
    """How far a look may be from the image.

    Attributes:
        shift: Largest displacement, as a share of the side.
        scale: Largest enlargement or reduction, as a share.
        turn: Largest rotation in radians.
        contrast: Largest change of the logarithm of the contrast.
        light: Largest change of the brightness, of 0 to 1.
        blur: Share of the looks that are blurred.
        noise: Largest standard deviation of the pixels' noise.
        compression: Largest step of a JPEG-like quantisation of 8x8 blocks.
        erase: Share of the looks in which a square is hidden by one grey value.
    """

    shift: float = 0.06
    scale: float = 0.12
    turn: float = 0.15
    contrast: float = 0.35
    light: float = 0.15
    blur: float = 0.5
    noise: float = 0.04
    compression: float = 0.1
    erase: float = 0.0

    def __call__(self, X: Tensor, size: int, base: Tensor | None = None) -> Tensor:
        """Look at images.

        Args:
            X: (B, C, height, width), 0 to 1: of each face C grey images, which get the same look.
            size: Side of the looks in pixels.
            base: Part of each image that a look starts from, as :func:`patches` takes it; the
                whole image by default. Shift and the others are shares of this part.

        Returns:
            (B, C, size, size); contrast, light and noise may leave the range 0 to 1.
        """
        placement = self._placement(len(X)).to(X.device)
        if base is None:
            h = _sampled(_reduced(X, size), placement, size)
        else:
            h = patches(X, composed(base, placement), size)
        h = (h - 0.5) * torch.exp(_spread(h, self.contrast)) + 0.5 + _spread(h, self.light)
        h = _blur(h, _chance(h, self.blur))
        h = h + torch.randn_like(h[:, :1]) * self.noise * _share(h)
        if size % BLOCK == 0:
            h = _compress(h, self.compression * _share(h))
        return _erase(h, self.erase) if self.erase else h

    def _placement(self, batch: int) -> Tensor:
        """Draw affine maps from places in the look to places in the image, (B, 2, 3)."""
        turn, scale, x, y = (2 * torch.rand(4, batch) - 1) * torch.tensor(
            [[self.turn], [self.scale], [2 * self.shift], [2 * self.shift]]
        )
        mirror = 1 - 2 * (torch.rand(batch) < 0.5).float()
        cos, sin = torch.cos(turn) * (1 + scale), torch.sin(turn) * (1 + scale)
        rows = [torch.stack([cos * mirror, -sin, x], 1), torch.stack([sin * mirror, cos, y], 1)]
        return torch.stack(rows, 1)


def resized(X: Tensor, size: int) -> Tensor:
    """Return images (B, 1, height, width) at (B, 1, size, size), without aliases."""
    if X.shape[-1] == size:
        return X
    return F.interpolate(X, (size, size), mode="bilinear", antialias=True, align_corners=False)


def patches(X: Tensor, placement: Tensor, size: int) -> Tensor:
    """Return a part of each image, turned and scaled as it may be, without aliases.

    They are sampled twice as finely and four samples averaged, which is enough as long as a
    patch's pixel is not much wider than three of the image's.

    Args:
        X: (B, C, height, width).
        placement: Affine maps from places in the patch to places in the image, (B, 2, 3); both
            count from -1 to 1, from edge to edge.
        size: Side of the patches in pixels.

    Returns:
        (B, C, size, size); what lies outside the image repeats its border.
    """
    return F.avg_pool2d(_sampled(X, placement, 2 * size), 2)


def _reduced(X: Tensor, size: int) -> Tensor:
    """Average pixels, so that looks at whole images do not alias; the borders stay where they are.

    Where the sides are no multiple of each other, the averaged blocks overlap a little.
    """
    reduction = X.shape[-1] // size
    return F.adaptive_avg_pool2d(X, X.shape[-1] // reduction) if reduction > 1 else X


def _sampled(X: Tensor, placement: Tensor, size: int) -> Tensor:
    """Sample images at affine places; what lies outside repeats the border."""
    grid = F.affine_grid(placement, [len(X), 1, size, size], align_corners=False)
    return F.grid_sample(X, grid.to(X.dtype), padding_mode="border", align_corners=False)


def _share(h: Tensor) -> Tensor:
    """Draw a number from 0 to 1 for each image, (B, 1, 1, 1)."""
    return torch.rand(len(h), 1, 1, 1, device=h.device, dtype=h.dtype)


def _spread(h: Tensor, most: float) -> Tensor:
    """Draw a number from -most to most for each image."""
    return most * (2 * _share(h) - 1)


def _chance(h: Tensor, probability: float) -> Tensor:
    """Draw 0 for most images and up to 1 for a share of them."""
    return _share(h) * (_share(h) < probability)


def _blur(h: Tensor, strength: Tensor) -> Tensor:
    """Mix images with a blurred form of theirs (a binomial filter of 5x5 pixels)."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=h.device, dtype=h.dtype) / 16
    padded = F.pad(h, (2, 2, 2, 2), mode="replicate")
    filters = (row[:, None] * row).expand(h.shape[1], 1, 5, 5)
    blurred = F.conv2d(padded, filters, groups=h.shape[1])
    return h + (blurred - h) * strength


def _compress(h: Tensor, step: Tensor) -> Tensor:
    """Add what rounding the coefficients of 8x8 blocks to ``step`` adds, as noise.

    Rounding itself has no gradient; uniform noise of the same size stands in for it, in each
    frequency in proportion to it, as JPEG's tables do.
    """
    basis = _cosines().to(h.device, h.dtype)  # (64, 1, 8, 8)
    frequency = torch.arange(BLOCK, device=h.device, dtype=h.dtype)
    table = (frequency[:, None] + frequency).view(1, BLOCK * BLOCK, 1, 1) / (2 * BLOCK)
    blocks = (len(h), BLOCK * BLOCK, h.shape[2] // BLOCK, h.shape[3] // BLOCK)
    noise = torch.rand(blocks, device=h.device, dtype=h.dtype) - 0.5
    return h + F.conv_transpose2d(noise * table * step * BLOCK, basis, stride=BLOCK)


def _erase(h: Tensor, probability: float) -> Tensor:
    """Fill a square somewhere with a grey value, in a share of the images."""
    least, largest = ERASED
    side = least + (largest - least) * _share(h)
    places = (torch.arange(h.shape[-1], device=h.device, dtype=h.dtype) + 0.5) / h.shape[-1]

    def covered() -> Tensor:
        start = (1 - side) * _share(h)
        return (start <= places) & (places < start + side)  # (B, 1, 1, size)

    hidden = covered() & covered().mT & (_share(h) < probability)
    return torch.where(hidden, _share(h), h)


@cache
def _cosines() -> Tensor:
    """Return the orthonormal basis of the 8x8 discrete cosine transform, (64, 1, 8, 8)."""
    n = torch.arange(BLOCK, dtype=torch.float32)
    basis = torch.cos(pi * (n + 0.5) * n[:, None] / BLOCK) * (2 / BLOCK) ** 0.5
    basis[0] /= 2**0.5
    return torch.einsum("iy,jx->ijyx", basis, basis).reshape(BLOCK * BLOCK, 1, BLOCK, BLOCK)
