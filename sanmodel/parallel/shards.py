"""Work by shards: each makes one file, and what is made once is not made again.

The file of a shard is named after everything that decides its content. A run that was killed
finds the files of the shards that were finished; changed rows, settings or code give other names.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future, as_completed
from distributed.scheduler import KilledWorker
from threadpoolctl import threadpool_limits

from sanmodel.errors import SanError
from sanmodel.files import atomic_file, sha256
from sanmodel.observer import Observer
from sanmodel.parallel.fingerprint import code_digest, digest
from sanmodel.tables import RowGroup, row_groups

T = TypeVar("T")
R = TypeVar("R")

IN_FLIGHT = 1000
"""Tasks that the scheduler knows at a time, however many there are."""


@dataclass(frozen=True)
class Shard:
    """A few row groups of a table and the file that is made of them.

    Attributes:
        groups: The row groups, in order.
        result: The file.
    """

    groups: tuple[RowGroup, ...]
    result: Path

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(group.rows for group in self.groups)

    def __str__(self) -> str:
        more = f" and {len(self.groups) - 1} more row groups" if self.groups[1:] else ""
        return f"{self.groups[0]}{more}"


def plan_shards(
    client: Client, table: Path, settings: object, folder: Path, at_most: int | None = None
) -> list[Shard]:
    """Divide a table into shards.

    Args:
        client: Reads the table's files, to name results after what is in them.
        table: Folder of the table.
        settings: All that the result of a shard depends on besides its rows and the code.
        folder: Folder of the results.
        at_most: Number of shards; one per row group if there are fewer or this is null.
    """
    groups = row_groups(table)
    files = list(dict.fromkeys(group.path for group in groups))
    contents = dict(run_tasks(client, _content, files))
    size = -(-len(groups) // (at_most or len(groups) or 1)) or 1
    return [
        _shard(tuple(groups[start : start + size]), contents, settings, folder)
        for start in range(0, len(groups), size)
    ]


def finish_shards(
    client: Client,
    work: Callable[[Shard, Path], None],
    shards: Sequence[Shard],
    task: str,
    observer: Observer,
) -> None:
    """Make the results that are missing.

    Args:
        client: Of the workers.
        work: Writes the result of a shard to the path that it is given.
        shards: What there is to do.
        task: What ``observer`` hears of, in rows.
        observer: Hears about progress.

    Raises:
        SanError: See :func:`run_tasks`.
    """
    missing = [shard for shard in shards if not shard.result.exists()]
    total = sum(shard.rows for shard in shards)
    observer.start(task, total, total - sum(shard.rows for shard in missing))
    for _, rows in run_tasks(client, _Finish(work), missing):
        observer.advance(rows)


def run_tasks(
    client: Client, function: Callable[[T], R], tasks: Iterable[T]
) -> Iterator[tuple[T, R]]:
    """Yield each task with its result, in the order in which they are done.

    A task that is lost with its worker is given to another one.

    Args:
        client: Of the workers.
        function: Importable on the workers; runs on one thread.
        tasks: Small: they pass through the scheduler, like the results.

    Raises:
        SanError: If a task raises one, a worker has other code than this process, or a task takes
            one worker after the other down with it.
    """
    waiting, owners = iter(tasks), dict[Future, T]()
    call = _Call(function, code_digest())

    def submit(count: int) -> list[Future]:
        futures = {client.submit(call, task, pure=False): task for task in islice(waiting, count)}
        owners.update(futures)
        return list(futures)

    done = as_completed(submit(IN_FLIGHT))
    for future in done:
        task = owners.pop(future)
        yield task, _result(future, task)
        for following in submit(1):
            done.add(following)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path of this call's own to write to; it becomes ``path`` when the block ends well.

    A worker that was given up for lost may still be writing what another one writes as well.

    Raises:
        SanError: If the disk is full.
    """
    with atomic_file(path, f"{uuid.uuid4().hex}.partial") as partial:
        yield partial


@dataclass(frozen=True)
class _Call:
    """Runs a function on a worker."""

    function: Callable[[Any], Any]
    code: str

    def __call__(self, task: Any) -> Any:
        if code_digest() != self.code:
            raise SanError(
                "a Dask worker has another version of sanmodel or of its libraries than this"
                " process: install the same on all machines"
            )
        # The sums of a matrix product depend on the number of threads in their last bits.
        with threadpool_limits(limits=1):
            return self.function(task)


@dataclass(frozen=True)
class _Finish:
    """Makes the result of one shard, whole or not at all."""

    work: Callable[[Shard, Path], None]

    def __call__(self, shard: Shard) -> int:
        with written_whole(shard.result) as partial:
            self.work(shard, partial)
        return shard.rows


def _result(future: Future, task: object) -> Any:
    try:
        return future.result()
    except KilledWorker as error:
        raise SanError(
            f"workers ended without a word while they were at work on {task}: one of its images may"
            " need more memory than there is; look there, or take fewer `workers`"
        ) from error


def _content(path: Path) -> str:
    return sha256(path)


def _shard(
    groups: tuple[RowGroup, ...], contents: dict[Path, str], settings: object, folder: Path
) -> Shard:
    rows = [(contents[group.path], group.index) for group in groups]
    return Shard(groups, folder / f"{digest(code_digest(), settings, rows)}.shard")
