"""Memory and speed of ``san preprocess`` on many photos (``san benchmark preprocessing``).

Some hundred photos are repeated to as many raw rows as asked for. The stage then runs as a user
runs it, as a command of its own, on a quarter, half and all of the rows, and on the quarter with
one worker as well; meanwhile the memory of each worker is read several times a second.
"""

import csv
import io
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from dask.system import CPU_COUNT
from PIL import Image
from rich.console import Console
from rich.table import Table

from sanmodel.benchmarks.detection import LONGEST_SIDE, cpu_seconds
from sanmodel.errors import SanError
from sanmodel.files import atomic_file, read_json, write_json
from sanmodel.images import Picture, decode_rgb
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.parallel.cluster import SCHEDULER
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.tables import RAW_COLUMNS, Row, TableWriter, shards

ATTRIBUTE = "Male"
PEOPLE = 100
"""Made-up people that the photos are shared out among, so that there is something to split."""

TIMED_PHOTOS = 100
"""Photos on which the detectors are timed."""

QUARTERS = 4
SAMPLES_PER_SECOND = 10
MIB = 1 << 20

CELEBA = 202_599
LARGE = 10_000_000


@dataclass(frozen=True)
class Sample:
    """Memory of one process at one time.

    Attributes:
        seconds: Since the stage was started.
        process: Number of the process, 0 for the one that was started.
        mib: Resident memory in MiB.
    """

    seconds: float
    process: int
    mib: float


@dataclass
class Run:
    """One run of the stage.

    Attributes:
        images: Rows of the raw table.
        workers: Processes that were asked for.
        seconds: Wall time from the start of the command to its end.
        cpu_seconds: Of all its processes.
        crops: Rows of the crops table.
        crop_bytes: Of its files.
        raw_bytes: Of the raw table's files.
        worker_peak_mib: Of the worker that took most.
        main_peak_mib: Of the process that was started; it is the worker if there is but one.
        samples: Memory over time.
    """

    images: int
    workers: int
    seconds: float = 0
    cpu_seconds: float = 0
    crops: int = 0
    crop_bytes: int = 0
    raw_bytes: int = 0
    worker_peak_mib: float = 0
    main_peak_mib: float = 0
    samples: list[Sample] = field(default_factory=list)

    @property
    def images_per_second(self) -> float:
        """Throughput."""
        return self.images / self.seconds


def run_benchmark(
    settings: Settings,
    photos: Path,
    images: int,
    workers: int | None = None,
    observer: Observer = SILENT,
) -> dict[str, Any]:
    """Measure the stage.

    Args:
        settings: Of which ``preprocess`` and ``seed`` are used; the split becomes one by identity.
        photos: Folder of the photos that are repeated.
        images: Rows of the largest run, at least 4.
        workers: Of all runs but one; null takes one per CPU, and two at least.
        observer: Hears about progress.

    Returns:
        The figures of ``summary`` and the ``runs``.

    Raises:
        SanError: If the folder holds no photos, or the stage fails.
    """
    count = workers or max(CPU_COUNT, 2)
    with tempfile.TemporaryDirectory(prefix="san-benchmark-") as name:
        scratch = Path(name)
        parts = write_photos(photos, scratch / "raw", images, observer)
        plan = [(1, 1), (1, count), (2, count), (QUARTERS, count)]
        runs = []
        observer.start("runs", len(plan))
        for number, (quarters, processes) in enumerate(plan):
            tree = Paths(scratch / f"run-{number}")
            runs.append(measure(settings, parts[:quarters], tree, processes))
            observer.advance()
    pictures = [decode_rgb(path.read_bytes(), str(path)) for path in _photos(photos)[:TIMED_PHOTOS]]
    return summary(settings, runs) | cpu_seconds(pictures, settings.preprocess, observer)


