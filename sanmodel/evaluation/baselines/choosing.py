"""Which faces of the training side a baseline looks at."""

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.baselines import Context, UnfitError


def choose(context: Context, label: int, most: int) -> NDArray[np.int64]:
    """Draw faces of one class from the pool, all of them if they are not more than ``most``.

    Returns:
        Their places in the pool, rising.

    Raises:
        UnfitError: If the pool has no such face.
    """
    places = np.flatnonzero(context.pool.labels == label)
    if len(places) == 0:
        raise UnfitError(f"no training face of other people has {context.attribute} = {label}")
    generator = np.random.default_rng([context.seed, label])
    if len(places) > most:
        places = generator.choice(places, most, replace=False)
    return np.sort(places)
