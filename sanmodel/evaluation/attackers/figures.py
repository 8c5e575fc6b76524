"""The two figures that attackers are judged by."""

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.intervals import attribute_intervals, with_intervals
from sanmodel.evaluation.protocol import attribute_metrics


def attack_figures(
    labels: NDArray[np.int64],
    scores: NDArray[np.float64] | None,
    people: NDArray[np.int64],
    seed: int,
    reader: str = "",
    error: str = "error_rate",
) -> dict[str, float | None]:
    """Measure how well an attacker reads classes.

    Args:
        labels: True classes, (N,), 0 or 1.
        scores: Probabilities of class 1, (N,); None if there is no attacker.
        people: Number of the person each image shows, (N,).
        seed: Of the intervals.
        reader: Who reads, if one row has the figures of several: it then stands in their names.
        error: What the share of wrong answers is called, where the classes are not the attribute's.

    Returns:
        ``error_rate`` and ``auc`` of :func:`sanmodel.evaluation.protocol.attribute_metrics` with
        their intervals; of a reader ``error_rate (<reader>)`` and so on.
    """
    names = {"error_rate": error, "auc": "auc"}
    columns = {one: f"{name} ({reader})" if reader else name for one, name in names.items()}
    if scores is None:
        return dict.fromkeys(columns.values())
    metrics = attribute_metrics(labels, scores)
    intervals = attribute_intervals(labels, scores, people, seed)
    return with_intervals(
        {column: metrics[measure] for measure, column in columns.items()},
        {column: intervals[measure] for measure, column in columns.items()},
    )
