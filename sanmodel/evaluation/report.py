"""From measurements to the figures and curves that are reported."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.intervals import (
    REPLICATES,
    Intervals,
    attribute_intervals,
    draw_people,
    error_change_interval,
    mean_interval,
    with_intervals,
)
from sanmodel.evaluation.match_intervals import (
    rate_intervals,
    scored_match_intervals,
    true_match_replicates,
)
from sanmodel.evaluation.measure import Arrays, Key
from sanmodel.evaluation.measures import CHANGE
from sanmodel.evaluation.pairs import measured_impostors
from sanmodel.evaluation.protocol import (
    THRESHOLD,
    Curve,
    PairScores,
    Verification,
    attribute_metrics,
    attribute_roc,
    count_pairs,
    true_match_name,
    verify,
    verify_scores,
)

ATTRIBUTE_COLUMNS = ["classifier", "variant", "fpr", "tpr"]
MATCHING_COLUMNS = ["matcher", "variant", "fmr", "tmr"]


def report_attribute(
    scores: Arrays, labels: NDArray[np.int64], people: NDArray[np.int64], seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Report how well the classifiers still read the attribute (paper, table 2 and figure 6).

    Args:
        scores: For each classifier and variant the probabilities of class 1, (N,).
        labels: True classes, (N,).
        people: Number of the person each image shows, (N,).
        seed: Of the intervals.

    Returns:
        The metrics by classifier and variant with their intervals, and the curves with
        ``ATTRIBUTE_COLUMNS``.
    """
    metrics = {
        (name, variant): with_intervals(
            attribute_metrics(labels, values), attribute_intervals(labels, values, people, seed)
        )
        | _error_change(labels, scores.get((name, "original")), values, people, seed, variant)
        for (name, variant), values in scores.items()
    }
    curves = {key: attribute_roc(labels, values) for key, values in scores.items()}
    return _nested(metrics), _table(curves, ATTRIBUTE_COLUMNS)


def _error_change(
    labels: NDArray[np.int64],
    before: NDArray[np.float64] | None,
    after: NDArray[np.float64],
    people: NDArray[np.int64],
    seed: int,
    variant: str,
) -> dict[str, float | None]:
    """Return how much more of a variant is read wrongly than of the original; of that nothing."""
    if before is None or variant == "original" or len(labels) == 0:
        return {}
    name = f"error_rate{CHANGE}"
    wrong = [float(((scores > THRESHOLD) != labels).mean()) for scores in (before, after)]
    interval = error_change_interval(labels, before, after, people, seed)
    return with_intervals({name: wrong[1] - wrong[0]}, {name: interval})


@dataclass(frozen=True)
class Matching:
    """How a variant fares with a matcher: true match rates with their intervals, and the curve."""

    rates: dict[str, float | None]
    curve: Curve


def match(
    descriptors: Arrays, people: NDArray[np.int64], rates: Sequence[float], seed: int
) -> dict[Key, Matching]:
    """Match every variant of faces against the originals.

    Args:
        descriptors: For each matcher and variant the descriptors, (N, d).
        people: Number of the person each image shows, (N,).
        rates: False match rates to report the true match rate at.
        seed: Of the intervals, and of drawn pairs where there are too many.
    """
    draws, impostors = draw_people(people, REPLICATES, seed), measured_impostors(people)
    found, replicates = {}, {}
    for (name, variant), probes in descriptors.items():
        gallery = descriptors[name, "original"]
        own = true_match_replicates(probes, gallery, people, rates, draws, seed)
        replicates[name, variant] = own
        intervals = rate_intervals(own, rates, impostors, draws)
        found[name, variant] = _matching(verify(probes, gallery, people, seed), rates, intervals)
    for name, variant in found:
        before = found[name, "original"]
        if variant != "original":
            moved = replicates[name, variant] - replicates[name, "original"]
            intervals = rate_intervals(moved, rates, impostors, draws)
            found[name, variant] = _with_change(found[name, variant], before, intervals)
    return found


def _with_change(after: Matching, before: Matching, intervals: Intervals) -> Matching:
    """Add how much each rate differs from the original's; ``intervals`` are by the rates' names."""
    changes: dict[str, float | None] = {}
    for name, interval in intervals.items():
        old, new = before.rates[name], after.rates[name]
        moved = None if old is None or new is None else new - old
        changes |= with_intervals({f"{name}{CHANGE}": moved}, {f"{name}{CHANGE}": interval})
    return Matching(after.rates | changes, after.curve)


def match_closed(
    closed: Mapping[Key, PairScores],
    people: NDArray[np.int64],
    rates: Sequence[float],
    seed: int,
) -> dict[Key, Matching]:
    """Report the same of matchers that gave scores of pairs.

    Args:
        closed: By matcher and variant.
        people: Number of the person each image shows that takes part in matching, (N,).
        rates: False match rates to report the true match rate at.
        seed: Of the intervals.
    """
    return {
        key: _matching(
            verify_scores(scored), rates, scored_match_intervals(scored, people, rates, seed)
        )
        for key, scored in closed.items()
    }


def report_matching(found: Mapping[Key, Matching]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Report how well the matchers still match (paper, table 3 and figure 7).

    Returns:
        The metrics by matcher and variant, and the curves with ``MATCHING_COLUMNS``.
    """
    metrics = {key: one.rates for key, one in found.items()}
    curves = {key: one.curve for key, one in found.items()}
    return _nested(metrics), _table(curves, MATCHING_COLUMNS)


def _matching(result: Verification, rates: Sequence[float], intervals: Intervals) -> Matching:
    found = {true_match_name(rate): result.true_match_rate(rate) for rate in rates}
    return Matching(with_intervals(found, intervals), result.roc())


def report_quality(
    quality: Arrays, people: NDArray[np.int64], seed: int
) -> dict[str, dict[str, float | None]]:
    """Average each similarity over the images.

    Args:
        quality: For each similarity and variant that to the originals, (N,), N at least 1.
        people: Number of the person each image shows, (N,).
        seed: Of the intervals.

    Returns:
        The means with their intervals, by variant.
    """
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    for (name, variant), values in quality.items():
        interval = {name: mean_interval(values, people, seed)}
        found[variant] |= with_intervals({name: float(values.mean())}, interval)
    return dict(found)


def _nested(flat: dict[Key, Any]) -> dict[str, dict[str, Any]]:
    """Turn {(a, b): value} into {a: {b: value}}."""
    nested: dict[str, dict[str, Any]] = defaultdict(dict)
    for (outer, inner), value in flat.items():
        nested[outer][inner] = value
    return dict(nested)


def _table(curves: dict[Key, Curve], columns: list[str]) -> pd.DataFrame:
    """Write curves below each other, a row per point."""
    rows = [
        (*key, x, y) for key, curve in curves.items() for x, y in zip(curve.x, curve.y, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)


def counts(faces: Faces) -> dict[str, int]:
    """Count people, images and pairs (paper, table 1)."""
    pairs = count_pairs(faces.people[faces.matched])
    return {
        "people": len(np.unique(faces.people)),
        "images": len(faces),
        "images_class_0": int((faces.labels == 0).sum()),
        "images_class_1": int((faces.labels == 1).sum()),
        "matched_images": int(faces.matched.sum()),
        "genuine_pairs": pairs.genuine,
        "impostor_pairs": pairs.impostor,
    }