def write_photos(photos: Path, folder: Path, images: int, observer: Observer) -> list[Path]:
    """Repeat the photos to a raw table in four files of equal size; return the files.

    Of each photo one pixel is changed, another one in each repetition: an exact copy would be set
    aside as a duplicate after the detection, and its crop not be written.

    Raises:
        SanError: If the folder holds no photos.
    """
    files = _photos(photos)
    folder.mkdir(parents=True)
    rows = -(-images // QUARTERS)
    with TableWriter(folder, RAW_COLUMNS, [ATTRIBUTE], rows) as writer:
        for row in observed(_rows(files, images), "photos", images, observer):
            writer.add(row)
    return shards(folder)


def _photos(folder: Path) -> list[Path]:
    """Return the photos of a folder.

    Raises:
        SanError: If there are none.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not files:
        raise SanError(f"{folder} holds no .jpg or .png: name a folder of photos with --photos")
    return files


def measure(settings: Settings, parts: Sequence[Path], paths: Paths, workers: int) -> Run:
    """Run the stage on a raw table of the files ``parts`` in a work tree of its own.

    Raises:
        SanError: If the stage fails.
    """
    _prepare(settings, parts, paths, workers)
    environment = {name: value for name, value in os.environ.items() if name != SCHEDULER}
    command = [sys.executable, "-m", "sanmodel.cli", "preprocess"]
    run = Run(images=0, workers=workers)
    start = time.monotonic()
    with (paths.root / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=paths.root, env=environment, stderr=log, stdout=log)
        try:
            run.cpu_seconds = _watch(process, start, run.samples)
        finally:
            process.kill()  # a Ctrl-C here may not have reached it
            process.wait()
        run.seconds = time.monotonic() - start
        if process.returncode:
            log.seek(0)
            raise SanError(f"san preprocess failed in the benchmark: {log.read().strip()}")
    _fill(run, paths)
    return run


def summary(settings: Settings, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the figures that the targets are about, and those that costs are reckoned from."""
    single, quarter, *_, whole = runs
    many = runs[1:]
    peaks = [run.worker_peak_mib for run in many]
    return {
        "detector": settings.preprocess.detector,
        "machine": f"{platform.machine()}, {CPU_COUNT} CPUs, Python {platform.python_version()}",
        "worker_peak_mib": max(run.worker_peak_mib for run in runs),
        "worker_peak_growth": peaks[-1] / peaks[0],
        "main_peak_mib": max(run.main_peak_mib for run in many),
        "speed_up": quarter.images_per_second / single.images_per_second,
        "cpu_seconds_per_image": whole.cpu_seconds / whole.images,
        "crop_bytes_per_image": whole.crop_bytes / whole.images,
        "runs": [
            {name: value for name, value in asdict(run).items() if name != "samples"}
            | {"images_per_second": run.images_per_second}
            for run in runs
        ],
        "samples": [
            {"run": number, **asdict(sample)}
            for number, run in enumerate(runs)
            for sample in run.samples
        ],
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table and two sentences."""
    table = Table(
        "images", "workers", "seconds", "images/s", "CPU s/image", "peak of a worker", "of the main"
    )
    for run in figures["runs"]:
        table.add_row(
            f"{run['images']:,}",
            str(run["workers"]),
            f"{run['seconds']:.1f}",
            f"{run['images_per_second']:.1f}",
            f"{run['cpu_seconds'] / run['images']:.4f}",
            f"{run['worker_peak_mib']:.0f} MiB",
            f"{run['main_peak_mib']:.0f} MiB",
        )
    console.print(f"detector {figures['detector']}; {figures['machine']}")
    console.print(table)
    workers = figures["runs"][-1]["workers"]
    console.print(
        f"{workers} workers do {figures['speed_up']:.2f} times what one does; four times the images"
        f" take {figures['worker_peak_growth']:.2f} times the memory of a worker."
    )
    console.print(
        f"one thread at {LONGEST_SIDE} pixels: dpm {figures['cpu_seconds_dpm']:.3f} CPU seconds a"
        f" photo, dlib {figures['cpu_seconds_dlib']:.3f}, {figures['cpu_dpm_to_dlib']:.2f} times"
    )
    for images in (CELEBA, LARGE):
        console.print(_cost(figures, images))


def save(figures: dict[str, Any], folder: Path) -> None:
    """Write ``preprocessing.json`` and ``memory.csv``, the memory of each process over time."""
    write_json(folder / "preprocessing.json", _without_samples(figures))
    with atomic_file(folder / "memory.csv") as partial, partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["run", "seconds", "process", "mib"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(figures["samples"])


def _without_samples(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "samples"}


def _cost(figures: dict[str, Any], images: int) -> str:
    """Reckon up what so many images like these cost."""
    hours = figures["cpu_seconds_per_image"] * images / 3600
    size = figures["crop_bytes_per_image"] * images / 1e9
    return (
        f"{images:,} such images: {hours:,.1f} CPU hours; {size:,.0f} GB of crops, and as much"
        " again until the stage ends"
    )


def _rows(files: Sequence[Path], images: int) -> Iterator[Row]:
    for number in range(images):
        repetition, index = divmod(number, len(files))
        pixels = decode_rgb(files[index].read_bytes(), str(files[index]))
        yield {
            "image_id": f"{number:08d}",
            "identity": f"{number % PEOPLE}",
            "source_path": f"{repetition}/{files[index].name}",
            "image": _jpeg(_changed(pixels, repetition)),
            ATTRIBUTE: number % 2,
        }


def _changed(pixels: Picture, repetition: int) -> Picture:
    """Change one pixel of the middle by half the range, another one in each repetition."""
    height, width, _ = pixels.shape
    side = max(min(height, width) // 4, 1)
    row, column = divmod(repetition % (side * side), side)
    changed = pixels.copy()
    changed[(height - side) // 2 + row, (width - side) // 2 + column] += 128  # of 256: wraps around
    return changed


def _jpeg(pixels: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def _prepare(settings: Settings, parts: Sequence[Path], paths: Paths, workers: int) -> None:
    """Make a work tree whose raw table is made of links to the parts."""
    paths.raw.mkdir(parents=True)
    for part in parts:
        (paths.raw / part.name).symlink_to(part)
    section = settings.preprocess.model_dump() | {"split": "identity"}
    if settings.preprocess.dpm_model:
        section["dpm_model"] = str(Path(settings.preprocess.dpm_model).resolve())
    content = {"attribute": ATTRIBUTE, "workers": workers, "preprocess": section}
    paths.params.write_text(yaml.safe_dump(content), encoding="utf-8")


def _watch(process: "subprocess.Popen[bytes]", start: float, samples: list[Sample]) -> float:
    """Read the memory of the process and its workers until it ends; return its CPU seconds."""
    main = psutil.Process(process.pid)
    seen: dict[int, int] = {process.pid: 0}
    spent: dict[int, float] = {}
    while process.poll() is None:
        for one in [main, *_workers(main)]:
            try:
                number = seen.setdefault(one.pid, len(seen))
                mib = one.memory_info().rss / MIB
                times = one.cpu_times()
                spent[one.pid] = times.user + times.system
            except psutil.Error:  # it ended in between
                continue
            samples.append(Sample(round(time.monotonic() - start, 2), number, round(mib, 1)))
        time.sleep(1 / SAMPLES_PER_SECOND)
    return sum(spent.values())


def _workers(main: psutil.Process) -> list[psutil.Process]:
    """Return Dask's workers among the processes that ``main`` has started."""
    try:
        return [one for one in main.children() if "spawn_main" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def _fill(run: Run, paths: Paths) -> None:
    """Add what the stage has written and what the samples say."""
    metrics = read_json(paths.metrics("preprocess"))
    run.images, run.crops = metrics["images"], metrics["crops"]
    run.crop_bytes = sum(path.stat().st_size for path in shards(paths.crops))
    run.raw_bytes = sum(path.stat().st_size for path in shards(paths.raw))
    main = [sample.mib for sample in run.samples if sample.process == 0]
    others = [sample.mib for sample in run.samples if sample.process != 0]
    run.main_peak_mib = max(main, default=0)
    run.worker_peak_mib = max(others or main, default=0)
