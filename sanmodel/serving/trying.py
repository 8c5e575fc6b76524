"""The answer to ``POST /try``: a photo in every mode, and what is measured on its faces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sanmodel.photos.deciding import words_for
from sanmodel.photos.perturbing import put_back
from sanmodel.runtime.perturber import WEIGHTS
from sanmodel.serving.face_work import Granted, Wish
from sanmodel.serving.finding import Found
from sanmodel.serving.matching import SAME_PERSON, Matching
from sanmodel.serving.pictures import data_url

ORIGINAL = "original"
MODES = tuple(WEIGHTS)

NO_CLASSIFIER = "The model came without a classifier, so what one reads from a face is left out."
NO_MATCHER = "No face matcher is installed here, so match distances are left out."
UNCERTAIN = "The class of a face is not certain: for it the opposite image is the neutral one."
SKIPPED = "Faces that are too small stay as they are: {}."


@dataclass(frozen=True)
class Tried:
    """A photo whose faces were perturbed in every mode.

    Attributes:
        found: The photo and its faces.
        granted: Of each face, its output in each of ``MODES``.
    """

    found: Found
    granted: list[list[Granted]]


def wishes_for(found: Found, told: int | None) -> list[Wish]:
    """Return what to ask of the model: each face in each of ``MODES``."""
    return [Wish(face, told, WEIGHTS[mode], judged=True) for face in found.faces for mode in MODES]


def tried(found: Found, granted: Sequence[Granted]) -> Tried:
    """Sort what the model made of :func:`wishes_for` by face."""
    count = len(MODES)
    parts = [list(granted[start : start + count]) for start in range(0, len(granted), count)]
    return Tried(found, parts)


def answer(one: Tried, attribute: str, matching: Matching) -> dict[str, Any]:
    """Return the answer as it is sent, in JSON.

    Args:
        one: The photo.
        attribute: What the model hides.
        matching: Compares faces, where it can.
    """
    crops = [[made.face.perturbed for made in face] for face in one.granted]
    distances = matching.distances(one.found.faces, crops)
    height, width = one.found.photo.shape[:2]
    words = words_for(attribute)
    rows: Sequence[list[float] | None] = distances or [None] * len(crops)
    return {
        "width": width,
        "height": height,
        "attribute": attribute,
        "words": words,
        "same_person": SAME_PERSON,
        "images": _images(one),
        "faces": [_face(face, row, words) for face, row in zip(one.granted, rows, strict=True)],
        "note": " ".join(_notes(one, distances is not None)),
    }


def _images(one: Tried) -> dict[str, str]:
    images = {ORIGINAL: data_url(one.found.photo)}
    for place, mode in enumerate(MODES):
        faces = [face[place].face for face in one.granted]
        images[mode] = data_url(put_back(one.found.photo, faces))
    return images


def _face(
    granted: Sequence[Granted], distances: Sequence[float] | None, words: tuple[str, str]
) -> dict[str, Any]:
    face, decision = granted[0].face.found, granted[0].face.decision
    box = face.box
    figures = {ORIGINAL: _figures(granted[0].before, None if distances is None else 0.0)}
    for place, mode in enumerate(MODES):
        distance = None if distances is None else distances[place]
        figures[mode] = _figures(granted[place].after, distance)
    return {
        "box": [box.left, box.top, box.right, box.bottom],
        "class": words[decision.label],
        "confidence": decision.confidence,
        "modes": figures,
    }


def _figures(probability: float | None, distance: float | None) -> Mapping[str, float]:
    """Return what could be measured of one output."""
    told = {"probability": probability, "distance": distance}
    return {name: value for name, value in told.items() if value is not None}


def _notes(one: Tried, matched: bool) -> list[str]:
    made = [granted for face in one.granted for granted in face]
    notes = [NO_CLASSIFIER] if any(granted.after is None for granted in made) else []
    notes += [] if matched else [NO_MATCHER]
    opposite = [face[MODES.index("opposite")].face.decision.mode for face in one.granted]
    notes += [UNCERTAIN] if min(opposite) < 1 else []
    notes += [SKIPPED.format(one.found.skipped)] if one.found.skipped else []
    return notes
