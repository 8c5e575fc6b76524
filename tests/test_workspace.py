"""A work tree has one writer, and whoever comes second is told who that is."""

import multiprocessing
import time
from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.workspace import holding


def hold(root: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with holding(root, "a training"):
        ready.set()
        time.sleep(60)


def test_the_second_is_told_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(tmp_path, ready))
    process.start()
    try:
        assert ready.wait(60)
        told = (
            rf"is held by .*@.* \(process {process.pid}\) for a training since 20\d\d-.* UTC: wait"
        )
        with pytest.raises(SanError, match=told):
            with holding(tmp_path, "another"):
                pass
    finally:
        process.kill()
        process.join()
    with holding(tmp_path, "another"):
        pass


def test_it_can_be_held_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"):
        with holding(tmp_path, "one"):
            raise ValueError("x")
    with holding(tmp_path, "two"):
        pass
