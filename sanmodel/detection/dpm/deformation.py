"""The generalized distance transform (Felzenszwalb and Huttenlocher, 2004).

It answers, for every place p at which a part could be anchored, how well the part does at the
best place q nearby: the maximum over q of response(q) - a (q - p)^2 - b (q - p), in both
directions. Parabolas that are nowhere on top are dropped in one sweep, so the time is linear in the
number of places.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Map = NDArray[np.float32]
Places = NDArray[np.int32]


def transform(response: Map, deformation: NDArray[np.float32]) -> tuple[Map, Places, Places]:
    """Let a part move.

    Args:
        response: Of the part's filter at every place, (rows, columns).
        deformation: a_x, b_x, a_y, b_y; a_x and a_y are positive.

    Returns:
        The best score for every anchor, and the row and the column where it is reached, each
        (rows, columns).
    """
    a_x, b_x, a_y, b_y = (float(value) for value in deformation)
    return _transform(response, a_x, b_x, a_y, b_y)  # type: ignore[no-any-return]


@njit(cache=True)
def _transform(response: Any, a_x: float, b_x: float, a_y: float, b_y: float) -> Any:
    """Transform every row, then every column of the result."""
    rows, columns = response.shape
    score = np.empty((rows, columns), np.float32)
    row = np.empty((rows, columns), np.int32)
    column = np.empty((rows, columns), np.int32)
    across, place = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.int32)
    for i in range(rows):
        _sweep(response[i], a_x, b_x, across[i], place[i])
    for j in range(columns):
        _sweep(across[:, j], a_y, b_y, score[:, j], row[:, j])
        for i in range(rows):
            column[i, j] = place[row[i, j], j]
    return score, row, column


@njit(cache=True)
def _sweep(f: Any, a: float, b: float, score: Any, place: Any) -> None:
    """Write the best score and its place for each p of one line."""
    size = len(f)
    top = np.empty(size, np.int32)  # places whose parabolas are on top, from left to right
    start = np.empty(size + 1)  # from where on each of them is
    count = 0
    top[0], start[0], start[1] = 0, -np.inf, np.inf
    for q in range(1, size):
        # With the linear term, the parabolas of q and t meet where both do equally well.
        while True:
            t = top[count]
            meet = (f[t] - f[q]) / (2 * a * (q - t)) + (q + t) / 2 + b / (2 * a)
            if meet > start[count]:
                break
            count -= 1
        count += 1
        top[count], start[count], start[count + 1] = q, meet, np.inf
    k = 0
    for p in range(size):
        while start[k + 1] < p:
            k += 1
        d = top[k] - p
        score[p] = f[top[k]] - a * d * d - b * d
        place[p] = top[k]
