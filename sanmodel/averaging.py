"""The mean image of each class, added up shard by shard.

Sums of integers are exact: no number of workers and no order changes a bit of the mean.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.images import IMAGE_SIZE, Picture, decode_rgb
from sanmodel.parallel.shards import Shard
from sanmodel.tables import LANDMARKS, Row, iterate_group, landmarks_of


@dataclass
class ClassSums:
    """Sums of the images of both classes.

    Attributes:
        sums: By class, (2, 224, 224, 3).
        counts: Number of images of each class, (2,).
    """

    sums: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def zero(cls) -> "ClassSums":
        """Return the sums of no images."""
        size = (2, IMAGE_SIZE, IMAGE_SIZE, 3)
        return cls(np.zeros(size, dtype=np.int64), np.zeros(2, dtype=np.int64))

    def add(self, faces: Iterable[tuple[Picture, int]]) -> None:
        """Add RGB images (224, 224, 3) with their class, 0 or 1."""
        for image, label in faces:
            self.sums[label] += image
            self.counts[label] += 1

    def merge(self, other: "ClassSums") -> None:
        """Add the sums of other images."""
        self.sums += other.sums
        self.counts += other.counts

    def means(self) -> NDArray[np.float64]:
        """Return the mean images, (2, 224, 224, 3), 0 to 255.

        Raises:
            SanError: If a class has no image.
        """
        for label, count in enumerate(self.counts):
            if count == 0:
                raise SanError(
                    f"class {label} of the attribute has no training image: choose another"
                    " attribute or add photos that show it"
                )
        return self.sums / self.counts.reshape(2, 1, 1, 1)

    def save(self, path: Path) -> None:
        """Write both arrays to a file."""
        with path.open("wb") as stream:
            np.savez(stream, sums=self.sums, counts=self.counts)

    @classmethod
    def load(cls, path: Path) -> "ClassSums":
        """Read what :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["sums"], arrays["counts"])


@dataclass(frozen=True)
class SumShard:
    """Adds up the training images of a shard of the crops table; runs on a worker.

    Attributes:
        attribute: Column of the class.
        straighten: Moves an image so that the landmarks (5, 2) of its face come to one place; None
            takes the images as they are.
    """

    attribute: str
    straighten: Callable[[Picture, NDArray[np.float32]], Picture] | None = None

    def __call__(self, shard: Shard, path: Path) -> None:
        """Write the sums to ``path``."""
        columns = ["image_id", "split", self.attribute, "image"]
        columns += LANDMARKS if self.straighten else ()
        total = ClassSums.zero()
        for group in shard.groups:
            rows = iterate_group(group, columns)
            training = (row for row in rows if row["split"] == "train")
            total.add((self._face(row), row[self.attribute]) for row in training)
        total.save(path)

    def _face(self, row: Row) -> Picture:
        picture = decode_rgb(row["image"], row["image_id"])
        if self.straighten is None:
            return picture
        return self.straighten(picture, landmarks_of(row))
