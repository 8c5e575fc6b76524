"""The faces that an evaluation is about."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.faces import load_examples
from sanmodel.tables import attributes, read_columns

BOX = ("face_left", "face_top", "face_right", "face_bottom")
UNKNOWN = -1
"""Stands in ``groups`` for a face of which an attribute is not known."""


@dataclass(frozen=True)
class Faces:
    """N grey faces and what is known of each.

    Attributes:
        image_ids: Names, (N,).
        images: Grey crops, (N, 224, 224) uint8, usually memory-mapped.
        boxes: Left, top, right, bottom of each face in pixels of its crop, (N, 4).
        landmarks: Five landmarks of each face in pixels of its crop, (N, 5, 2) float32.
        labels: Class of each, (N,), 0 or 1.
        people: Number of the person that each shows, (N,).
        matched: Which take part in matching, (N,): not the faces whose source says that sunglasses
            or a scarf hide them, as in the paper (table 3, AR-face).
        groups: Other attributes of each face by their names, (N,): 0, 1, or -1 where unknown.
    """

    image_ids: NDArray[np.object_]
    images: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    landmarks: NDArray[np.float32]
    labels: NDArray[np.int64]
    people: NDArray[np.int64]
    matched: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64] | slice) -> "Faces":
        """Return some of the faces, in the order of their places ``rows``."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)[:-1]}
        groups = {name: values[rows] for name, values in self.groups.items()}
        return Faces(**{name: values[rows] for name, values in arrays.items()}, groups=groups)

    def choose(self, count: int, seed: int) -> NDArray[np.int64]:
        """Draw one face each of ``count`` different people, half of each class where possible.

        Returns:
            Places, class 1 first; fewer if there are fewer people.
        """
        _, firsts = np.unique(self.people, return_index=True)
        drawn = np.random.default_rng(seed).permutation(firsts)
        without, having = (drawn[self.labels[drawn] == label] for label in (0, 1))
        from_without = min(len(without), max(count // 2, count - len(having)))
        return np.concatenate([having[: count - from_without], without[:from_without]])

    def of_people(self, images: int, seed: int) -> "Faces":
        """Return all faces of people who are drawn until they have so many images together.

        Half of the images are of people of each class, as far as there are such.
        """
        rng, chosen = np.random.default_rng(seed), []
        for label in (0, 1):
            numbers, counts = np.unique(self.people[self.labels == label], return_counts=True)
            drawn = rng.permutation(len(numbers))
            enough = np.searchsorted(counts[drawn].cumsum(), images / 2) + 1
            chosen.append(numbers[drawn[:enough]])
        return self.take(np.flatnonzero(np.isin(self.people, np.concatenate(chosen))))


def load_faces(crops: Path, split: str, attribute: str, cache: Path) -> Faces:
    """Load one side of the split of a crops table; arguments and errors as of ``load_examples``."""
    examples = load_examples(crops, split, attribute, cache)
    others = [name for name in attributes(crops) if name != attribute]
    rows = read_columns(crops, ["image_id", "split", "occluded", *BOX, *others])
    side = rows[rows["split"] == split]
    return Faces(
        image_ids=side["image_id"].to_numpy(dtype=object),
        images=examples.images,
        boxes=side[list(BOX)].to_numpy(dtype=np.float64),
        landmarks=examples.landmarks,
        labels=examples.y,
        people=examples.identity,
        matched=~side["occluded"].fillna(False).to_numpy(dtype=bool),
        groups={name: _known(side[name]) for name in others},
    )


def _known(values: pd.Series) -> NDArray[np.int64]:
    return values.fillna(UNKNOWN).to_numpy(dtype=np.int64)
