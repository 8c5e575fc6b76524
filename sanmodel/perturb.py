"""Photos in, perturbed face crops out: what ``san perturb`` does, with an exported model."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanmodel import runtime
from sanmodel.builtin import builtin_model
from sanmodel.detection import DETECTORS
from sanmodel.detection.crop import crop_face
from sanmodel.detection.search import find_faces, largest
from sanmodel.errors import SanError
from sanmodel.exported import export_folder
from sanmodel.files import atomic_file
from sanmodel.images import Picture, decode_rgb, encode_png, to_grey
from sanmodel.runtime import MODES, Mode
from sanmodel.settings import PreprocessSettings

PIPELINE = PreprocessSettings()
"""``preprocess`` as it comes: its detector is taken where it is installed."""

BASE_DETECTOR = "dlib"
"""The detector where that of ``preprocess`` is not installed. Both draw the same box."""


@dataclass(frozen=True)
class PerturbedFace:
    """A face of a photo after perturbation.

    Attributes:
        picture: Its grey crop, perturbed, (224, 224).
        faces: How many faces the photo shows; this one is the largest.
    """

    picture: Picture
    faces: int


class FacePerturber:
    """Finds the largest face of a photo and perturbs its crop.

    Args:
        folder: An export folder.
        label: Class of every face, 0 or 1.
        mode: Prototype to perturb with.
        detector: Name of the face detector; None takes :func:`default_detector`.

    Raises:
        SanError: If there is no such mode or detector, or a file is missing or altered.
    """

    def __init__(self, folder: Path, label: int, mode: Mode, detector: str | None = None) -> None:
        if mode not in MODES:
            raise SanError(f"there is no mode {mode!r}: choose one of {', '.join(MODES)}")
        crop = runtime.load_manifest(folder).crop
        self._crop = PreprocessSettings(crop_scale=crop.crop_scale, shift_up=crop.shift_up)
        self._detector = DETECTORS.get(detector or default_detector())(self._crop)
        self._model, self._label, self.mode = runtime.load(folder), label, mode

    def perturb(self, photo: Picture, name: str) -> PerturbedFace:
        """Perturb the face of a photo.

        Args:
            photo: Upright RGB, (height, width, 3).
            name: What messages call it.

        Raises:
            SanError: If no face is found.
        """
        faces = find_faces(self._detector, photo)
        if not faces:
            raise SanError(
                f"no face was found in {name}: give a photo with an upright face, at least"
                f" {self._crop.min_face:.0%} of its longest side and 40 pixels wide"
            )
        crop = crop_face(photo, largest(faces), self._crop)
        grey, landmarks = np.stack([to_grey(crop.picture)]), crop.landmarks[None]
        picture = self._model.perturb(grey, [self._label], self.mode, landmarks)[0]
        return PerturbedFace(picture, len(faces))


def default_detector() -> str:
    """Return the detector of ``preprocess`` where the pipeline is installed, else dlib's."""
    return PIPELINE.detector if PIPELINE.detector in DETECTORS.names() else BASE_DETECTOR


@dataclass(frozen=True)
class Outcome:
    """What became of one photo.

    Attributes:
        written: Whether its face was perturbed and written.
        message: One sentence: the file and what it shows, or what is wrong and the mend.
    """

    written: bool
    message: str


def face_perturber(
    attribute: str,
    has_attribute: bool | None,
    mode: Mode,
    folder: Path | None = None,
    detector: str | None = None,
) -> FacePerturber:
    """Open a model for faces of one class.

    Args:
        attribute: The attribute to hide.
        has_attribute: Whether the faces have it. It must be told in every mode: also the neutral
            output is made from the image with the prototype of its own class, P_SM (paper, figure
            2), and a class that this program guessed would be wrong now and then without a word.
        mode: Prototype to perturb with.
        folder: An export folder, or ``models`` of a work tree; None takes the built-in model.
        detector: See :class:`FacePerturber`.

    Raises:
        SanError: If the class is not told, there is no such mode, detector or built-in model, or a
            file is missing, altered or of another attribute.
    """
    if has_attribute is None:
        raise SanError(
            f"the model must be told what it hides: add --has-attribute yes if the faces have the"
            f" attribute {attribute}, or --has-attribute no"
        )
    exported = export_folder(folder, attribute) if folder else builtin_model(attribute)
    return FacePerturber(exported, int(has_attribute), mode, detector)


def perturb_photos(
    photos: Iterable[Path], folder: Path, perturber: FacePerturber, force: bool = False
) -> Iterator[Outcome]:
    """Write the perturbed face of each photo to ``folder/<name>-<mode>.png``.

    Photos are turned upright by their EXIF orientation; the files hold pixels and nothing else. A
    photo that fails does not stop the others.

    Args:
        photos: Image files.
        folder: Made if it is missing.
        perturber: What perturbs a photo.
        force: Replace files that are there already.

    Yields:
        What became of each photo, in their order.
    """
    photos, written = list(photos), set[Path]()
    inputs = {photo.resolve() for photo in photos}
    for photo in photos:
        out = folder / f"{photo.stem}-{perturber.mode}.png"
        try:
            _check_free(out, photo, out in written, force, inputs)
            face = perturber.perturb(decode_rgb(_read(photo), str(photo)), str(photo))
            _write(out, face.picture)
        except SanError as error:
            yield Outcome(False, str(error))
            continue
        written.add(out)
        which = "the face" if face.faces == 1 else f"the largest of {face.faces} faces"
        yield Outcome(True, f"{out}: {which} in {photo}")


def _check_free(out: Path, photo: Path, taken: bool, force: bool, inputs: set[Path]) -> None:
    if out.resolve() in inputs:
        raise SanError(f"{out} is one of the photos: choose another folder for the faces")
    if taken:
        raise SanError(
            f"{photo} has the name of an earlier photo, whose face is in {out}: rename it"
        )
    if os.path.lexists(out) and not force:
        raise SanError(f"{out} is there already: add --force to replace it")


def _read(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except FileNotFoundError as error:
        raise SanError(f"{photo} is missing: check its name") from error
    except IsADirectoryError as error:
        raise SanError(f"{photo} is a folder: name the photos in it") from error
    except OSError as error:
        raise SanError(
            f"{photo} cannot be read ({error.strerror}): check its place and permissions"
        ) from error


def _write(out: Path, picture: Picture) -> None:
    try:
        with atomic_file(out) as partial:
            partial.write_bytes(encode_png(picture))
    except OSError as error:
        raise SanError(
            f"{out} cannot be written ({error.strerror}): check its place, its permissions and the"
            " length of its name"
        ) from error
