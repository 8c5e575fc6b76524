"""One photo: find its faces, decide on each, perturb them, and put them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel import runtime
from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.crop import FaceCrop, crop_face
from sanmodel.detection.search import find_faces
from sanmodel.errors import SanError
from sanmodel.images import Picture, to_grey
from sanmodel.photos.blending import blend
from sanmodel.photos.deciding import Decision, decide
from sanmodel.runtime.classifier import KIND, AttributeReader
from sanmodel.runtime.manifest import Crop, read_manifest
from sanmodel.settings import PreprocessSettings

PIPELINE = PreprocessSettings()
"""``preprocess`` as it comes: its detector is taken where it is installed."""

BASE_DETECTOR = "dlib"
"""The detector where that of ``preprocess`` is not installed. Both draw the same box."""


@dataclass(frozen=True)
class FoundFace:
    """A face of a photo.

    Attributes:
        box: Where it is.
        crop: What the model is shown, and where that lies in the photo.
        grey: The crop in grey, (224, 224).
    """

    box: Face
    crop: FaceCrop
    grey: Picture


@dataclass(frozen=True)
class PerturbedFace:
    """A face after perturbation.

    Attributes:
        found: The face before.
        decision: Its class and mode.
        perturbed: Its crop, grey, (224, 224).
    """

    found: FoundFace
    decision: Decision
    perturbed: Picture


class FaceFinder:
    """Finds the faces of photos; not to be shared by threads.

    Args:
        crop: What the model takes for a face crop.
        detector: Name of the face detector; None takes :func:`default_detector`.

    Raises:
        SanError: If there is no such detector.
    """

    def __init__(self, crop: Crop, detector: str | None = None) -> None:
        self._crop = PreprocessSettings(crop_scale=crop.crop_scale, shift_up=crop.shift_up)
        self._detector = DETECTORS.get(detector or default_detector())(self._crop)

    def find(self, photo: Picture) -> list[FoundFace]:
        """Find the faces of a photo.

        Args:
            photo: Upright RGB, (height, width, 3).

        Returns:
            The largest first.
        """
        boxes = sorted(find_faces(self._detector, photo), key=lambda face: -face.area)
        crops = [crop_face(photo, box, self._crop) for box in boxes]
        return [
            FoundFace(box, crop, to_grey(crop.picture))
            for box, crop in zip(boxes, crops, strict=True)
        ]


class FaceModel:
    """Reads and perturbs found faces with one exported model; not to be shared by threads.

    Args:
        folder: An export folder.
        runtime_name: One of ``san runtimes``; None takes the fastest.
        precision: Likewise.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If there is no such runtime, or a file is missing or altered.
    """

    def __init__(
        self,
        folder: Path,
        runtime_name: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        manifest = read_manifest(folder)
        self._model = runtime.load(folder, runtime_name, precision, threads)
        kinds = {file.kind for file in manifest.files}
        self._reader = AttributeReader(folder, threads) if KIND in kinds else None
        self.attribute, self.folder = manifest.attribute, folder

    @property
    def reads(self) -> bool:
        """Whether the export has classifiers, so that :meth:`read` works."""
        return self._reader is not None

    def read(self, greys: Sequence[Picture]) -> NDArray[np.float32]:
        """Return each crop's probability of having the attribute, as the auxiliary classifiers say.

        Args:
            greys: Grey crops, (224, 224) each.

        Raises:
            SanError: If the export has no classifiers.
        """
        if self._reader is None:
            raise SanError(
                f"{self.folder} has no classifier to tell the class of a face: say it with"
                " --attribute"
            )
        return self._reader.probabilities(_stacked(greys))

    def perturb(
        self, faces: Sequence[FoundFace], decisions: Sequence[Decision]
    ) -> list[PerturbedFace]:
        """Perturb faces, all in one pass."""
        if not faces:
            return []
        made = self._model.perturb(
            _stacked([face.grey for face in faces]),
            [decision.label for decision in decisions],
            np.array([decision.mode for decision in decisions], np.float32),
            np.stack([face.crop.landmarks for face in faces]),
        )
        return [PerturbedFace(*one) for one in zip(faces, decisions, made, strict=True)]


class PhotoPerturber:
    """Perturbs photos with one exported model; not to be shared by threads.

    Args:
        folder: An export folder.
        detector: Name of the face detector; None takes :func:`default_detector`.
        runtime_name: One of ``san runtimes``; None takes the fastest.
        precision: Likewise.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If there is no such detector or runtime, or a file is missing or altered.
    """

    def __init__(
        self,
        folder: Path,
        detector: str | None = None,
        runtime_name: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._finder = FaceFinder(read_manifest(folder).crop, detector)
        self._model = FaceModel(folder, runtime_name, precision, threads)
        self.attribute, self.folder = self._model.attribute, folder

    def find(self, photo: Picture) -> list[FoundFace]:
        """Find the faces of a photo, see :meth:`FaceFinder.find`."""
        return self._finder.find(photo)

    def read(self, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """Return each face's probability of having the attribute, as the auxiliary classifiers say.

        Raises:
            SanError: If the export has no classifiers.
        """
        return self._model.read([face.grey for face in faces])

    def decide(
        self, faces: Sequence[FoundFace], told: int | None, mode: float, least_confidence: float
    ) -> list[Decision]:
        """Decide on faces; arguments as of :func:`sanmodel.photos.deciding.decide`."""
        read = self.read(faces) if told is None and faces else np.zeros(len(faces), np.float32)
        return decide(told, read, mode, least_confidence)

    def perturb(
        self, faces: Sequence[FoundFace], decisions: Sequence[Decision]
    ) -> list[PerturbedFace]:
        """Perturb faces, all in one pass."""
        return self._model.perturb(faces, decisions)


def put_back(photo: Picture, faces: Sequence[PerturbedFace]) -> Picture:
    """Return a photo with its perturbed faces in it, (height, width, 3).

    Args:
        photo: The one that they were found in.
        faces: Its faces. Where two crops overlap, both changes are added.
    """
    changed = np.array(photo)
    for face in faces:
        blend(changed, face.found.crop.square, face.found.grey, face.perturbed)
    return changed


def default_detector() -> str:
    """Return the detector of ``preprocess`` where the pipeline is installed, else dlib's."""
    return PIPELINE.detector if PIPELINE.detector in DETECTORS.names() else BASE_DETECTOR


def _stacked(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    return np.stack(pictures)
