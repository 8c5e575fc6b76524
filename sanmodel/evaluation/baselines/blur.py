"""Gaussian blur that does as much harm in PSNR as ours."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from sanmodel.evaluation.baselines import BASELINES, Context
from sanmodel.evaluation.baselines.strength import matched
from sanmodel.evaluation.faces import Faces
from sanmodel.images import Picture

WEAKEST, STRONGEST = 0.02, 1000.0
"""Range of the standard deviation in pixels: from the image itself to one of its mean grey."""


@BASELINES.register("blur")
class Blur:
    """The standard deviation is found by bisection, image by image."""

    variant = "blur"

    def __init__(self, context: Context) -> None:
        """It builds on nothing."""

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`sanmodel.evaluation.baselines.Baseline.perturb`."""
        pairs = zip(faces.images, ours, strict=True)
        return np.stack([_matched_blur(original, our) for original, our in pairs])


class GaussianBlur:
    """Blurs one image by any standard deviation, as if it were mirrored at its edges.

    The cosine transform of an image is the Fourier transform of the image with its mirror images,
    so that the blur is a product there, and the transform is computed once for all deviations.

    Args:
        image: Grey image (height, width).
    """

    def __init__(self, image: Picture) -> None:
        self._spectrum = dctn(image.astype(np.float32), norm="ortho")
        y, x = (np.pi * np.arange(side) / side for side in image.shape)
        self._square = (y[:, None] ** 2 + x**2).astype(np.float32)  # of the angular frequency

    def __call__(self, sigma: float) -> Picture:
        """Return the image blurred by a standard deviation in pixels."""
        transfer = np.exp(np.float32(-(sigma**2) / 2) * self._square)
        blurred = idctn(self._spectrum * transfer, norm="ortho")
        pixels: Picture = blurred.round().clip(0, 255).astype(np.uint8)
        return pixels


def _matched_blur(original: Picture, ours: Picture) -> Picture:
    return matched(GaussianBlur(original), original, ours, WEAKEST, STRONGEST)
