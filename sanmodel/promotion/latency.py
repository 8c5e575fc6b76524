"""How long an exported model takes for one face, where it is judged."""

import time
from pathlib import Path
from statistics import median

import numpy as np

from sanmodel import runtime

WARM_UP, RUNS = 3, 15


def seconds_per_face(export: Path) -> float:
    """Return the median time of perturbing one face with the opposite prototype.

    Args:
        export: An export folder.

    Returns:
        Seconds of wall time.

    Raises:
        SanError: If a file is missing, altered or damaged.
    """
    model = runtime.load_exact(export)
    face = np.random.default_rng(0).integers(0, 256, (1, model.size, model.size), dtype=np.uint8)
    landmarks = np.array([[[145, 104], [126, 105], [79, 104], [98, 105], [112, 145]]])
    taken = []
    for _ in range(WARM_UP + RUNS):
        start = time.perf_counter()
        model.perturb(face, [1], "opposite", landmarks)
        taken.append(time.perf_counter() - start)
    return median(taken[WARM_UP:])
