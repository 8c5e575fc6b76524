"""The measures of the paper's section 3: attribute error and ROC curve, true match rate.

Verification: probes are perturbed images, the gallery holds the originals. A genuine pair is an
ordered pair of different images of one person, an impostor pair an ordered pair of images of
different people. The score of a pair is the negative Euclidean distance of its descriptors.

A genuine pair is a true match at the false match rate r if at most r times all impostor pairs
score at least as high. This is the true match rate at the lowest threshold whose false match rate
does not exceed r; where scores tie, the impostor is taken to win. The threshold belongs to one
kind of probe: its own impostor pairs set it.

All pairs count of up to ``sanmodel.evaluation.pairs.EXACT_IMAGES`` images. Of more images a sample
of impostor pairs stands for all of them, while every genuine pair still counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from sanmodel.evaluation.pairs import (
    SAMPLE_SEED,
    Floats,
    Integers,
    are_sampled,
    count_impostors,
    genuine_distances,
    impostor_blocks,
    measured_impostors,
)

CURVE_POINTS = 200
"""Most points that a curve is drawn with."""

THRESHOLD = 0.5
"""Probability above which a face is read as class 1."""


@dataclass(frozen=True)
class Curve:
    """A ROC curve; without points where it is not defined.

    Attributes:
        x: False positive or false match rates, (P,), ascending.
        y: True positive or true match rates, (P,).
    """

    x: Floats
    y: Floats


def attribute_metrics(labels: Integers, scores: Floats) -> dict[str, float | None]:
    """Measure one attribute classifier on one kind of image.

    Args:
        labels: True classes, (N,), 0 or 1.
        scores: Probabilities of class 1, (N,).

    Returns:
        ``error_rate`` over all images, ``error_rate_class_0``, ``error_rate_class_1`` and
        ``auc``, as fractions; None where a class that is needed has no image.
    """
    wrong = (scores > THRESHOLD) != labels
    both = len(np.unique(labels)) == 2
    return {  # not plain "error": DVC takes a metric of that name for a failure
        "error_rate": _mean(wrong),
        "error_rate_class_0": _mean(wrong[labels == 0]),
        "error_rate_class_1": _mean(wrong[labels == 1]),
        "auc": float(roc_auc_score(labels, scores)) if both else None,
    }


def attribute_roc(labels: Integers, scores: Floats) -> Curve:
    """Return the ROC curve of :func:`attribute_metrics`' arguments (paper, figure 6)."""
    if len(np.unique(labels)) < 2:
        return Curve(np.empty(0), np.empty(0))
    fpr, tpr, _ = roc_curve(labels, scores)
    kept = np.unique(np.linspace(0, len(fpr) - 1, CURVE_POINTS).round().astype(np.int64))
    return Curve(fpr[kept], tpr[kept])


@dataclass(frozen=True)
class PairCounts:
    """Number of ordered pairs of each kind."""

    genuine: int
    impostor: int


def count_pairs(people: Integers) -> PairCounts:
    """Count the pairs of images of people, (N,) numbers."""
    impostors = count_impostors(people)
    return PairCounts(len(people) * (len(people) - 1) - impostors, impostors)


@dataclass(frozen=True)
class Verification:
    """How one kind of probe fares against the gallery.

    Attributes:
        rivals: For each genuine pair the number of measured impostor pairs that score at least as
            high, (genuine pairs,), in the order in which the pairs were given: of :func:`verify`
            that of :func:`sanmodel.evaluation.pairs.genuine_places`.
        impostor_pairs: Number of measured impostor pairs.
        sample_seed: Seed with which they were drawn from all; None if all were measured.
    """

    rivals: Integers
    impostor_pairs: int
    sample_seed: int | None = None

    def matches(self, false_match_rate: float) -> NDArray[np.bool_] | None:
        """Tell which genuine pairs are true matches at a false match rate, (genuine pairs,).

        None where fewer than ``1 / false_match_rate`` impostor pairs leave the rate unmeasurable.
        """
        allowed = allowed_matches(false_match_rate, self.impostor_pairs)
        return self.rivals <= allowed if allowed >= 1 else None

    def true_match_rate(self, false_match_rate: float) -> float | None:
        """Return the share of :meth:`matches`; None without these or without genuine pairs."""
        matches = self.matches(false_match_rate)
        return None if matches is None else _mean(matches)

    def roc(self) -> Curve:
        """Return the curve at rates spaced evenly on a log axis (paper, figure 7)."""
        if self.impostor_pairs == 0 or len(self.rivals) == 0:
            return Curve(np.empty(0), np.empty(0))
        spaced = np.geomspace(1, self.impostor_pairs, CURVE_POINTS)
        allowed = np.unique(spaced.round().astype(np.int64))
        matched = np.searchsorted(np.sort(self.rivals), allowed, side="right")
        return Curve(allowed / self.impostor_pairs, matched / len(self.rivals))


