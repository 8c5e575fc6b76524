"""What `san perturb` and `san runtimes` say on the terminal."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sanmodel.errors import SanError
from sanmodel.photos.inputs import Job, jobs_of
from sanmodel.photos.record import FILE
from sanmodel.photos.running import Report, Tally, run
from sanmodel.photos.work import Done, Order
from sanmodel.progress import TerminalObserver
from sanmodel.runtime.choice import Way, open_way, seconds_per_image
from sanmodel.runtime.manifest import read_manifest
from sanmodel.runtime.runtimes import RUNTIMES

if TYPE_CHECKING:
    from sanmodel.photos.checking import Checker

FEW = 20
"""Up to so many photos each has a line of its own."""


def perturb_all(arguments: Sequence[str], order: Order, workers: int | None, check: bool) -> bool:
    """Perturb photos and say what became of them.

    Returns:
        Whether one of them failed.

    Raises:
        SanError: See :func:`sanmodel.photos.running.run`.
    """
    jobs, start = jobs_of(arguments), time.perf_counter()
    report = _report(order, check, one_by_one=len(jobs) <= FEW)
    if len(jobs) <= FEW:
        tally = run(jobs, order, workers, report)
    else:
        with TerminalObserver() as terminal:
            tally = run(jobs, order, workers, report, terminal)
    typer.echo(_summary(tally, order, time.perf_counter() - start))
    return tally.failed > 0


def _report(order: Order, check: bool, one_by_one: bool) -> Report:
    """Return what tells of each photo."""
    checker = _checker(order) if check else None

    def report(job: Job, done: Done) -> None:
        if done.problem:
            typer.echo(f"error: {done.problem}", err=True)
        elif one_by_one or checker:
            _tell(job, done, order)
        for number, face in enumerate(done.faces if checker else (), start=1):
            assert checker is not None
            for sentence in checker.sentences(face) if face.before.size else ():
                typer.echo(f"  face {number}: {sentence}")

    return report


def _checker(order: Order) -> "Checker":
    """Open the networks that judge.

    Raises:
        SanError: If they are not installed.
    """
    try:
        from sanmodel.photos.checking import Checker

        return Checker(read_manifest(order.model).attribute)
    except ImportError as error:  # of a library, or of the metadata of one
        raise SanError(
            "--check asks networks that the base install goes without:"
            " pip install 'sanmodel[pipeline]'"
        ) from error


def _tell(job: Job, done: Done, order: Order) -> None:
    outputs = list(dict.fromkeys(str(order.out / entry.output) for entry in done.entries))
    typer.echo(f"{', '.join(outputs)}: {_many(len(done.entries), 'face')} of {job.source}")
    for entry in done.entries:
        if entry.note:
            typer.echo(f"  face {entry.face}: {entry.note}")


def _summary(tally: Tally, order: Order, seconds: float) -> str:
    parts = [f"{_many(tally.faces, 'face')} in {_many(tally.photos, 'photo')}, {seconds:.1f} s"]
    if tally.faces and seconds > 1:
        parts[0] += f" ({tally.faces / seconds:.1f} faces/s)"
    if tally.uncertain:
        parts.append(
            f"{_many(tally.uncertain, 'face')} towards neutral only, for want of certainty"
        )
    if tally.before:
        parts.append(f"{_many(tally.before, 'photo')} done before")
    if tally.failed:
        parts.append(f"{_many(tally.failed, 'photo')} failed")
    return f"{'; '.join(parts)}. {order.out / FILE} tells of each face."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def runtime_lines(folder: Path, measure: bool) -> Iterator[str]:
    """Yield a line for each runtime: what it runs of a model, or why it does not work here.

    Args:
        folder: The export folder.
        measure: Say how fast, too.
    """
    manifest = read_manifest(folder)
    for name in RUNTIMES.names():
        runtime = RUNTIMES.get(name)()
        obstacle = runtime.obstacle()
        if obstacle:
            yield f"{name}: not here, {obstacle}"
            continue
        precisions = runtime.precisions(manifest)
        if not precisions:
            yield f"{name}: works here, but has no file of this model"
            continue
        speeds = [f"{one}{_speed(Way(name, one), folder) if measure else ''}" for one in precisions]
        yield f"{name}: {', '.join(speeds)}"


def _speed(way: Way, folder: Path) -> str:
    try:
        seconds = seconds_per_image(open_way(way, folder, read_manifest(folder)))
    except SanError as error:
        return f" (fails: {error})"
    return f" ({1 / seconds:.0f} faces/s)"
