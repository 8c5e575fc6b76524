"""The measures of the paper's section 3: attribute error and ROC curve, true match rate.

Verification: probes are perturbed images, the gallery holds the originals. A genuine pair is an
ordered pair of different images of one person, an impostor pair an ordered pair of images of
different people. The score of a pair is the negative Euclidean distance of its descriptors.

A genuine pair is a true match at the false match rate r if at most r times all impostor pairs
score at least as high. This is the true match rate at the lowest threshold whose false match rate
does not exceed r; where scores tie, the impostor is taken to win. The threshold belongs to one
kind of probe: its own impostor pairs set it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.metrics.pairwise import euclidean_distances

BLOCK_PAIRS = 8_000_000
"""Pairs whose distances are in memory at a time, 64 MB."""

CURVE_POINTS = 200
"""Most points that a curve is drawn with."""

THRESHOLD = 0.5
"""Probability above which a face is read as class 1."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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
    _, images = np.unique(people, return_counts=True)
    same = int((images**2).sum())
    return PairCounts(same - len(people), len(people) ** 2 - same)


@dataclass(frozen=True)
class Verification:
    """How one kind of probe fares against the gallery.

    Attributes:
        rivals: For each genuine pair the number of impostor pairs that score at least as high,
            (genuine pairs,), ascending.
        impostor_pairs: Number of all impostor pairs.
    """

    rivals: Integers
    impostor_pairs: int

    def true_match_rate(self, false_match_rate: float) -> float | None:
        """Return the true match rate at a false match rate.

        None without genuine pairs, and where fewer than ``1 / false_match_rate`` impostor pairs
        leave the rate unmeasurable.
        """
        allowed = _allowed(false_match_rate, self.impostor_pairs)
        if allowed < 1 or len(self.rivals) == 0:
            return None
        return float(self._true_matches(np.array([allowed]))[0])

    def roc(self) -> Curve:
        """Return the curve at rates spaced evenly on a log axis (paper, figure 7)."""
        if self.impostor_pairs == 0 or len(self.rivals) == 0:
            return Curve(np.empty(0), np.empty(0))
        spaced = np.geomspace(1, self.impostor_pairs, CURVE_POINTS)
        allowed = np.unique(spaced.round().astype(np.int64))
        return Curve(allowed / self.impostor_pairs, self._true_matches(allowed))

    def _true_matches(self, allowed: Integers) -> Floats:
        """Return the true match rate for each number of false matches that is allowed."""
        return np.searchsorted(self.rivals, allowed, side="right") / len(self.rivals)


def verify(probes: Floats, gallery: Floats, people: Integers) -> Verification:
    """Match every probe against every gallery image but that of the same photo.

    Exact, in two passes over blocks of distances. Memory: a few blocks of ``BLOCK_PAIRS`` and 16
    bytes per genuine pair.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
    """
    genuine = np.sort(np.concatenate([own for own, _ in _pairs(probes, gallery, people)]))
    rivals = np.zeros(len(genuine), dtype=np.int64)
    for _, others in _pairs(probes, gallery, people):
        rivals += np.searchsorted(np.sort(others), genuine, side="right")
    return Verification(rivals, count_pairs(people).impostor)


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
    pairs = count_pairs(people)
    if pairs.genuine == 0:
        gaps.append("every person has one test image: there is no genuine pair to match")
    gaps += [
        f"{pairs.impostor} impostor pairs are too few for a false match rate of {rate:g}"
        for rate in rates
        if _allowed(rate, pairs.impostor) < 1
    ]
    return gaps


def _pairs(probes: Floats, gallery: Floats, people: Integers) -> Iterator[tuple[Floats, Floats]]:
    """Yield the distances of genuine and of impostor pairs, block by block of probes."""
    images = np.arange(len(probes))
    rows = max(1, BLOCK_PAIRS // len(probes))
    for start in range(0, len(probes), rows):
        block = slice(start, start + rows)
        distances = euclidean_distances(probes[block], gallery)
        same_person = people[block, None] == people
        same_image = images[block, None] == images
        yield distances[same_person & ~same_image], distances[~same_person]


def _allowed(rate: float, impostor_pairs: int) -> int:
    """Return how many false matches a rate allows; 0.29 of 100 are 29, whatever floats say."""
    return floor(rate * impostor_pairs + 1e-9)


def _mean(wrong: NDArray[np.bool_]) -> float | None:
    return float(wrong.mean()) if len(wrong) else None
