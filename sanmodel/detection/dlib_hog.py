"""dlib's frontal face detector: a rigid HOG template per pose (King, 2009)."""

import dlib

from sanmodel.detection import DETECTORS, Face
from sanmodel.images import Picture
from sanmodel.settings import PreprocessSettings

UPSAMPLE = 1
"""Doublings of the photo before the search: faces down to 40 pixels are found."""

THRESHOLD = -0.2
"""Least score; below dlib's own 0, for a few more slightly turned faces."""


@DETECTORS.register("dlib")
class DlibDetector:
    """Finds frontal faces of 40 pixels and more."""

    def __init__(self, settings: PreprocessSettings) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, photo: Picture) -> list[Face]:
        """See :meth:`sanmodel.detection.Detector.detect`."""
        boxes, scores, _ = self._detector.run(photo, UPSAMPLE, THRESHOLD)
        return [
            Face(box.left(), box.top(), box.right() + 1, box.bottom() + 1, score)
            for box, score in zip(boxes, scores, strict=True)
        ]
