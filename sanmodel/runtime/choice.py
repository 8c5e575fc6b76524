"""Which runtime and precision to run a model with: the fastest here, measured once."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np

from sanmodel.errors import SanError
from sanmodel.runtime.cache import cache_folder, keep, kept
from sanmodel.runtime.manifest import MANIFEST, Manifest
from sanmodel.runtime.perturber import Perturber
from sanmodel.runtime.runtimes import RUNTIMES

OVERRIDE = "SAN_RUNTIME"
"""Environment variable that names a runtime, or a runtime and a precision: ``openvino:bf16``."""

EXACT = ("onnxruntime", "fp32")
"""What runs everywhere and to the same figures."""

LIBRARIES = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "tensorrt", "tensorrt-rtx")
"""A new version of one of them is measured anew."""

BATCH, RUNS = 4, 3
LANDMARKS = ((145, 104), (126, 105), (79, 104), (98, 105), (112, 145))
"""Of some face, for models that need them."""

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Way:
    """A way to run a model.

    Attributes:
        runtime: Name of the runtime.
        precision: Type that layers compute in.
    """

    runtime: str
    precision: str

    def __str__(self) -> str:
        return f"{self.runtime}:{self.precision}"


def ways(manifest: Manifest, runtime: str | None, precision: str | None) -> list[Way]:
    """Return all ways to run a model on this machine.

    Args:
        manifest: Of the model.
        runtime: The only runtime to look at; None looks at all.
        precision: Likewise.

    Raises:
        SanError: If there is none; the message says why.
    """
    obstacles, found = [], []
    for name in [runtime] if runtime else RUNTIMES.names():
        candidate = RUNTIMES.get(name)()
        obstacle = candidate.obstacle()
        offered = [] if obstacle else candidate.precisions(manifest)
        found += [Way(name, one) for one in offered if precision in (None, one)]
        obstacles.append(f"{name}: {obstacle or f'runs {_listed(offered)} of this model'}")
    if not found:
        raise SanError(
            f"nothing here runs the model{f' in {precision}' if precision else ''}"
            f" ({'; '.join(obstacles)}): `san runtimes` shows what does"
        )
    return found


def open_way(way: Way, folder: Path, manifest: Manifest, threads: int | None = None) -> Perturber:
    """Open a model; see :meth:`Runtime.open`."""
    return RUNTIMES.get(way.runtime)().open(folder, manifest, way.precision, threads)


def open_fastest(
    folder: Path,
    manifest: Manifest,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> tuple[Way, Perturber]:
    """Open a model in the fastest way, measured at first use and remembered.

    A way that fails is left out with a warning.

    Args:
        folder: The export folder.
        manifest: Of the folder.
        runtime: The only runtime to take; None takes the fastest. ``SAN_RUNTIME`` names one too.
        precision: Likewise.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If nothing here runs it.
    """
    if runtime is None and precision is None:
        runtime, precision = _override()
    candidates = ways(manifest, runtime, precision)
    if len(candidates) > 1:
        place = _place(folder, candidates, threads)
        ranked = _remembered(place, candidates)
        if not ranked:
            ranked = _measured(candidates, folder, manifest, threads)
            keep(place, json.dumps([str(way) for way in ranked]).encode())
        candidates = ranked
    return _first_that_opens(candidates, folder, manifest, threads)


def seconds_per_image(perturber: Perturber, batch: int = BATCH, runs: int = RUNS) -> float:
    """Return the median wall time for one image of a batch, with the opposite prototype."""
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (batch, *(perturber.size,) * 2), dtype=np.uint8)
    landmarks = np.tile(np.array(LANDMARKS, np.float32), (batch, 1, 1))
    taken = []
    for _ in range(1 + runs):
        start = time.perf_counter()
        perturber.perturb(faces, [0] * batch, "opposite", landmarks)
        taken.append(time.perf_counter() - start)
    return median(taken[1:]) / batch


def _override() -> tuple[str | None, str | None]:
    runtime, _, precision = os.environ.get(OVERRIDE, "").partition(":")
    return runtime or None, precision or None


def _measured(
    candidates: Iterable[Way], folder: Path, manifest: Manifest, threads: int | None
) -> list[Way]:
    """Return those that work, the fastest first."""
    found = []
    for way in candidates:
        try:
            found.append((seconds_per_image(open_way(way, folder, manifest, threads)), way))
        except SanError as error:
            LOG.warning("%s is left out: %s", way, error)
    return [way for _, way in sorted(found, key=lambda one: one[0])]


def _first_that_opens(
    candidates: Iterable[Way], folder: Path, manifest: Manifest, threads: int | None
) -> tuple[Way, Perturber]:
    errors: list[str] = []
    for way in candidates:
        try:
            return way, open_way(way, folder, manifest, threads)
        except SanError as error:
            errors.append(str(error))
            LOG.warning("%s cannot be used: %s", way, error)
    raise SanError(errors[0] if errors else f"no file of {folder} can be run: copy it again")


def _place(folder: Path, candidates: Iterable[Way], threads: int | None) -> Path:
    """Return where the order of speed is kept for a model, its ways, and this machine."""
    told = [
        (folder / MANIFEST).read_bytes().hex(),
        *map(str, candidates),
        *_versions(),
        f"{os.cpu_count()} CPUs, {threads} threads",
    ]
    name = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return cache_folder() / "runtimes" / f"{name}.json"


def _versions() -> Iterator[str]:
    for library in LIBRARIES:
        try:
            yield f"{library} {metadata.version(library)}"
        except metadata.PackageNotFoundError:
            continue


def _remembered(place: Path, candidates: list[Way]) -> list[Way]:
    """Return the kept order; nothing if there is none or it is damaged."""
    try:
        names = json.loads(kept(place) or b"[]")
    except ValueError:
        return []
    known = {str(way): way for way in candidates}
    return [known[name] for name in names if name in known] if isinstance(names, list) else []


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
