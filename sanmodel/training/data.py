"""Batches of grey images from a memory-mapped array, in an order that a seed fixes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.alignment import mirrored as mirrored_landmarks
from sanmodel.errors import SanError

K = TypeVar("K")
T = TypeVar("T")


class RawBatch(NamedTuple):
    """Some examples as they are loaded and moved: bytes, a quarter of what networks take.

    Attributes:
        images: (B, height, width) uint8 grey.
        y: Class of each, (B,), 0 or 1.
        identity: Number of the person, (B,).
        landmarks: Of each face, (B, 5, 2) float32, in pixels of the image.
        row: Place among the examples, (B,): for what is known of each beyond this.
    """

    images: Tensor
    y: Tensor
    identity: Tensor
    landmarks: Tensor
    row: Tensor


@dataclass(frozen=True)
class Batch:
    """Some examples as networks and losses take them.

    Attributes:
        X: (B, 1, height, width), 0 to 1.
        y: (B,), 0 or 1 as floats.
        identity: (B,), numbers of people.
        landmarks: (B, 5, 2), in pixels.
        row: (B,), places among the examples.
        step: Steps that the training did before.
    """

    X: Tensor
    y: Tensor
    identity: Tensor
    landmarks: Tensor
    row: Tensor
    step: int = 0


def to_batch(raw: RawBatch, step: int = 0) -> Batch:
    """Turn bytes into the floats that networks take, on the device where they are."""
    X = raw.images.unsqueeze(1).to(torch.float32).div_(255)
    return Batch(X, raw.y.to(torch.float32), raw.identity, raw.landmarks, raw.row, step)


@dataclass(frozen=True)
class Examples:
    """Training images and what is known of each.

    Attributes:
        images: (N, height, width) uint8 grey, usually memory-mapped.
        y: Class of each image, (N,), 0 or 1.
        identity: Number of the person shown, (N,), 0 to people - 1.
        landmarks: Of each face, (N, 5, 2) float32, in pixels of the image.
        digest: SHA-256 that names the content.
    """

    images: NDArray[np.uint8]
    y: NDArray[np.int64]
    identity: NDArray[np.int64]
    landmarks: NDArray[np.float32]
    digest: str

    def __len__(self) -> int:
        return len(self.images)

    @property
    def people(self) -> int:
        """Number of different people."""
        return int(self.identity.max()) + 1

    def take(self, rows: NDArray[np.int64], mirrored: NDArray[np.bool_] | None = None) -> RawBatch:
        """Copy some examples out of the array.

        Args:
            rows: Their places, (B,).
            mirrored: Which of them to turn left and right, (B,); none by default.
        """
        images = np.empty((len(rows), *self.images.shape[1:]), np.uint8)
        turned = np.zeros(len(rows), np.bool_) if mirrored is None else mirrored
        # One by one: numpy lets other threads work while it copies, but not while it gathers.
        for copy, row, turn in zip(images, rows, turned, strict=True):
            copy[:] = self.images[row, :, ::-1] if turn else self.images[row]
        landmarks = self.landmarks[rows]
        landmarks[turned] = mirrored_landmarks(landmarks[turned], images.shape[-1])
        known = (images, self.y[rows], self.identity[rows], landmarks, np.array(rows))
        return RawBatch(*map(torch.from_numpy, known))


class Sampler:
    """Gives the images of any step: every epoch is a new permutation, fixed by the seed.

    What a step sees depends on nothing but the seed and the step, so a resumed training sees what
    an uninterrupted one would have seen. A step may be taken in several equal parts, by processes
    or one after the other: together they are what one batch of their size would be.

    Args:
        examples: What to draw from.
        batch_size: Images per part; at most all that there are.
        seed: Fixes the permutations.
        mirror: Mirror every image with probability 1/2.
        parts: Number of parts of a step.

    Raises:
        SanError: If there are fewer examples than parts.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        seed: int,
        mirror: bool = False,
        parts: int = 1,
    ) -> None:
        self._examples, self._seed, self._mirror = examples, seed, mirror
        self._part = min(batch_size, len(examples) // parts)
        if self._part == 0:
            raise SanError(
                f"a step of {parts} parts needs as many training images, and there are"
                f" {len(examples)}: lower accumulate or the number of processes"
            )
        self.images = self._part * parts
        """Images of one step, in all its parts together."""
        self._per_epoch = len(examples) // self.images
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def batch(self, step: int, part: int = 0) -> RawBatch:
        """Return one part of a step; both are counted from 0."""
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            generator = np.random.default_rng([self._seed, epoch])
            self._epoch, self._order = epoch, generator.permutation(len(self._examples))
        chosen = self._order[place * self.images : (place + 1) * self.images]
        mine = slice(part * self._part, (part + 1) * self._part)
        if not self._mirror:
            return self._examples.take(chosen[mine])
        flips = np.random.default_rng([self._seed, epoch, place]).random(self.images) < 0.5
        return self._examples.take(chosen[mine], flips[mine])


def ahead(load: Callable[[K], T], keys: Iterable[K], count: int = 2) -> Iterator[T]:
    """Yield ``load(key)`` for each key, while a thread already loads the next ``count``.

    Where the images are not in memory yet, their disk and the device work at the same time.
    """
    remaining, waiting = iter(keys), deque[Future[T]]()
    pool = ThreadPoolExecutor(1, thread_name_prefix="loading")
    try:
        waiting.extend(pool.submit(load, key) for key in islice(remaining, count))
        while waiting:
            loaded = waiting.popleft().result()
            waiting.extend(pool.submit(load, key) for key in islice(remaining, 1))
            yield loaded
    finally:
        pool.shutdown(cancel_futures=True)
