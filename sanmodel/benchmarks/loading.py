"""How fast crops become batches (``san benchmark loading``).

Made-up crops lie in a file as ``preprocess``'s crops do after decoding, and are loaded as the
training loop loads them: shuffled, memory-mapped, by a thread, then turned into floats. That is
measured with the file in memory and after it was dropped from there, and once more beside a
computation, where the figure is how long a step waits for its batch.
"""

import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from dask.system import CPU_COUNT
from numpy.lib.format import open_memmap
from rich.console import Console
from rich.table import Table

from sanmodel.images import IMAGE_SIZE
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.training.data import Examples, RawBatch, Sampler, ahead, to_batch

BATCHES = (16, 64)
BLOCK = 250
"""Crops that are made up at once."""

WAITING_STEPS = 30
STEP_SECONDS = 0.02
"""How long the computation of a step takes at least, where waiting is measured."""


def run_benchmark(crops: int, folder: Path | None, observer: Observer = SILENT) -> dict[str, Any]:
    """Measure loading.

    Args:
        crops: Made-up crops: 50 kB each.
        folder: Where their file lies meanwhile; the system's folder for such by default.
        observer: Hears about progress.

    Returns:
        The ``machine``; for each size of a batch, mirrored or not, crops per second from memory
        and from the disk (``rates``); seconds that a step waits for a batch of 16 from the disk,
        loaded ahead and not.
    """
    cases = [(size, mirror) for size in BATCHES for mirror in (False, True)]
    with tempfile.TemporaryDirectory(prefix="san-benchmark-", dir=folder) as name:
        path = Path(name) / "crops.npy"
        make_up(path, crops, observer)
        rates = [_rates(path, *case) for case in observed(cases, "rates", len(cases), observer)]
        steps = range(WAITING_STEPS)
        ahead_seconds = waiting(ahead(Sampler(examples(path, True), 16, seed=1).batch, steps))
        seconds = waiting(map(Sampler(examples(path, True), 16, seed=1).batch, steps))
    return {
        "machine": f"{platform.machine()}, {CPU_COUNT} CPUs, torch {torch.__version__}",
        "crops": crops,
        "rates": rates,
        "seconds_waiting_ahead": ahead_seconds,
        "seconds_waiting": seconds,
    }


def make_up(path: Path, crops: int, observer: Observer = SILENT) -> None:
    """Write noise of a crop's size to a file."""
    shape = (crops, IMAGE_SIZE, IMAGE_SIZE)
    images = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    generator = np.random.default_rng(1)
    starts = range(0, crops, BLOCK)
    for start in observed(starts, "crops", len(starts), observer):
        block = images[start : start + BLOCK]
        block[:] = np.frombuffer(generator.bytes(block.size), np.uint8).reshape(block.shape)
    images.flush()


def examples(path: Path, from_disk: bool = False) -> Examples:
    """Map the file; on Linux, drop it from the system's memory before if it has to be read."""
    if from_disk:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    images = np.load(path, mmap_mode="r")
    known = np.zeros(len(images), dtype=np.int64)
    landmarks = np.zeros((len(images), 5, 2), np.float32)
    return Examples(images, known, known, landmarks, "made up")


def crops_per_second(loaded: Examples, batch_size: int, mirror: bool) -> float:
    """Load an epoch as the loop does, to floats from 0 to 1, and compute nothing."""
    sampler = Sampler(loaded, batch_size, seed=1, mirror=mirror)
    steps = len(loaded) // sampler.images
    start = time.perf_counter()
    for raw in ahead(sampler.batch, range(steps)):
        to_batch(raw)
    return steps * sampler.images / (time.perf_counter() - start)


def waiting(batches: Iterator[RawBatch]) -> float:
    """Return the median of the seconds that a step waits for its batch, beside a computation."""
    matrix = torch.rand(512, 512)
    waited: list[float] = []
    while True:
        start = time.perf_counter()
        if next(batches, None) is None:
            return median(waited[1:])  # without the first, which nothing can hide
        begin = time.perf_counter()
        waited.append(begin - start)
        while time.perf_counter() < begin + STEP_SECONDS:
            matrix @ matrix


def _rates(path: Path, batch_size: int, mirror: bool) -> dict[str, Any]:
    """Return one row of the table; the file comes from the disk first and is in memory then."""
    return {
        "batch": batch_size,
        "mirror": mirror,
        "crops_per_second_from_disk": crops_per_second(examples(path, True), batch_size, mirror),
        "crops_per_second": crops_per_second(examples(path), batch_size, mirror),
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table and a sentence."""
    console.print(f"{figures['crops']:,} crops; {figures['machine']}")
    table = Table("batch", "mirror", "crops/s", "crops/s, not yet in memory")
    for rate in figures["rates"]:
        table.add_row(
            str(rate["batch"]),
            "yes" if rate["mirror"] else "no",
            f"{rate['crops_per_second']:,.0f}",
            f"{rate['crops_per_second_from_disk']:,.0f}",
        )
    console.print(table)
    ahead_ms, plain_ms = (
        1000 * figures[name] for name in ("seconds_waiting_ahead", "seconds_waiting")
    )
    console.print(
        f"A step of {1000 * STEP_SECONDS:.0f} ms waits {ahead_ms:.2f} ms for 16 crops that are not"
        f" yet in memory; if they were not loaded ahead, {plain_ms:.2f} ms."
    )
