"""Face matchers that training never saw: a new one is a new module here, registered."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sanmodel.registry import Registry


class Matcher(Protocol):
    """Describes grey faces; made once per run.

    The match score of two faces is the negative Euclidean distance of their descriptors.

    Attributes:
        version: What its answers depend on besides the face: versions of packages and weights.
    """

    version: str

    def __init__(self) -> None: ...

    def descriptors(
        self, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return a descriptor of each face.

        Args:
            images: Grey crops, (N, 224, 224), N at least 1.
            boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).

        Returns:
            Descriptors, (N, d).
        """
        ...


MATCHERS: Registry[type[Matcher]] = Registry("face matcher", __name__)
