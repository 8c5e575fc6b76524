"""The two figures that attackers are judged by."""

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.protocol import attribute_metrics


def attack_figures(
    labels: NDArray[np.int64], scores: NDArray[np.float64] | None
) -> dict[str, float | None]:
    """Measure how well an attacker reads classes.

    Args:
        labels: True classes, (N,), 0 or 1.
        scores: Probabilities of class 1, (N,); None if there is no attacker.

    Returns:
        ``error_rate`` and ``auc`` of :func:`sanmodel.evaluation.protocol.attribute_metrics`.
    """
    if scores is None:
        return {"error_rate": None, "auc": None}
    metrics = attribute_metrics(labels, scores)
    return {name: metrics[name] for name in ("error_rate", "auc")}
