"""How like the outputs are to their faces, as a face matcher says, where one is installed."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sanmodel.errors import SanError
from sanmodel.images import Picture
from sanmodel.photos.perturbing import FoundFace

if TYPE_CHECKING:
    from sanmodel.evaluation.matchers import Matcher

MATCHER = "dlib-resnet"
SAME_PERSON = 0.6
"""Distance below which the author of the matcher takes two faces for one person's."""


class Matching:
    """Compares faces; may be shared by threads, of which one compares at a time.

    The matcher is opened at the first use: it brings PyTorch, which perturbing does without.

    Args:
        wanted: Whether to compare at all.
    """

    def __init__(self, wanted: bool) -> None:
        self._lock, self._tried = threading.Lock(), not wanted
        self._matcher: Matcher | None = None

    def distances(
        self, faces: Sequence[FoundFace], outputs: Sequence[Sequence[Picture]]
    ) -> list[list[float]] | None:
        """Return the distance of each output of each face from the face.

        Args:
            faces: The faces.
            outputs: Crops of each, (224, 224), as many of every face.

        Returns:
            None if no matcher can be had.
        """
        with self._lock:
            matcher = self._opened()
            if matcher is None:
                return None
            greys = [[face.grey, *made] for face, made in zip(faces, outputs, strict=True)]
            boxes = np.array([face.crop.box for face in faces], np.float64)
            count = len(greys[0])
            told = matcher.descriptors(np.concatenate(greys), np.repeat(boxes, count, axis=0))
        told = told.reshape(len(faces), count, -1)
        lengths = np.linalg.norm(told[:, 1:] - told[:, :1], axis=2)
        return [[float(one) for one in row] for row in lengths]

    def _opened(self) -> "Matcher | None":
        if not self._tried:
            self._tried = True
            try:
                from sanmodel.evaluation.matchers import MATCHERS

                self._matcher = MATCHERS.get(MATCHER)()
            except (ImportError, SanError):
                self._matcher = None
        return self._matcher
