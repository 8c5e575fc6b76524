"""Which images make a genuine or an impostor pair, and how far apart their descriptors lie.

The probe of a pair is a perturbed image, its gallery image the original of another photo. A
genuine pair is an ordered pair of different images of one person, an impostor pair an ordered
pair of images of different people. People are told apart by their numbers, (N,).

All genuine pairs are measured. So are all impostor pairs of up to ``EXACT_IMAGES`` images; of more
images ``IMPOSTOR_SAMPLE`` impostor pairs are drawn, each as likely as any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

BLOCK_PAIRS = 8_000_000
"""Pairs whose distances are in memory at a time, 64 MB."""

BLOCK_NUMBERS = BLOCK_PAIRS // 8
"""Drawn pairs that are in memory at a time: each needs several numbers."""

BLOCK_VALUES = 1_000_000
"""Values of drawn pairs' descriptors that are in memory at a time."""

EXACT_IMAGES = 20_000
"""Most images of which every impostor pair is measured."""

IMPOSTOR_SAMPLE = 10_000_000
"""Impostor pairs that are drawn of more images: the threshold at a false match rate of 0.001 then
rests on 10,000 false matches, so that the rate is right to within 2 % of itself."""

SAMPLE_SEED = 0
"""Seed of that draw where none is given."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Impostors:
    """Some impostor pairs.

    Attributes:
        distances: Euclidean distances of their descriptors, (n,).
        cells: Where they stand in the matrix of N probes by N gallery images, (n,): place of the
            probe times N plus place of the gallery image.
    """

    distances: Floats
    cells: Integers


def count_impostors(people: Integers) -> int:
    """Count all impostor pairs."""
    _, images = np.unique(people, return_counts=True)
    return int(len(people) ** 2 - (images**2).sum())


def are_sampled(people: Integers) -> bool:
    """Tell whether the impostor pairs of these people's images are drawn, not all measured."""
    return len(people) > EXACT_IMAGES and count_impostors(people) > IMPOSTOR_SAMPLE


def measured_impostors(people: Integers) -> int:
    """Return how many impostor pairs :func:`impostor_blocks` yields."""
    return IMPOSTOR_SAMPLE if are_sampled(people) else count_impostors(people)


def genuine_places(people: Integers) -> tuple[Integers, Integers]:
    """Return the places of the probe and of the gallery image of each genuine pair.

    Returns:
        Two arrays, (genuine pairs,), person by person in the order of their numbers.
    """
    probes, gallery = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for images in _mates(people):
        grid = np.broadcast_to(images, (len(images), len(images)))
        others = ~np.eye(len(images), dtype=bool)
        probes.append(grid.T[others])
        gallery.append(grid[others])
    return np.concatenate(probes), np.concatenate(gallery)


def impostor_places(people: Integers, numbers: Integers) -> tuple[Integers, Integers]:
    """Return the places of the probe and of the gallery image of some impostor pairs.

    With the images sorted by person, the impostors of a probe are all images but one stretch:
    those before its person's first image keep their place, those after its last stand behind.

    Args:
        people: Number of the person each image shows, (N,).
        numbers: Which pairs, (n,): they are numbered from 0 to ``count_impostors(people) - 1``.

    Returns:
        Two arrays, (n,).
    """
    _, starts, images = np.unique(np.sort(people), return_index=True, return_counts=True)
    first, own = np.repeat(starts, images), np.repeat(images, images)
    ends = np.cumsum(len(people) - own)
    probe = np.searchsorted(ends, numbers, side="right")
    other = numbers - (ends[probe] - (len(people) - own[probe]))
    other += np.where(other >= first[probe], own[probe], 0)
    order = np.argsort(people, kind="stable")
    return order[probe], order[other]


def genuine_distances(probes: Floats, gallery: Floats, people: Integers) -> Floats:
    """Return the distance of each genuine pair in the order of :func:`genuine_places`.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
    """
    parts = [np.empty(0)]
    for images in _mates(people):
        rows = max(1, BLOCK_PAIRS // len(images))
        for start in range(0, len(images), rows):
            block = images[start : start + rows]
            distances = euclidean_distances(probes[block], gallery[images])
            parts.append(distances[block[:, None] != images])
    return np.concatenate(parts)


def impostor_blocks(
    probes: Floats, gallery: Floats, people: Integers, seed: int
) -> Iterator[Impostors]:
    """Yield all impostor pairs, or those that are drawn, at most ``BLOCK_PAIRS`` at a time.

    Args:
        probes: Descriptors of perturbed images, (N, d).
        gallery: Descriptors of the originals in the same order, (N, d).
        people: Number of the person each image shows, (N,).
        seed: Of the draw, where there is one.
    """
    if len(people) <= EXACT_IMAGES:
        yield from _all_impostors(probes, gallery, people)
        return
    pairs = count_impostors(people)
    if are_sampled(people):
        numbers = np.random.default_rng(seed).integers(pairs, size=IMPOSTOR_SAMPLE)
    else:
        numbers = np.arange(pairs)
    for start in range(0, len(numbers), BLOCK_NUMBERS):
        yield _numbered(probes, gallery, people, numbers[start : start + BLOCK_NUMBERS])


def random_impostors(
    probes: Floats, gallery: Floats, people: Integers, count: int, seed: int
) -> Impostors:
    """Draw impostor pairs with replacement; none where there is one person only."""
    pairs = count_impostors(people)
    rng = np.random.default_rng(seed)
    numbers = rng.integers(pairs, size=count) if pairs else np.empty(0, dtype=np.int64)
    return _numbered(probes, gallery, people, numbers)


def _mates(people: Integers) -> Iterator[Integers]:
    """Yield the places of the images of each person that has several."""
    _, images = np.unique(people, return_counts=True)
    order = np.argsort(people, kind="stable")
    for places in np.split(order, np.cumsum(images)[:-1]):
        if len(places) > 1:
            yield places


def _all_impostors(probes: Floats, gallery: Floats, people: Integers) -> Iterator[Impostors]:
    """Yield every impostor pair, block by block of probes."""
    rows = max(1, BLOCK_PAIRS // max(1, len(people)))
    for start in range(0, len(people), rows):
        block = slice(start, start + rows)
        distances = euclidean_distances(probes[block], gallery).ravel()
        cells = np.flatnonzero(people[block, None] != people)
        yield Impostors(distances[cells], cells + start * len(people))


def _numbered(probes: Floats, gallery: Floats, people: Integers, numbers: Integers) -> Impostors:
    """Return the impostor pairs of some numbers, as :func:`impostor_places` counts them."""
    rows, columns = impostor_places(people, numbers)
    distances = np.empty(len(numbers))
    step = max(1, BLOCK_VALUES // max(1, probes.shape[1]))
    for start in range(0, len(numbers), step):
        part = slice(start, start + step)
        distances[part] = np.linalg.norm(probes[rows[part]] - gallery[columns[part]], axis=1)
    return Impostors(distances, rows * len(people) + columns)
