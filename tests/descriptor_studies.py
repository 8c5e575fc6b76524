"""Studies for probes that look at scores and descriptors only: made-up people without a picture."""

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.probes import Side, Study

VARIANTS = ("original", "SM", "NT", "OP")


def make_study(
    people: NDArray[np.int64],
    groups: dict[str, NDArray[np.int64]],
    hidden: NDArray[np.bool_] | None = None,
) -> Study:
    """People of odd numbers are of class 1; OP is read and matched worse than the original.

    Args:
        people: Number of the person each of N images shows, (N,).
        groups: Other attributes, (N,) each.
        hidden: Which images do not take part in matching, (N,); none by default.
    """
    rng = np.random.default_rng(0)
    labels = people % 2
    centres = 2 * rng.normal(size=(int(people.max()) + 1, 6))
    original = centres[people] + rng.normal(size=(len(people), 6))
    noise = dict(zip(VARIANTS, (0.0, 0.2, 0.5, 1.5), strict=True))
    count = len(people)
    faces = Faces(
        image_ids=np.array([str(i) for i in range(count)], dtype=object),
        images=np.zeros((count, 1, 1), dtype=np.uint8),
        boxes=np.zeros((count, 4)),
        landmarks=np.zeros((count, 5, 2), dtype=np.float32),
        labels=labels,
        people=people,
        matched=np.ones(count, dtype=bool) if hidden is None else ~hidden,
        groups=groups,
    )
    side = Side(faces, {})
    return Study(
        attribute="Male",
        test=side,
        outside=side,
        members=("OP",),
        classifiers={},
        scores={
            ("reader", v): np.clip(labels * 0.6 + 0.2 + noise[v] * rng.normal(size=count), 0, 1)
            for v in VARIANTS
        },
        descriptors={
            ("matcher", v): original + noise[v] * rng.normal(size=original.shape) for v in VARIANTS
        },
        quality={(name, v): rng.random(count) for name in ("psnr", "ssim") for v in VARIANTS[1:]},
        false_match_rates=(0.02, 0.001),
        steps=1,
        seed=0,
    )
