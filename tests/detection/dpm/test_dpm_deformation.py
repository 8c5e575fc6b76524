import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sanmodel.detection.dpm.deformation import transform

ALL = (slice(None), slice(None))


def by_trying_all(response: np.ndarray, deformation: np.ndarray) -> np.ndarray:
    """The definition, in time quadratic in the number of places."""
    rows, columns = response.shape
    a_x, b_x, a_y, b_y = deformation.astype(np.float64)
    y, x = np.mgrid[:rows, :columns]
    best = np.empty(response.shape)
    for i in range(rows):
        for j in range(columns):
            dy, dx = y - i, x - j
            best[i, j] = (response - a_x * dx**2 - b_x * dx - a_y * dy**2 - b_y * dy).max()
    return best


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    bend=st.floats(0.01, 2),
    slope=st.floats(-1, 1),
    seed=st.integers(0, 1000),
)
def test_the_best_place_of_all_is_found(
    rows: int, columns: int, bend: float, slope: float, seed: int
) -> None:
    response = np.random.default_rng(seed).normal(0, 1, (rows, columns)).astype(np.float32)
    deformation = np.array([bend, slope, 0.5 * bend, -slope], np.float32)
    score, row, column = transform(response, deformation, ALL)
    assert np.allclose(score, by_trying_all(response, deformation), atol=1e-4)
    y, x = np.mgrid[:rows, :columns]
    dy, dx = row - y, column - x
    a_x, b_x, a_y, b_y = deformation
    there = response[row, column] - a_x * dx**2 - b_x * dx - a_y * dy**2 - b_y * dy
    assert np.allclose(there, score, atol=1e-4)


def test_a_stiff_part_stays_at_its_anchor() -> None:
    response = np.random.default_rng(0).normal(0, 1, (6, 7)).astype(np.float32)
    score, row, column = transform(response, np.array([1e4, 0, 1e4, 0], np.float32), ALL)
    y, x = np.mgrid[:6, :7]
    assert (score == response).all()
    assert (row == y).all()
    assert (column == x).all()


def test_only_the_anchors_that_are_asked_for_are_answered() -> None:
    response = np.random.default_rng(0).normal(0, 1, (9, 8)).astype(np.float32)
    deformation = np.array([0.1, 0.02, 0.2, -0.1], np.float32)
    everywhere = transform(response, deformation, ALL)
    some = transform(response, deformation, (slice(1, 8, 2), slice(0, 99, 2)))
    for all_of, part in zip(everywhere, some, strict=True):
        assert (all_of[1:8:2, ::2] == part).all()
