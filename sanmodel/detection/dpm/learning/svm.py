"""The convex step: a component's weights for fixed placements (section 4.2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Matrix = NDArray[np.float32]


def solve(
    faces: Matrix,
    others: Matrix,
    start: NDArray[np.float32],
    least: NDArray[np.float64],
    C: float,
    steps: int = 150,
) -> NDArray[np.float32]:
    """Minimise |w|^2 / 2 + C * (sum of squared hinge losses), the two classes weighed equally.

    Args:
        faces: One example a row, (faces, weights).
        others: One hard negative a row, (others, weights).
        start: First guess of w, (weights,).
        least: Lower bounds of w, (weights,): a deformation must cost something.
        C: Weight of the losses.
        steps: Most steps of L-BFGS-B.

    Returns:
        w, (weights,).
    """
    total = len(faces) + len(others)
    groups = [
        (faces, 1.0, C * total / (2 * max(len(faces), 1))),
        (others, -1.0, C * total / (2 * max(len(others), 1))),
    ]
    bounds = [(low if np.isfinite(low) else None, None) for low in least]
    result = minimize(
        lambda w: _objective(w, groups),
        np.maximum(start, least),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": steps},
    )
    return np.asarray(result.x, np.float32)


def _objective(
    w: NDArray[np.float64], groups: Sequence[tuple[Matrix, float, float]]
) -> tuple[float, NDArray[np.float64]]:
    """Return the value at w and its gradient; a group is examples, their label and weight."""
    value, slope = 0.5 * float(w @ w), w.copy()
    w_32 = w.astype(np.float32)
    for examples, label, weight in groups:
        loss = np.maximum(1 - label * (examples @ w_32), 0)
        value += weight * float(loss.astype(np.float64) @ loss)
        slope -= 2 * weight * label * (loss @ examples)
    return value, slope
