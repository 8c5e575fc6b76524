"""A work tree has one writer, and whoever comes second is told who that is."""

import subprocess
import sys
from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.workspace import holding

HOLD = """
import sys, time
from pathlib import Path
from sanmodel.workspace import holding

with holding(Path(sys.argv[1]), "a training"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            told = rf"is held by .*@.* \(process {process.pid}\) for a training since 20.*: wait"
            with pytest.raises(SanError, match=told):
                with holding(tmp_path, "another"):
                    pass
        finally:
            process.kill()
    with holding(tmp_path, "another"):
        pass


def test_it_can_be_held_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"):
        with holding(tmp_path, "one"):
            raise ValueError("x")
    with holding(tmp_path, "two"):
        pass
