"""Dynamic batching: what many requests want of the model is gathered and done in one pass.

A model is faster on a batch than on each of its images, and one thread owns it. A lone request
waits a few milliseconds for company.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sanmodel.serving.refusals import not_ready, overloaded

Item = TypeVar("Item")
Made = TypeVar("Made")

Work = Callable[[list[Item]], list[Made]]
"""Makes one thing of each item, in their order."""


def unheard(items: int) -> None:
    """Take no notice of a batch."""


@dataclass
class _Job(Generic[Item, Made]):
    """What one request wants."""

    items: Sequence[Item]
    answer: Future[list[Made]] = field(default_factory=Future)


class Batcher(Generic[Item, Made]):
    """Gathers jobs and works on them in one thread of its own.

    Args:
        open_work: Makes the work; it is called first of all, in the thread that will work.
        max_batch: Most items that the work is given at a time.
        max_jobs: Most jobs that wait.
        gather: Seconds for which a job waits for others.
        heard: Is told the number of items of every batch.
    """

    def __init__(
        self,
        open_work: Callable[[], Work[Item, Made]],
        max_batch: int,
        max_jobs: int,
        gather: float,
        heard: Callable[[int], None] = unheard,
    ) -> None:
        self._open, self._heard = open_work, heard
        self._max_batch, self._gather = max_batch, gather
        self._jobs: queue.Queue[_Job[Item, Made] | None] = queue.Queue(max_jobs)
        self._lock, self._stopped = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self.opened: Future[None] = Future()
        """Done when the work was made, or failed to be."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return self._jobs.qsize()

    def submit(self, items: Sequence[Item]) -> Future[list[Made]]:
        """Ask for something to be made of each item; a cancelled answer is not worked on.

        Raises:
            RefusedError: If too many jobs wait, or the batcher is stopped.
        """
        job = _Job[Item, Made](items)
        with self._lock:
            if self._stopped:
                raise not_ready()
            try:
                self._jobs.put_nowait(job)
            except queue.Full:
                raise overloaded() from None
        return job.answer

    def stop(self) -> None:
        """Take no more jobs, finish those that were taken, and end the thread."""
        with self._lock:
            self._stopped = True
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            work = self._open()
        except Exception as error:  # whoever waits for the work is to hear of it
            self.opened.set_exception(error)
            self._refuse_until_stopped()
            return
        self.opened.set_result(None)
        going = True
        while going:
            jobs, going = self._gathered()
            self._finish(work, [job for job in jobs if job.answer.set_running_or_notify_cancel()])

    def _refuse_until_stopped(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.answer.set_exception(not_ready())

    def _gathered(self) -> tuple[list[_Job[Item, Made]], bool]:
        """Return the jobs of the next batch, and whether there may be more after them."""
        jobs: list[_Job[Item, Made]] = []
        count, wait, end = 0, None, 0.0
        while count < self._max_batch:
            try:
                job = self._jobs.get(timeout=wait)
            except queue.Empty:
                break
            if job is None:
                return jobs, False
            end = end or time.monotonic() + self._gather
            wait = max(end - time.monotonic(), 0)
            jobs.append(job)
            count += len(job.items)
        return jobs, True

    def _finish(self, work: Work[Item, Made], jobs: list[_Job[Item, Made]]) -> None:
        """Work on jobs; if that fails, on each alone, so that one fails not for another's sake."""
        try:
            made = self._made(work, [item for job in jobs for item in job.items])
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].answer.set_exception(error)
                return
            for job in jobs:
                self._finish(work, [job])
            return
        start = 0
        for job in jobs:
            job.answer.set_result(made[start : start + len(job.items)])
            start += len(job.items)

    def _made(self, work: Work[Item, Made], items: list[Item]) -> list[Made]:
        made: list[Made] = []
        for start in range(0, len(items), self._max_batch):
            part = items[start : start + self._max_batch]
            self._heard(len(part))
            made += work(part)
        return made
