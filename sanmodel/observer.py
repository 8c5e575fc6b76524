"""What a stage tells about itself while it works; who listens is not its business."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Metrics = dict[str, Any]
"""Figures of a stage: numbers, short texts and nested objects of them, written as JSON."""


class Observer:
    """Listens to a stage; this base listens to nothing and is the default."""

    def start(self, task: str, total: int, done: int = 0) -> None:
        """Hear that ``task`` begins and has ``total`` steps, of which ``done`` are done."""

    def advance(self, steps: int = 1) -> None:
        """Hear that ``steps`` more are done."""

    def losses(self, step: int, terms: Mapping[str, float]) -> None:
        """Hear the loss terms of one training step."""

    def speed(self, images_per_second: float) -> None:
        """Hear how many images a training sees in a second."""

    def picture(self, name: str, step: int, array: NDArray[np.uint8]) -> None:
        """See what a training makes of some images after ``step`` steps.

        Args:
            name: Of the picture: those of one name show how it changes.
            step: Steps done.
            array: Grey (height, width) or RGB (height, width, 3).
        """

    def note(self, text: str) -> None:
        """Hear a sentence that a person should read."""


class Observers(Observer):
    """Passes everything on to several observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def start(self, task: str, total: int, done: int = 0) -> None:
        """See :meth:`Observer.start`."""
        for observer in self._observers:
            observer.start(task, total, done)

    def advance(self, steps: int = 1) -> None:
        """See :meth:`Observer.advance`."""
        for observer in self._observers:
            observer.advance(steps)

    def losses(self, step: int, terms: Mapping[str, float]) -> None:
        """See :meth:`Observer.losses`."""
        for observer in self._observers:
            observer.losses(step, terms)

    def speed(self, images_per_second: float) -> None:
        """See :meth:`Observer.speed`."""
        for observer in self._observers:
            observer.speed(images_per_second)

    def picture(self, name: str, step: int, array: NDArray[np.uint8]) -> None:
        """See :meth:`Observer.picture`."""
        for observer in self._observers:
            observer.picture(name, step, array)

    def note(self, text: str) -> None:
        """See :meth:`Observer.note`."""
        for observer in self._observers:
            observer.note(text)


def observed(items: Iterable[T], task: str, total: int, observer: Observer) -> Iterator[T]:
    """Yield ``items`` and tell ``observer`` after each one."""
    observer.start(task, total)
    for item in items:
        yield item
        observer.advance()


SILENT = Observer()
"""Nobody listens."""
