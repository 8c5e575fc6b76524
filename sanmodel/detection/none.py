"""No detection: the photos are crops already."""

from sanmodel.detection import DETECTORS, Face
from sanmodel.images import Picture
from sanmodel.settings import PreprocessSettings


@DETECTORS.register("none")
class NoDetector:
    """Takes the face to be where the crop definition puts it, so that the whole photo is kept."""

    def __init__(self, settings: PreprocessSettings) -> None:
        self._settings = settings

    def detect(self, photo: Picture) -> list[Face]:
        """Return the one box whose crop is the photo's largest centred square."""
        height, width = photo.shape[:2]
        side = min(height, width)
        box = side / self._settings.crop_scale
        x, y = width / 2, height / 2 + self._settings.shift_up * box
        return [Face(x - box / 2, y - box / 2, x + box / 2, y + box / 2, 1.0)]
