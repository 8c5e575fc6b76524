"""How much an output looks like its original."""

from importlib import metadata

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

VERSION = f"scikit-image {metadata.version('scikit-image')}"
"""What the figures depend on besides the images."""

MAX_PSNR = 60.0
"""Stands in for the infinite PSNR of equal images; a difference of one grey level in every 20th
pixel already has 61 dB."""


def psnr(original: NDArray[np.uint8], output: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of two grey images in dB, at most ``MAX_PSNR``."""
    with np.errstate(divide="ignore"):
        ratio = peak_signal_noise_ratio(  # type: ignore[no-untyped-call]
            original, output, data_range=255
        )
    return min(float(ratio), MAX_PSNR)


def ssim(original: NDArray[np.uint8], output: NDArray[np.uint8]) -> float:
    """Return the structural similarity of two grey images, at most 1.

    The window is that of Wang et al., "Image quality assessment" (2004): a Gaussian of sigma 1.5.
    """
    similarity = structural_similarity(  # type: ignore[no-untyped-call]
        original,
        output,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)
