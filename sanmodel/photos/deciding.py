"""Which class a face is of, and how it is perturbed: told by the user, or read by classifiers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.runtime.perturber import MODES, WEIGHTS

AUTO = "auto"

WORDS = {"Male": ("female", "male")}
"""What people call the classes 0 and 1; of other attributes "no" and "yes"."""


@dataclass(frozen=True)
class Decision:
    """How one face is perturbed.

    Attributes:
        label: Its class, 0 or 1.
        confidence: Probability of the class, one half to 1; None if the user told it.
        mode: Place of the prototype, 0 (same class) to 1 (opposite class).
    """

    label: int
    confidence: float | None
    mode: float


def words_for(attribute: str) -> tuple[str, str]:
    """Return what people call the classes 0 and 1 of an attribute."""
    return WORDS.get(attribute, ("no", "yes"))


def label_of(word: str, attribute: str) -> int | None:
    """Return the class that a user names, None if classifiers are to read it.

    Raises:
        SanError: If it is no class of the attribute.
    """
    words = words_for(attribute)
    known = {words[0]: 0, words[1]: 1, "no": 0, "yes": 1}
    if word == AUTO:
        return None
    if word not in known:
        raise SanError(
            f"{word!r} is no class of {attribute}: choose one of {AUTO}, {words[0]}, {words[1]}"
        )
    return known[word]


def mode_of(text: str) -> float:
    """Return the place that a mode's name or a number stands for, 0 to 1.

    Raises:
        SanError: If it is neither.
    """
    for mode in MODES:
        if text == mode:
            return WEIGHTS[mode]
    try:
        place = float(text)
    except ValueError:
        place = -1.0
    if not 0 <= place <= 1:
        raise SanError(
            f"there is no mode {text!r}: choose one of {', '.join(MODES)}, or a number from 0"
            " (same) by 0.5 (neutral) to 1 (opposite)"
        )
    return place


def decide(
    told: int | None,
    probabilities: Sequence[float] | NDArray[np.float32],
    mode: float,
    least_confidence: float,
) -> list[Decision]:
    """Decide for faces whose class was told or read.

    A face whose class is not certain enough gets the neutral prototype at most: with the opposite
    one of a wrong class its attribute would be stressed.

    Args:
        told: Class of all faces; None if it was read.
        probabilities: What classifiers read, of having the attribute.
        mode: The wanted place of the prototype.
        least_confidence: Probability of the class below which a face is not certain.
    """
    if told is not None:
        return [Decision(told, None, mode) for _ in probabilities]
    return [_read(float(one), mode, least_confidence) for one in probabilities]


def _read(probability: float, mode: float, least_confidence: float) -> Decision:
    label = int(probability >= 0.5)
    confidence = probability if label else 1 - probability
    certain = confidence >= least_confidence
    return Decision(label, confidence, mode if certain else min(mode, WEIGHTS["neutral"]))
