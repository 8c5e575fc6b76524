"""From measurements to the figures and curves that are reported."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.evaluation.measure import Arrays, Key
from sanmodel.evaluation.protocol import Curve, attribute_metrics, attribute_roc, verify

ATTRIBUTE_COLUMNS = ["classifier", "variant", "fpr", "tpr"]
MATCHING_COLUMNS = ["matcher", "variant", "fmr", "tmr"]


def report_attribute(
    scores: Arrays, labels: NDArray[np.int64]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Report how well the classifiers still read the attribute (paper, table 2 and figure 6).

    Args:
        scores: For each classifier and variant the probabilities of class 1, (N,).
        labels: True classes, (N,).

    Returns:
        The metrics by classifier and variant, and the curves with ``ATTRIBUTE_COLUMNS``.
    """
    metrics = {key: attribute_metrics(labels, values) for key, values in scores.items()}
    curves = {key: attribute_roc(labels, values) for key, values in scores.items()}
    return _nested(metrics), _table(curves, ATTRIBUTE_COLUMNS)


def report_matching(
    descriptors: Arrays, people: NDArray[np.int64], rates: Sequence[float]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Report how well the matchers still match (paper, table 3 and figure 7).

    Args:
        descriptors: For each matcher and variant the descriptors, (N, d).
        people: Number of the person each image shows, (N,).
        rates: False match rates to report the true match rate at.

    Returns:
        The metrics by matcher and variant, and the curves with ``MATCHING_COLUMNS``.
    """
    metrics, curves = {}, {}
    for (name, variant), probes in descriptors.items():
        result = verify(probes, descriptors[name, "original"], people)
        rows = {f"tmr_at_fmr_{rate:g}": result.true_match_rate(rate) for rate in rates}
        metrics[name, variant], curves[name, variant] = rows, result.roc()
    return _nested(metrics), _table(curves, MATCHING_COLUMNS)


def report_quality(quality: Arrays) -> dict[str, dict[str, float]]:
    """Average each similarity over the images, by variant."""
    means = {(variant, name): float(values.mean()) for (name, variant), values in quality.items()}
    return _nested(means)


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
