"""Jobs of many threads are worked on together, by one thread, and none is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sanmodel.serving.batching import Batcher
from sanmodel.serving.refusals import RefusedError


class Doubling:
    """Doubles numbers once the door is open; remembers batches and who worked."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.begun, self.door = threading.Event(), threading.Event()

    def __call__(self, numbers: list[int]) -> list[int]:
        self.begun.set()
        assert self.door.wait(10)
        self.batches.append(numbers)
        self.threads.add(threading.get_ident())
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


@contextmanager
def batching(
    work: Doubling, max_batch: int = 4, max_jobs: int = 8, gather: float = 0.0
) -> Iterator[Batcher[int, int]]:
    heard: list[int] = []
    batcher = Batcher[int, int](lambda: work, max_batch, max_jobs, gather, heard.append)
    batcher.start()
    try:
        yield batcher
    finally:
        work.door.set()
        batcher.stop()
        assert heard == [len(batch) for batch in work.batches]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_jobs_that_wait_are_worked_on_together_by_one_thread():
    work = Doubling()
    with batching(work) as batcher:
        first = batcher.submit([1])
        assert work.begun.wait(10)
        others = [batcher.submit([number, number + 10]) for number in (2, 4)]
        work.door.set()
        assert first.result(10) == [2]
        assert [other.result(10) for other in others] == [[4, 24], [8, 28]]
    assert work.batches == [[1], [2, 12, 4, 14]]
    assert len(work.threads) == 1
    assert threading.get_ident() not in work.threads


def test_a_job_waits_a_while_for_others():
    work = Doubling()
    work.door.set()
    with batching(work, gather=0.5) as batcher:
        answers = [batcher.submit([1]), batcher.submit([2])]
        assert [answer.result(10) for answer in answers] == [[2], [4]]
        start = time.monotonic()
        batcher.submit([1, 2, 3, 4]).result(10)
        assert time.monotonic() - start < 0.4  # a whole batch waits for nobody
    assert work.batches == [[1, 2], [1, 2, 3, 4]]


def test_no_batch_is_larger_than_allowed():
    work = Doubling()
    work.door.set()
    with batching(work, max_batch=2) as batcher:
        assert batcher.submit(list(range(5))).result(10) == [0, 2, 4, 6, 8]
    assert work.batches == [[0, 1], [2, 3], [4]]


def test_a_full_queue_turns_jobs_away():
    work = Doubling()
    with batching(work, max_jobs=2) as batcher:
        taken = [batcher.submit([0])]
        assert work.begun.wait(10)
        taken += [batcher.submit([1]), batcher.submit([2])]
        assert batcher.waiting == 2
        with pytest.raises(RefusedError, match="too many requests are waiting") as caught:
            batcher.submit([3])
        assert (caught.value.status, caught.value.retry_after) == (503, 2)
        work.door.set()
        assert [one.result(10) for one in taken] == [[0], [2], [4]]


def test_a_job_that_fails_takes_no_other_with_it():
    work = Doubling()
    with batching(work) as batcher:
        batcher.submit([0])
        assert work.begun.wait(10)
        good, bad = batcher.submit([1]), batcher.submit([13])
        work.door.set()
        assert good.result(10) == [2]
        with pytest.raises(ValueError, match="13"):
            bad.result(10)
        assert batcher.submit([5]).result(10) == [10]


def test_a_cancelled_job_is_not_worked_on():
    work = Doubling()
    with batching(work) as batcher:
        batcher.submit([0])
        assert work.begun.wait(10)
        assert batcher.submit([1]).cancel()
        other = batcher.submit([2])
        work.door.set()
        assert other.result(10) == [4]
    assert work.batches == [[0], [2]]


def test_a_stop_finishes_what_was_taken_and_takes_no_more():
    work = Doubling()
    batcher = Batcher[int, int](lambda: work, 1, 8, 0.0)
    batcher.start()
    taken = [batcher.submit([number]) for number in range(5)]
    assert work.begun.wait(10)
    stopping = threading.Thread(target=batcher.stop)
    stopping.start()
    wait_for(lambda: batcher._stopped)
    with pytest.raises(RefusedError):
        batcher.submit([9])
    work.door.set()
    stopping.join(10)
    assert [one.result(0) for one in taken] == [[0], [2], [4], [6], [8]]


def test_work_that_cannot_be_made_is_told_and_jobs_are_refused():
    def fail() -> Doubling:
        raise OSError("no model")

    batcher = Batcher[int, int](fail, 1, 8, 0.0)
    batcher.start()
    assert isinstance(batcher.opened.exception(10), OSError)
    with pytest.raises(RefusedError, match="loaded"):
        batcher.submit([1]).result(10)
    batcher.stop()
