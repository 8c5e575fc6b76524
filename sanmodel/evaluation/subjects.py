"""Who stands on the test side."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.tables import attributes, read_columns, require_attribute


@dataclass(frozen=True)
class Subjects:
    """The N test images in the table's order.

    Attributes:
        image_ids: Names, (N,).
        people: Number of the person that each shows, (N,).
        labels: Class of each, (N,), 0 or 1.
        matched: Which take part in matching, (N,): not the faces whose source says that sunglasses
            or a scarf hide them, as in the paper (table 3, AR-face).
    """

    image_ids: NDArray[np.object_]
    people: NDArray[np.int64]
    labels: NDArray[np.int64]
    matched: NDArray[np.bool_]

    def choose(self, count: int, seed: int) -> dict[str, int]:
        """Draw one image each of ``count`` different people, half of each class where possible.

        Returns:
            The class of each image by its name, class 1 first; fewer if there are fewer people.
        """
        _, firsts = np.unique(self.people, return_index=True)
        drawn = np.random.default_rng(seed).permutation(firsts)
        without, having = (drawn[self.labels[drawn] == label] for label in (0, 1))
        from_without = min(len(without), max(count // 2, count - len(having)))
        images = [*having[: count - from_without], *without[:from_without]]
        return {str(self.image_ids[i]): int(self.labels[i]) for i in images}


def load_subjects(crops: Path, attribute: str) -> Subjects:
    """Read the test side of a crops table, without its images.

    Raises:
        SanError: If the table is missing or damaged, lacks the attribute or has no test image.
    """
    require_attribute(attributes(crops), attribute, crops)
    rows = read_columns(crops, ["image_id", "identity", "split", "occluded", attribute])
    test = rows[rows["split"] == "test"]
    if test.empty:
        raise SanError(
            f"{crops} has no test image: set preprocess.test_share or preprocess.split in"
            " params.yaml so that there are some"
        )
    return Subjects(
        image_ids=test["image_id"].to_numpy(dtype=object),
        people=np.asarray(pd.factorize(test["identity"])[0], dtype=np.int64),
        labels=test[attribute].to_numpy(dtype=np.int64),
        matched=~test["occluded"].fillna(False).to_numpy(dtype=bool),
    )
