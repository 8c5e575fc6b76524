"""Attribute classifiers that training never saw: a new one is a new module here, registered."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sanmodel.registry import Registry


class AttributeClassifier(Protocol):
    """Reads one binary attribute from grey faces; made once per run.

    Attributes:
        attribute: The table's attribute that it reads.
        version: What its answers depend on besides the face: versions of packages and weights.
    """

    attribute: str
    version: str

    def __init__(self) -> None: ...

    def scores(self, images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each face's probability of having the attribute.

        Args:
            images: Grey crops, (N, 224, 224), N at least 1.
            boxes: Left, top, right, bottom of the faces in pixels of the crops, (N, 4).

        Returns:
            Probabilities, (N,); above one half means class 1.
        """
        ...


CLASSIFIERS: Registry[type[AttributeClassifier]] = Registry("attribute classifier", __name__)


def fitting_classifiers(
    names: Iterable[str], attribute: str
) -> tuple[Mapping[str, AttributeClassifier], list[str]]:
    """Make those classifiers that read an attribute.

    Args:
        names: Of the classifiers that are wanted.
        attribute: The attribute.

    Returns:
        The classifiers by name, and a sentence for each that is left out, or if none is wanted.

    Raises:
        SanError: If there is no classifier of a name.
    """
    kinds = {name: CLASSIFIERS.get(name) for name in names}
    fitting = {name: kind() for name, kind in kinds.items() if kind.attribute == attribute}
    gaps = [
        f"{name} reads {kind.attribute}, not {attribute}, and is left out"
        for name, kind in kinds.items()
        if name not in fitting
    ]
    return fitting, gaps if kinds else ["evaluate.classifiers names none"]
