"""Many photos: on all cores, resumed where an earlier run stopped, recorded as they are done."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sanmodel.errors import SanError
from sanmodel.files import full_disk_explained
from sanmodel.observer import SILENT, Observer
from sanmodel.photos.inputs import Job
from sanmodel.photos.perturbing import PhotoPerturber
from sanmodel.photos.record import Record, state_of
from sanmodel.photos.work import Done, Order, work
from sanmodel.runtime.choice import open_fastest
from sanmodel.runtime.manifest import read_manifest

ALONE = 8
"""So few photos are done before workers have started."""

AHEAD = 4
"""Photos that wait for each worker."""

Report = Callable[[Job, Done], None]


@dataclass
class Tally:
    """What became of all photos.

    Attributes:
        photos: Photos of which something was written.
        faces: Faces that were perturbed.
        failed: Photos of which nothing was written.
        before: Photos that an earlier run had done.
        uncertain: Faces that were perturbed towards neutral only.
    """

    photos: int = 0
    faces: int = 0
    failed: int = 0
    before: int = 0
    uncertain: int = 0

    def count(self, done: Done) -> None:
        """Add what became of a photo."""
        self.failed += done.problem is not None
        self.photos += done.problem is None
        self.faces += len(done.faces)
        self.uncertain += sum(bool(entry.note and entry.output) for entry in done.entries)


def run(
    jobs: Sequence[Job],
    order: Order,
    workers: int | None = None,
    report: Report | None = None,
    observer: Observer = SILENT,
) -> Tally:
    """Perturb photos and record what was done with each face in ``faces.csv``.

    Those that an earlier run has done, in the same way and from the same file, are left out.

    Args:
        jobs: The photos and videos.
        order: What is wanted of them.
        workers: Processes; None takes one for each core, and this one alone for few photos.
        report: Hears of each photo as it is done.
        observer: Hears about progress.

    Raises:
        SanError: If the model cannot be opened, the output folder cannot be written, the disk is
            full, or a worker was killed. What was done stays, and the next run goes on from it.
    """
    _check_names(jobs)
    _make(order.out)
    record, tally = Record(order.out), Tally()
    todo = [job for job in jobs if not record.is_done(job, state_of(job.source, order.asked))]
    tally.before = len(jobs) - len(todo)
    observer.start("perturb", len(jobs), tally.before)
    if not todo:
        return tally
    record.begin(todo)
    try:
        for job, done in _done(todo, order, workers):
            with full_disk_explained(order.out):
                record.add(done.entries)
            tally.count(done)
            observer.advance()
            if report:
                report(job, done)
    finally:
        record.end()
    return tally


def _done(todo: Sequence[Job], order: Order, workers: int | None) -> Iterator[tuple[Job, Done]]:
    """Yield photos as they are done."""
    videos = [job for job in todo if job.is_video]
    photos = [job for job in todo if not job.is_video]
    count = min(workers or os.cpu_count() or 1, len(photos))
    if workers is None and len(photos) < ALONE:
        count = min(count, 1)
    if count > 1:
        yield from _in_workers(photos, order, count)
        photos = []
    if photos or videos:
        perturber = order.open()
        for job in photos:
            yield job, work(job, order, perturber)
        for job in videos:
            yield job, _video(job, order, perturber)


def _video(job: Job, order: Order, perturber: PhotoPerturber) -> Done:
    from sanmodel.photos.video import perturb_video  # what it needs is in an extra

    return perturb_video(job, order, perturber)


def _in_workers(photos: Sequence[Job], order: Order, count: int) -> Iterator[tuple[Job, Done]]:
    """Let processes work, each on one core, with some photos ahead and no more."""
    fixed = _with_a_way(order)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _begin, (fixed,)) as pool:
        waiting, rest = dict[Future[Done], Job](), iter(photos)
        try:
            while True:
                free = AHEAD * count - len(waiting)
                waiting |= {pool.submit(_in_worker, job): job for job in islice(rest, free)}
                if not waiting:
                    return
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise SanError(
                "a worker was killed, perhaps for want of memory: the same command goes on from"
                " what is done; add --workers 1 if it happens again"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _with_a_way(order: Order) -> Order:
    """Choose the runtime once for all workers, by its speed on one core."""
    manifest = read_manifest(order.model)
    way, _ = open_fastest(order.model, manifest, order.runtime, order.precision, threads=1)
    return replace(order, runtime=way.runtime, precision=way.precision)


_own: tuple[Order, PhotoPerturber] | None = None
"""Of a worker process."""


def _begin(order: Order) -> None:
    global _own
    os.environ["OMP_NUM_THREADS"] = "1"
    _own = order, order.open(threads=1)


def _in_worker(job: Job) -> Done:
    assert _own is not None
    return work(job, *_own)


def _check_names(jobs: Sequence[Job]) -> None:
    """Refuse photos whose outputs would be one file."""
    seen: dict[Path, Path] = {}
    for job in jobs:
        other = seen.setdefault(job.name, job.source)
        if other != job.source:
            raise SanError(
                f"{job.source} and {other} have one name, and so would their outputs: name their"
                " common folder, or rename one"
            )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SanError(
            f"{folder} cannot be made ({error.strerror}): choose another output folder"
        ) from error
