"""One way to run an exported model, measured in this process; it imports what production does.

``python -m sanmodel.benchmarks.inference_process FOLDER RUNTIME:PRECISION THREADS OUTPUT``
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODEL = "model"
BATCHES = (1, 16)
RUNS = {1: 60, 16: 12}
"""Batches that are timed, by their size."""

COMPARED = 16
"""Faces whose outputs are compared."""

Run = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.uint8]]


def faces(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return smooth random pictures (count, 224, 224) and their classes."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, 29, 29)).astype(np.float32)
    place = np.arange(224) / 8
    below, share = place.astype(int), (place % 1).astype(np.float32)
    rows = coarse[:, below] * (1 - share)[:, None] + coarse[:, below + 1] * share[:, None]
    pictures = rows[..., below] * (1 - share) + rows[..., below + 1] * share
    return pictures.astype(np.uint8), np.arange(count) % 2


def measure(run: Run, output: Path) -> None:
    """Write a line when the first face is done, then the figures as JSON."""
    shown, labels = faces(COMPARED)
    run(shown[:1], labels[:1])
    print("first", flush=True)
    seconds = {}
    for batch in BATCHES:
        part, classes = shown[:batch], labels[:batch]
        run(part, classes)
        seconds[batch] = [_timed(run, part, classes) for _ in range(RUNS[batch])]
    np.save(output, run(shown, labels))
    print(json.dumps({"seconds": seconds, "memory": _peak()}))


def _timed(run: Run, shown: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    start = time.perf_counter()
    run(shown, labels)
    return time.perf_counter() - start


def _peak() -> float:
    """Return the most memory that this process held, in MiB.

    What ``getrusage`` tells includes the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def main(folder: str, way: str, threads: str, output: str) -> None:
    """Measure an export folder."""
    from sanmodel import runtime

    name, _, precision = way.partition(":")
    model = runtime.load(Path(folder), name, precision, int(threads))
    landmarks = np.array([[145, 104], [126, 105], [79, 104], [98, 105], [112, 145]], np.float32)

    def run(shown: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
        points = np.broadcast_to(landmarks, (len(shown), 5, 2))
        perturbed: NDArray[np.uint8] = model.perturb(shown, labels, "opposite", points)
        return perturbed

    measure(run, Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
