"""The faces that an evaluation is about."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


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
