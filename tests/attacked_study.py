"""Studies of synthetic patterns for attackers: textures with or without a patch that tells."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.outputs import VARIANTS
from sanmodel.evaluation.probes import Side, Study

Images = NDArray[np.uint8]
SIDE = 64
"""Of the images; real ones have 224, which the attackers need not know."""

PATCH = slice(None), slice(10, 34), slice(16, 48)
"""Where the patch is, in the upper middle so that a mirror leaves it there."""


@dataclass
class Brightness:
    """Reads class 1 from a patch that is brighter than ``level`` on average."""

    level: float = 110.0
    attribute: str = "Male"

    def scores(self, images: Images, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        assert len(images) == len(boxes) > 0
        return 1 / (1 + np.exp((self.level - images[PATCH].mean((1, 2))) / 8))


def textures(count: int, seed: int) -> Images:
    """Squares of random grey values, 60 to 179."""
    squares = np.random.default_rng(seed).integers(60, 180, (count, 8, 8)).astype(np.uint8)
    return squares.repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)


def classes(count: int) -> NDArray[np.int64]:
    return np.arange(count) % 2


def patched(images: Images, labels: NDArray[np.int64]) -> Images:
    """Brighten the patch of the faces of class 1."""
    brighter = images.copy()
    brighter[PATCH] += (70 * labels[:, None, None]).astype(np.uint8)
    return brighter


def side(labels: NDArray[np.int64], **variants: Images) -> Side:
    """Faces with these labels; variants that are not given are like the original."""
    original, count = variants["original"], len(labels)
    faces = Faces(
        image_ids=np.array([f"{i}.png" for i in range(count)], dtype=object),
        images=original,
        boxes=np.tile([8.0, 8.0, 56.0, 56.0], (count, 1)),
        landmarks=np.zeros((count, 5, 2), dtype=np.float32),
        labels=labels,
        people=np.arange(count) // 2,
        matched=np.ones(count, dtype=np.bool_),
        groups={},
    )
    return Side(faces, {name: variants.get(name, original) for name in VARIANTS})


def taken(whole: Side, rows: NDArray[np.int64] | slice) -> Side:
    variants = {name: images[rows] for name, images in whole.variants.items()}
    return Side(whole.faces.take(rows), variants)


def study(test: Side, outside: Side, steps: int) -> Study:
    """What an evaluation with one classifier, :class:`Brightness`, hands to a probe."""
    classifier = Brightness()
    scores = {
        ("brightness", name): classifier.scores(images, test.faces.boxes)
        for name, images in test.variants.items()
    }
    return Study(
        attribute="Male",
        test=test,
        outside=outside,
        members=("OP",),
        classifiers={"brightness": classifier},
        scores=scores,
        descriptors={},
        quality={},
        false_match_rates=(0.01,),
        steps=steps,
        seed=1,
    )


def without_outside(whole: Study) -> Study:
    return replace(whole, outside=taken(whole.outside, slice(0)))


def of_one_class(whole: Side) -> Side:
    return taken(whole, np.flatnonzero(whole.faces.labels == 1))
