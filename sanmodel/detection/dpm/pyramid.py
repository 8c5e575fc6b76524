"""The feature pyramid (section 3.1): one photo at many scales."""

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
        # Plain tables: functools.cache on a method would tie the pyramid to itself, and tens of
        # megabytes would wait for the collector of cycles.
        self._features: dict[int, Features] = {}
        self._scaled: dict[int, Image.Image] = {}

    def scale(self, level: int) -> float:
        """Return the scale of a level."""
        return self._finest * float(2.0 ** (-level / self.per_octave))

    def features(self, level: int) -> Features:
        """Return the map of a level, (rows, columns, 32)."""
        if level not in self._features:
            self._features[level] = hog(np.asarray(self._photo_at(level)))
        return self._features[level]

    def _photo_at(self, level: int) -> Image.Image:
        """Return the photo at a level."""
        if level not in self._scaled:
            self._scaled[level] = self._scale(level)
        return self._scaled[level]

    def _scale(self, level: int) -> Image.Image:
        """Resize the photo; an octave down the finer level is halved, which is fast."""
        if level >= self.per_octave:
            return self._photo_at(level - self.per_octave).reduce(2)
        width, height = (ceil(side * self.scale(level)) for side in self._photo.size)
        return self._photo.resize((width, height), Image.Resampling.BILINEAR)
