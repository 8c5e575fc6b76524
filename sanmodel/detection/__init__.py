"""Face detectors: a new one is a new module here with a class registered in ``DETECTORS``."""

from dataclasses import dataclass
from typing import Protocol

from sanmodel.images import Picture
from sanmodel.registry import Registry
from sanmodel.settings import PreprocessSettings


@dataclass(frozen=True)
class Face:
    """A face box in pixels of the photo, and how sure the detector is (its own scale)."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.right - self.left) * (self.bottom - self.top)


class Detector(Protocol):
    """Finds faces; made once per run with the stage's settings."""

    def __init__(self, settings: PreprocessSettings) -> None: ...

    def detect(self, photo: Picture) -> list[Face]:
        """Return the faces of an RGB photo (height, width, 3), in any order."""
        ...


DETECTORS: Registry[type[Detector]] = Registry(
    "face detector", __name__, extras={"deformable_parts": "dpm"}
)
