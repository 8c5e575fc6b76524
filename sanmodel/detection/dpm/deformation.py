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
    along_rows, column = _transform_rows(np.ascontiguousarray(response), a_x, b_x)
    along_both, row = _transform_rows(np.ascontiguousarray(along_rows.T), a_y, b_y)
    rows = np.ascontiguousarray(row.T)
    return along_both.T, rows, np.take_along_axis(column, rows, axis=0)


@njit(cache=True)
def _transform_rows(response: Any, a: Any, b: Any) -> Any:
    """Transform each row by itself; return the scores and the places that reach them."""
    rows, size = response.shape
    score = np.empty((rows, size), np.float32)
    place = np.empty((rows, size), np.int32)
    top = np.empty(size, np.int32)  # places whose parabolas are on top, from left to right
    start = np.empty(size + 1)  # from where on each of them is
    for i in range(rows):
        f = response[i]
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
            score[i, p] = f[top[k]] - a * d * d - b * d
            place[i, p] = top[k]
    return score, place
