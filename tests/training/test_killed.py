"""SIGKILL in real processes: whenever it comes, the weights end as if it had not.

After a third of the steps a second loss term joins.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import torch
from toy_training import train_watched


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts processes that have torch loaded: seconds less each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sanmodel.training.hardware", "sanmodel.training.loop"])
    return context


@pytest.fixture(scope="module")
def whole(processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(processes, folder) == 0
    return folder


def run(
    processes: ForkServerContext,
    folder: Path,
    kill_at: int | None = None,
    kill_when: Callable[[], bool] | None = None,
) -> int | None:
    """Train in a process of its own; return its exit code."""
    process = processes.Process(target=train_watched, args=(folder, kill_at))
    process.start()
    while kill_when and process.is_alive():
        if kill_when():
            process.kill()
            break
    process.join(60)
    return process.exitcode


def ended_like(folder: Path, whole: Path) -> bool:
    weights, expected = (torch.load(f / "done.pt", weights_only=True) for f in (folder, whole))
    return all(torch.equal(weights[name], expected[name]) for name in expected)


def test_killed_again_and_again_it_ends_with_the_same_bits(
    processes: ForkServerContext, whole: Path, tmp_path: Path
):
    for step in (2, 5, 11, 23):  # before the first checkpoint, and between two later ones
        assert run(processes, tmp_path, kill_at=step) == -signal.SIGKILL
        assert not (tmp_path / "done.pt").exists()
    assert run(processes, tmp_path) == 0
    assert ended_like(tmp_path, whole)


def test_killed_while_a_checkpoint_is_written_it_ends_with_the_same_bits(
    processes: ForkServerContext, whole: Path, tmp_path: Path
):
    """Once while the first one is written, once while there is one to be replaced."""
    kill_while_writing(processes, tmp_path, replaced=False)
    assert run(processes, tmp_path, kill_at=5) == -signal.SIGKILL
    kill_while_writing(processes, tmp_path, replaced=True)
    assert run(processes, tmp_path) == 0
    assert ended_like(tmp_path, whole)


def kill_while_writing(processes: ForkServerContext, folder: Path, replaced: bool) -> None:
    """Kill a training that is busy with a checkpoint; a writer that was faster gets another go."""
    checkpoint, partial = folder / "toy.safetensors", folder / ".toy.safetensors.partial"
    before = checkpoint.read_bytes() if replaced else None
    for _ in range(30):
        partial.unlink(missing_ok=True)
        code = run(processes, folder, kill_when=partial.exists)
        found = checkpoint.read_bytes() if checkpoint.exists() else None
        if code == -signal.SIGKILL and partial.exists() and found == before:
            return
        (folder / "done.pt").unlink(missing_ok=True)
        checkpoint.unlink(missing_ok=True)
        if before:
            checkpoint.write_bytes(before)
    pytest.fail("no checkpoint could be caught while it was written")


def test_killed_at_any_time_it_ends_with_the_same_bits(
    processes: ForkServerContext, whole: Path, tmp_path: Path
):
    diary, codes = tmp_path / "step", []
    for number in range(4):
        begun = diary.stat().st_mtime_ns if diary.exists() else 0
        wait = 0.013 * (number + 1)

        def some_time_after_the_first_step(begun=begun, wait=wait) -> bool:
            if not diary.exists() or diary.stat().st_mtime_ns == begun:
                return False
            time.sleep(wait)
            return True

        codes.append(run(processes, tmp_path, kill_when=some_time_after_the_first_step))
    assert -signal.SIGKILL in codes
    assert run(processes, tmp_path) == 0
    assert ended_like(tmp_path, whole)
