"""How strong a naive perturbation must be to do as much harm as ours."""

from collections.abc import Callable
from math import sqrt

import numpy as np

from sanmodel.evaluation.similarity import psnr
from sanmodel.images import Picture

TOLERANCE = 0.01
"""Difference in dB at which the search ends."""

MAX_STEPS = 30
"""Halvings of the range: enough for the last bit of grey that any strength changes."""


def matched(
    perturbed: Callable[[float], Picture],
    original: Picture,
    ours: Picture,
    weakest: float,
    strongest: float,
) -> Picture:
    """Return the perturbed image whose PSNR comes nearest to that of ours, by bisection.

    Args:
        perturbed: Makes the image of a strength; the PSNR falls as the strength grows.
        original: Grey image (height, width).
        ours: What our model makes of it, likewise.
        weakest: Least strength, above 0.
        strongest: Greatest strength.

    Returns:
        Grey image (height, width). Where no strength reaches the PSNR it is that of nearly the
        weakest or strongest.
    """
    wanted = psnr(original, ours)
    best, best_gap = original, np.inf
    for _ in range(MAX_STEPS):
        strength = sqrt(weakest * strongest)
        image = perturbed(strength)
        excess = psnr(original, image) - wanted
        if abs(excess) < best_gap:
            best, best_gap = image, abs(excess)
        if best_gap <= TOLERANCE:
            break
        if excess > 0:
            weakest = strength
        else:
            strongest = strength
    return best
