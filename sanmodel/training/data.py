"""Batches of grey images from a memory-mapped array, in an order that a seed fixes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sanmodel.alignment import mirrored


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


@dataclass(frozen=True)
class Batch:
    """Some examples as tensors.

    Attributes:
        X: (B, 1, height, width), 0 to 1.
        y: (B,), 0 or 1 as floats.
        identity: (B,), numbers of people.
        landmarks: (B, 5, 2), in pixels.
    """

    X: Tensor
    y: Tensor
    identity: Tensor
    landmarks: Tensor


class Sampler:
    """Gives the batch of any step: every epoch is a new permutation, fixed by the seed.

    A step's batch depends on nothing but the seed and the step, so a resumed training sees what
    an uninterrupted one would have seen.

    Args:
        examples: What to draw from.
        batch_size: Images per batch; at most all there are.
        seed: Fixes the permutations.
        mirror: Mirror every image with probability 1/2.
    """

    def __init__(
        self, examples: Examples, batch_size: int, seed: int, mirror: bool = False
    ) -> None:
        self._examples, self._seed, self._mirror = examples, seed, mirror
        self._size = min(batch_size, len(examples))
        self._per_epoch = len(examples) // self._size
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0."""
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            generator = np.random.default_rng([self._seed, epoch])
            self._epoch, self._order = epoch, generator.permutation(len(self._examples))
        chosen = self._order[place * self._size : (place + 1) * self._size]
        images, landmarks = self._examples.images[chosen], self._examples.landmarks[chosen]
        if self._mirror:
            flips = np.random.default_rng([self._seed, epoch, place]).random(len(images)) < 0.5
            images[flips] = images[flips, :, ::-1]
            landmarks[flips] = mirrored(landmarks[flips], images.shape[-1])
        y, identity = self._examples.y[chosen], self._examples.identity[chosen]
        return to_batch(images, y, identity, landmarks)


def to_batch(
    images: NDArray[np.uint8],
    y: NDArray[np.int64],
    identity: NDArray[np.int64],
    landmarks: NDArray[np.float32],
) -> Batch:
    """Turn arrays into the tensors that networks take."""
    X = torch.from_numpy(np.array(images)).unsqueeze(1).to(torch.float32).div_(255)
    classes = torch.from_numpy(y).to(torch.float32)
    return Batch(X, classes, torch.from_numpy(identity), torch.from_numpy(landmarks))
