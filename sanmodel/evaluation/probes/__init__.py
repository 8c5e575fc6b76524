"""Questions that the paper leaves open: a new one is a new module here, registered.

A probe looks at what an evaluation has of one set of faces and answers with a table of figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.classifiers import AttributeClassifier
from sanmodel.evaluation.faces import Faces
from sanmodel.registry import Registry

Answer = dict[str, dict[str, float | None]]
"""Rows of a table by their names, each with a figure by column; None where it is not defined.

Columns are named like the other metrics: ``error_rate``, ``auc``, ``tmr_at_fmr_0.01``, ``rank_1``,
``psnr``; rates are fractions.
"""


@dataclass(frozen=True)
class Side:
    """Faces and their variants.

    Attributes:
        faces: N faces.
        variants: For "original", "SM", "NT" and "OP" the grey images, (N, 224, 224) uint8.
    """

    faces: Faces
    variants: Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Study:
    """All that a probe may look at.

    Attributes:
        attribute: Name of the protected attribute.
        test: The test side, or another set whose people no training saw.
        outside: People outside ``test``, from the training side: what an attacker can learn from.
        members: Variants of ``test`` that are the opposite outputs of one model each: "OP" is ours.
        classifiers: Independent attribute classifiers by name.
        scores: For each classifier and variant of ``test`` the probabilities of class 1, (N,).
        descriptors: For each matcher and variant of ``test`` the descriptors, (N, d).
        quality: For ``psnr`` and ``ssim`` and each variant but the original its likeness to the
            original, (N,).
        false_match_rates: At which true match rates are reported.
        steps: Training steps that each attacking network may take.
        seed: Of every random number.
    """

    attribute: str
    test: Side
    outside: Side
    members: tuple[str, ...]
    classifiers: Mapping[str, AttributeClassifier]
    scores: Mapping[tuple[str, str], NDArray[np.float64]]
    descriptors: Mapping[tuple[str, str], NDArray[np.float64]]
    quality: Mapping[tuple[str, str], NDArray[np.float64]]
    false_match_rates: tuple[float, ...]
    steps: int
    seed: int


class Probe(Protocol):
    """Answers one question; made once per run.

    Attributes:
        title: What the table of its answer is called.
        question: What it asks, one sentence for a reader who does not know the field.
        missing: Why cells of its table may be empty; nothing if that is said elsewhere.
        needs: Kinds of networks, "classifiers" or "matchers", without which it has no answer.
    """

    title: str
    question: str
    missing: str
    needs: tuple[str, ...]

    def __init__(self) -> None: ...

    def answer(self, study: Study) -> Answer:
        """Answer for one set of faces; rows that cannot be measured have None."""
        ...


PROBES: Registry[type[Probe]] = Registry("probe", __name__)
