"""Laying a picture of one face over another, by their five landmarks.

Points are (x, y) in pixels, and (0, 0) is the middle of a picture's first pixel. A similarity
(shift, turn and one scale) is a matrix (2, 3) that takes (x, y, 1) to a point.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.images import Picture

MIRRORED = (2, 3, 0, 1, 4)
"""Which landmark a mirror shows in the place of each: the eyes change sides."""


def similarity(source: Tensor, target: Tensor) -> Tensor:
    """Return the similarities that bring points closest to others, by least squares.

    The closed form of Umeyama (1991) in two dimensions, without reflections. It is written without
    matrix products, which a GPU or autocast would round to few bits.

    Args:
        source: (B or 1, points, 2), not all of a row at one place.
        target: Where they are to come to, (B or 1, points, 2).

    Returns:
        (B, 2, 3).
    """
    source_centre, target_centre = source.mean(dim=1), target.mean(dim=1)
    s, t = source - source_centre[:, None], target - target_centre[:, None]
    square = s.square().sum(dim=(1, 2))
    cosine = (s * t).sum(dim=(1, 2)) / square  # times the scale, like the sine
    sine = (s[..., 0] * t[..., 1] - s[..., 1] * t[..., 0]).sum(dim=1) / square
    rows = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    shift = target_centre - (rows * source_centre[:, None]).sum(dim=2)
    return torch.cat([rows, shift[..., None]], dim=2)


def inverse(transform: Tensor) -> Tensor:
    """Return the similarities that undo others, (B, 2, 3)."""
    rows = transform[..., :2].transpose(1, 2)
    rows = rows / transform[:, 0, :2].square().sum(dim=1).view(-1, 1, 1)
    shift = -(rows * transform[:, None, :, 2]).sum(dim=2)
    return torch.cat([rows, shift[..., None]], dim=2)


def composed(outer: Tensor, inner: Tensor) -> Tensor:
    """Return the affine maps that do ``outer`` after ``inner``, (B, 2, 3) like both."""
    rows = (outer[:, :, :2, None] * inner[:, None]).sum(dim=2)
    return rows + F.pad(outer[..., 2:], (2, 0))


def warp(images: Tensor, transform: Tensor) -> Tensor:
    """Return pictures that show at every place p what an image has at ``transform`` of p.

    Between pixels the value is bilinear; beyond the border the nearest pixel of the edge is
    repeated, as in a crop (:func:`sanmodel.detection.crop.cut`).

    Args:
        images: (B or 1, channels, height, width).
        transform: (B, 2, 3).

    Returns:
        (B, channels, height, width).
    """
    height, width = images.shape[-2:]
    x = torch.arange(width, dtype=images.dtype, device=images.device)
    y = torch.arange(height, dtype=images.dtype, device=images.device)[:, None]
    # grid_sample counts from -1 to 1, from edge to edge of the image.
    grid = [
        (2 * (row[:, 0] * x + row[:, 1] * y + row[:, 2]) + 1) / side - 1
        for row, side in zip(transform[..., None, None].unbind(1), (width, height), strict=True)
    ]
    # Not len(): an exported graph would be tied to one size of batch.
    images = images.expand(transform.shape[0], -1, -1, -1)
    places = torch.stack(grid, dim=-1)
    return F.grid_sample(images, places, padding_mode="border", align_corners=False)


def mirrored(landmarks: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the landmarks (N, 5, 2) of faces in pictures of a width after left and right swap."""
    turned = landmarks[:, MIRRORED]
    turned[..., 0] = width - 1 - turned[..., 0]
    return turned


@dataclass(frozen=True)
class Straighten:
    """Moves faces so that their landmarks come to fixed places.

    Attributes:
        landmarks: The places, five points.
    """

    landmarks: tuple[tuple[float, float], ...]

    def __call__(self, picture: Picture, landmarks: NDArray[np.float32]) -> Picture:
        """Return an RGB picture (height, width, 3) of a face, moved.

        Args:
            picture: Likewise.
            landmarks: Of its face, (5, 2).
        """
        places = torch.tensor(self.landmarks)[None]
        transform = inverse(similarity(torch.from_numpy(landmarks)[None], places))
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].to(torch.float32)
        moved = warp(image, transform)[0].permute(1, 2, 0)
        pixels: Picture = moved.round().to(torch.uint8).numpy()
        return pixels
