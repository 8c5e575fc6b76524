"""What the model does with a batch of faces of several requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from sanmodel.images import Picture
from sanmodel.photos.deciding import decide
from sanmodel.photos.perturbing import FaceModel, FoundFace, PerturbedFace


@dataclass(frozen=True)
class Wish:
    """One output of one face.

    Attributes:
        face: The face.
        told: Its class as the user says; None if classifiers are to read it.
        mode: The wanted place of the prototype, 0 (same class) to 1 (opposite class).
        judged: Whether classifiers are to read the face before and after.
    """

    face: FoundFace
    told: int | None
    mode: float
    judged: bool = False


@dataclass(frozen=True)
class Granted:
    """What became of a wish.

    Attributes:
        face: The face, its class and its output.
        before: Probability of having the attribute; None if it was not read.
        after: That of the output; None if the wish was not to be judged, or nothing reads it.
    """

    face: PerturbedFace
    before: float | None
    after: float | None


class FaceWork:
    """Grants wishes with one model.

    Args:
        model: The model.
        least_confidence: Probability of a class below which a face is not certain.
    """

    def __init__(self, model: FaceModel, least_confidence: float) -> None:
        self._model, self._least = model, least_confidence

    def __call__(self, wishes: Sequence[Wish]) -> list[Granted]:
        """Grant wishes, each the same whatever else is in the batch."""
        shown = [wish.face.grey for wish in wishes]
        before = self._read(shown, [wish.told is None or wish.judged for wish in wishes])
        decisions = [
            decide(wish.told, [read or 0.0], wish.mode, self._least)[0]
            for wish, read in zip(wishes, before, strict=True)
        ]
        faces = self._model.perturb([wish.face for wish in wishes], decisions)
        after = self._read([face.perturbed for face in faces], [wish.judged for wish in wishes])
        return [Granted(*one) for one in zip(faces, before, after, strict=True)]

    def _read(self, greys: Sequence[Picture], wanted: Sequence[bool]) -> list[float | None]:
        """Read those that are wanted; None of the others, and of all if nothing reads."""
        if not self._model.reads or not any(wanted):
            return [None] * len(wanted)
        chosen = [grey for grey, want in zip(greys, wanted, strict=True) if want]
        read = iter(self._model.read(chosen))
        return [float(next(read)) if want else None for want in wanted]
