"""Additive Gaussian noise that does as much harm in PSNR as ours."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.baselines import BASELINES, Context
from sanmodel.evaluation.baselines.strength import matched
from sanmodel.evaluation.faces import Faces
from sanmodel.images import Picture

WEAKEST, STRONGEST = 0.05, 10_000.0
"""Range of the standard deviation in grey levels: from the image itself to black and white dots."""


@BASELINES.register("noise")
class Noise:
    """The standard deviation is found by bisection, image by image.

    It is that before the grey values are rounded and clipped to 0 to 255. The noise is drawn from
    the seed and the image's own pixels, whatever batch the image is in.
    """

    variant = "noise"

    def __init__(self, context: Context) -> None:
        self._seed = context.seed

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`sanmodel.evaluation.baselines.Baseline.perturb`."""
        pairs = zip(faces.images, ours, strict=True)
        return np.stack([self._noisy(original, our) for original, our in pairs])

    def _noisy(self, original: Picture, ours: Picture) -> Picture:
        content = int.from_bytes(sha256(original.tobytes()).digest(), "big")
        generator = np.random.default_rng([self._seed, content])
        noise = generator.standard_normal(original.shape, dtype=np.float32)

        def perturbed(sigma: float) -> Picture:
            noisy = original + np.float32(sigma) * noise
            return noisy.round().clip(0, 255).astype(np.uint8)

        return matched(perturbed, original, ours, WEAKEST, STRONGEST)
