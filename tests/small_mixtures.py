"""Small mixtures with random weights, and photos for them."""

import numpy as np

from sanmodel.detection.dpm.hog import FEATURES
from sanmodel.detection.dpm.model import Component, Mixture, Part, root_box
from sanmodel.images import Picture


def photo(height: int = 96, width: int = 80, seed: int = 0) -> Picture:
    """Smooth noise: neighbouring pixels are alike, as in a photo."""
    noise = np.random.default_rng(seed).normal(0, 60, (height // 4, width // 4, 3))
    return (128 + noise.repeat(4, axis=0).repeat(4, axis=1)).clip(0, 255).astype(np.uint8)


def mixture(seed: int = 0, parts: int = 2) -> Mixture:
    """A component of 3x4 cells with parts of 2x3, and its mirror image."""
    generator = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return generator.normal(0, 0.1, shape).astype(np.float32)

    root = weights(3, 4, FEATURES)
    members = tuple(
        Part(weights(2, 3, FEATURES), (2 * i, i), np.array([0.1, 0.02, 0.2, -0.01], np.float32))
        for i in range(parts)
    )
    box = root_box(root, parts) + 0.1 * weights(4, 1 + 2 * parts)
    component = Component(root, 0.25, members, box)
    return Mixture((component, component.mirrored()), threshold=0.5)
