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


def transform(
    response: Map, deformation: NDArray[np.float32], anchors: tuple[slice, slice]
) -> tuple[Map, Places, Places]:
    """Let a part move.

    Args:
        response: Of the part's filter at every place, (rows, columns).
        deformation: a_x, b_x, a_y, b_y; a_x and a_y are positive.
        anchors: Rows and columns at which the part may be anchored.

    Returns:
        The best score for every anchor, and the row and the column where it is reached, each
        (anchor rows, anchor columns).
    """
    a_x, b_x, a_y, b_y = (float(value) for value in deformation)
    rows, columns = (np.arange(size)[of] for size, of in zip(response.shape, anchors, strict=True))
    return _transform(response, a_x, b_x, a_y, b_y, rows, columns)  # type: ignore[no-any-return]


@njit(cache=True)
def _transform(
    response: Any, a_x: float, b_x: float, a_y: float, b_y: float, rows: Any, columns: Any
) -> Any:
    """Transform every row for the anchors' columns, then these columns for the anchors' rows."""
    height, width = response.shape
    # Transposed, so that the lines of both sweeps lie in one piece.
    across = np.empty((len(columns), height), np.float32)
    place = np.empty((len(columns), height), np.int32)
    room = _room(max(height, width))
    reciprocals = 1 / (2 * a_x * np.arange(width).astype(np.float32))
    for i in range(height):
        _sweep(response[i], a_x, b_x, reciprocals, columns, across[:, i], place[:, i], room)
    score = np.empty((len(rows), len(columns)), np.float32)
    row = np.empty((len(rows), len(columns)), np.int32)
    column = np.empty((len(rows), len(columns)), np.int32)
    reciprocals = 1 / (2 * a_y * np.arange(height).astype(np.float32))
    for j in range(len(columns)):
        _sweep(across[j], a_y, b_y, reciprocals, rows, score[:, j], row[:, j], room)
        for i in range(len(rows)):
            column[i, j] = place[j, row[i, j]]
    return score, row, column


@njit(cache=True)
def _room(size: int) -> Any:
    """Return memory for one sweep: the places on top and from where on each of them is."""
    return np.empty(size, np.int32), np.empty(size + 1, np.float32)


@njit(cache=True)
def _sweep(
    f: Any, a: float, b: float, reciprocals: Any, anchors: Any, score: Any, place: Any, room: Any
) -> None:
    """Write the best score and its place for each anchor of one line."""
    top, start = room  # the parabolas that are on top somewhere, from left to right
    lean = np.float32(b / (2 * a))
    half, most = np.float32(0.5), np.float32(np.inf)
    count = 0
    top[0], start[0], start[1] = 0, -most, most
    for q in range(1, len(f)):
        # With the linear term, the parabolas of q and t meet where both do equally well.
        while True:
            t = top[count]
            meet = (f[t] - f[q]) * reciprocals[q - t] + half * (q + t) + lean
            if meet > start[count]:
                break
            count -= 1
        count += 1
        top[count], start[count], start[count + 1] = q, meet, most
    k = 0
    for i, p in enumerate(anchors):
        while start[k + 1] < p:
            k += 1
        d = top[k] - p
        score[i] = f[top[k]] - a * d * d - b * d
        place[i] = top[k]