@dataclass(frozen=True)
class PairScores:
    """What a matcher made of pairs of images.

    Attributes:
        scores: Of each pair, (P,), higher for faces that are more alike.
        people: Numbers of the people on the probe and on the gallery image of each, (P, 2).
    """

    scores: Floats
    people: Integers

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Which pairs show one person, (P,)."""
        return np.asarray(self.people[:, 0] == self.people[:, 1])

    @property
    def impostors(self) -> int:
        """Number of pairs that show two people."""
        return int((~self.genuine).sum())


def verify_scores(scored: PairScores) -> Verification:
    """Verify by the scores of pairs: all genuine ones, and all impostors or a sample.

    Where scores tie, the impostor is taken to win.
    """
    genuine, impostor = scored.scores[scored.genuine], scored.scores[~scored.genuine]
    lower = np.searchsorted(np.sort(impostor), genuine, side="left")
    return Verification(len(impostor) - lower, len(impostor))


def verify(
    probes: Floats, gallery: Floats, people: Integers, seed: int = SAMPLE_SEED
) -> Verification:
    """Match every probe against every gallery image but that of the same photo.

    Exact up to ``sanmodel.evaluation.pairs.EXACT_IMAGES`` images; of more, impostor pairs are
    drawn and ``Verification.sample_seed`` says so. Memory: a few blocks of ``BLOCK_PAIRS`` pairs,
    80 MB for the drawn ones and 32 bytes per genuine pair.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        seed: Of the draw, where there is one.
    """
    genuine = genuine_distances(probes, gallery, people)
    order = np.argsort(genuine)
    sorted_rivals = np.zeros(len(genuine), dtype=np.int64)
    for block in impostor_blocks(probes, gallery, people, seed):
        nearer = np.searchsorted(np.sort(block.distances), genuine[order], side="right")
        sorted_rivals += nearer
    rivals = np.empty_like(sorted_rivals)
    rivals[order] = sorted_rivals
    sample_seed = seed if are_sampled(people) else None
    return Verification(rivals, measured_impostors(people), sample_seed)


def true_match_name(rate: float) -> str:
    """Return what the true match rate at a false match rate is called among metrics."""
    return f"tmr_at_fmr_{rate:g}"


def allowed_matches(rate: float, impostor_pairs: int) -> int:
    """Return how many false matches a rate allows; 0.29 of 100 are 29, whatever floats say."""
    return floor(rate * impostor_pairs + 1e-9)


def explain_gaps(labels: Integers, people: Integers, rates: Sequence[float]) -> list[str]:
    """Say in a sentence each which measures the test images cannot give.

    Args:
        labels: True classes, (N,), 0 or 1.
        people: Number of the person each image shows, (N,).
        rates: False match rates that are asked for.
    """
    gaps = [
        f"no test image is of class {label}: its attribute error and the AUC are not defined"
        for label in (0, 1)
        if label not in labels
    ]
    impostors = measured_impostors(people)
    if count_pairs(people).genuine == 0:
        gaps.append("no person has two matched images: there is no genuine pair to match")
    gaps += [
        f"{impostors} impostor pairs are too few for a false match rate of {rate:g}"
        for rate in rates
        if allowed_matches(rate, impostors) < 1
    ]
    return gaps


def _mean(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None
