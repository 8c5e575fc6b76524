"""The project's own deformable part model, see :mod:`sanmodel.detection.dpm`."""

from pathlib import Path

from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.dpm import FACE_MODEL
from sanmodel.detection.dpm.detect import Detection, detect
from sanmodel.detection.dpm.model import load_mixture
from sanmodel.images import Picture
from sanmodel.settings import PreprocessSettings

LEAST_PIXELS = 24
"""A narrower face holds too little to be worth a search, whatever its share of the photo."""


@DETECTORS.register("dpm")
class DeformablePartDetector:
    """Finds frontal and turned faces of ``min_face`` times the photo's longest side and more."""

    def __init__(self, settings: PreprocessSettings) -> None:
        path = settings.dpm_model
        self._mixture = load_mixture(Path(path) if path else FACE_MODEL)
        self._min_face = settings.min_face

    def detect(self, photo: Picture) -> list[Face]:
        """See :meth:`sanmodel.detection.Detector.detect`."""
        return [_as_face(one) for one in self.find(photo)]

    def find(self, photo: Picture) -> list[Detection]:
        """Return the faces with their parts and views, best first."""
        smallest = max(self._min_face * max(photo.shape[:2]), LEAST_PIXELS)
        return detect(self._mixture, photo, smallest)


def _as_face(found: Detection) -> Face:
    left, top, right, bottom = (float(edge) for edge in found.box)
    return Face(left, top, right, bottom, found.score)
