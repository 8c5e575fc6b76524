"""Which faces of the training side a baseline looks at."""

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.evaluation.baselines import Context


def choose(context: Context, label: int, most: int) -> NDArray[np.int64]:
    """Draw faces of one class from the pool, all of them if they are not more than ``most``.

    Returns:
        Their places in the pool, rising.

    Raises:
        SanError: If the pool has no such face.
    """
    places = np.flatnonzero(context.pool.labels == label)
    if len(places) == 0:
        raise SanError(
            f"no training face has {context.attribute} = {label}, which the baselines need:"
            " add photos that show it, or choose another attribute"
        )
    generator = np.random.default_rng([context.seed, label])
    if len(places) > most:
        places = generator.choice(places, most, replace=False)
    return np.sort(places)
