"""What is done with one photo, in this process or a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sanmodel.detection import Face as Box
from sanmodel.errors import SanError
from sanmodel.images import Picture, encode_png
from sanmodel.photos.deciding import Decision, label_of, words_for
from sanmodel.photos.inputs import Job
from sanmodel.photos.perturbing import PerturbedFace, PhotoPerturber, put_back
from sanmodel.photos.pictures import OpenedPhoto, open_photo, write_bytes, write_photo
from sanmodel.photos.record import Entry, state_of

Kind = Literal["photo", "crops"]


@dataclass(frozen=True)
class Order:
    """What a user wants of every photo.

    Attributes:
        model: The export folder.
        out: The output folder.
        word: Class of all faces in the user's word, or "auto".
        mode: Place of the prototype, 0 to 1.
        least_confidence: See :func:`sanmodel.photos.deciding.decide`.
        kind: Whole photos with faces blended back, or crops of 224x224 pixels.
        largest_only: Leave all faces but the largest of each photo as they are.
        keep_location: See :func:`sanmodel.photos.pictures.open_photo`.
        force: Replace outputs that are there already.
        replace_originals: Let an output replace its own photo.
        detector: See :class:`sanmodel.photos.perturbing.PhotoPerturber`.
        runtime: Likewise.
        precision: Likewise.
    """

    model: Path
    out: Path
    word: str = "auto"
    mode: float = 1.0
    least_confidence: float = 0.8
    kind: Kind = "photo"
    largest_only: bool = False
    keep_location: bool = False
    force: bool = False
    replace_originals: bool = False
    detector: str | None = None
    runtime: str | None = None
    precision: str | None = None

    @property
    def asked(self) -> str:
        """What makes outputs others: a photo is done again if it changes."""
        named = (self.word, self.mode, self.least_confidence, self.kind, self.largest_only)
        more = (self.model.resolve(), self.detector, self.keep_location)
        return " ".join(map(str, (*named, *more)))

    def open(self, threads: int | None = None) -> PhotoPerturber:
        """Open the model and the detector."""
        return PhotoPerturber(self.model, self.detector, self.runtime, self.precision, threads)


@dataclass(frozen=True)
class Face:
    """A face before and after, for whoever checks it.

    Attributes:
        before: Grey crop, (224, 224).
        after: Likewise.
        box: Left, top, right, bottom of the face in pixels of the crop.
    """

    before: Picture
    after: Picture
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Done:
    """What became of one photo.

    Attributes:
        entries: For the record.
        problem: Why nothing was written; None if something was.
        faces: Its perturbed faces.
    """

    entries: Sequence[Entry]
    problem: str | None = None
    faces: Sequence[Face] = ()


def work(job: Job, order: Order, perturber: PhotoPerturber) -> Done:
    """Perturb one photo and write what was asked for; an error becomes part of the answer."""
    state = state_of(job.source, order.asked)
    try:
        photo = open_photo(job.source, order.keep_location)
        found = perturber.find(photo.pixels)
        if not found:
            raise SanError(
                f"no face was found in {job.source}: give a photo with an upright face, at least"
                " 15% of its longest side and 40 pixels wide"
            )
        chosen = found[:1] if order.largest_only else found
        told = label_of(job.word or order.word, perturber.attribute)
        decisions = perturber.decide(chosen, told, order.mode, order.least_confidence)
        faces = perturber.perturb(chosen, decisions)
        outputs = _write(job, order, photo, faces)
    except SanError as error:
        return Done([Entry(str(job.source), state, note=str(error))], str(error))
    entries = [
        entry_of(job, number, face.found.box, face.decision, output, order, perturber.attribute)
        for number, (face, output) in enumerate(zip(faces, outputs, strict=True), start=1)
    ]
    seen = [Face(one.found.grey, one.perturbed, one.found.crop.box) for one in faces]
    return Done(entries, None, seen)


def output_of(job: Job, order: Order, ending: str) -> Path:
    """Return where an output of a photo goes, after a look at what is there.

    Raises:
        SanError: If it would replace a file and must not.
    """
    path = order.out / job.name.with_name(f"{job.name.name}{ending}")
    if path.resolve() == job.source.resolve():
        if not order.replace_originals:
            raise SanError(
                f"{path} is the photo itself: choose another folder for the outputs, or add"
                " --replace-originals"
            )
    elif (path.exists() or path.is_symlink()) and not order.force:
        raise SanError(f"{path} is there already: add --force to replace it")
    return path


def _write(
    job: Job, order: Order, photo: OpenedPhoto, faces: Sequence[PerturbedFace]
) -> list[Path]:
    """Write the outputs of a photo; return the file of each face."""
    if order.kind == "photo":
        path = output_of(job, order, photo.ending)
        write_photo(path, put_back(photo.pixels, faces), photo)
        return [path] * len(faces)
    paths = [output_of(job, order, f"-{number}.png") for number in range(1, len(faces) + 1)]
    for path, face in zip(paths, faces, strict=True):
        write_bytes(path, encode_png(face.perturbed))
    return paths


def entry_of(
    job: Job,
    number: int,
    box: Box,
    decision: Decision,
    output: Path,
    order: Order,
    attribute: str,
) -> Entry:
    """Return what the record says of a face.

    Args:
        job: Its photo or video.
        number: Of the face, from 1.
        box: Where it is, or was last.
        decision: How it was perturbed.
        output: The file that it is in.
        order: What was asked for.
        attribute: The attribute that is hidden.
    """
    read = decision.confidence
    return Entry(
        photo=str(job.source),
        state=state_of(job.source, order.asked),
        face=number,
        left=round(box.left, 1),
        top=round(box.top, 1),
        right=round(box.right, 1),
        bottom=round(box.bottom, 1),
        attribute=words_for(attribute)[decision.label],
        confidence="" if read is None else f"{read:.3f}",
        mode=f"{decision.mode:g}",
        output=str(output.relative_to(order.out)),
        note=note_on(decision, order.mode),
    )


def note_on(decision: Decision, wanted: float) -> str:
    """Say where a face was not perturbed as it was asked for."""
    if decision.mode == wanted or decision.confidence is None:
        return ""
    return f"its class is certain to {decision.confidence:.0%} only: perturbed towards neutral"
