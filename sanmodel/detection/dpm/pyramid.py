"""The feature pyramid (section 3.1): one photo at many scales."""

from functools import cache
from math import ceil, log2

import numpy as np
from PIL import Image

from sanmodel.detection.dpm.hog import CELL, Features, hog
from sanmodel.images import Picture


class Pyramid:
    """Features of a photo at falling scales; a level is computed when it is first asked for.

    Args:
        photo: RGB, (height, width, 3).
        finest: Scale of level 0: pixels of the scaled photo per pixel of the photo.
        coarsest: No level has a smaller scale.
        per_octave: Levels from one scale to its half.
    """

    def __init__(self, photo: Picture, finest: float, coarsest: float, per_octave: int) -> None:
        self.per_octave = per_octave
        self._finest = finest
        self._photo = Image.fromarray(photo)
        # A level is at least one cell high and wide.
        coarsest = max(coarsest, CELL / min(self._photo.size))
        self.levels = max(0, 1 + int(per_octave * log2(finest / coarsest) + 1e-6))
        self.features = cache(self._features)
        self._scaled = cache(self._scale_photo)

    def scale(self, level: int) -> float:
        """Return the scale of a level."""
        return self._finest * float(2.0 ** (-level / self.per_octave))

    def _features(self, level: int) -> Features:
        """Return the map of a level, (rows, columns, 32)."""
        return hog(np.asarray(self._scaled(level)))

    def _scale_photo(self, level: int) -> Image.Image:
        """Return the photo at a level; an octave down it is halved, which is fast."""
        if level >= self.per_octave:
            return self._scaled(level - self.per_octave).reduce(2)
        width, height = (ceil(side * self.scale(level)) for side in self._photo.size)
        return self._photo.resize((width, height), Image.Resampling.BILINEAR)
