"""Loading is far faster than any training; the benchmark measures what it says."""

import time
from pathlib import Path

import pytest
from rich.console import Console

from sanmodel.benchmarks.loading import (
    BATCHES,
    WAITING_STEPS,
    crops_per_second,
    examples,
    make_up,
    run_benchmark,
    show,
    waiting,
)
from sanmodel.training.data import Examples

RATE = 5000
"""Crops per second on two cores that are asked for; one core reaches ten times as many."""


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    path = tmp_path_factory.mktemp("loading") / "crops.npy"
    make_up(path, 1000)
    return examples(path)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("batch_size", BATCHES)
def test_crops_load_faster_than_asked_for(crops: Examples, batch_size: int, mirror: bool):
    assert crops_per_second(crops, batch_size, mirror) > RATE


def test_waiting_is_the_time_between_asking_and_having():
    def slow():
        for number in range(4):
            time.sleep(0.5 if number == 0 else 0.03)
            yield number

    assert 0.03 <= waiting(slow()) < 0.1


def test_the_figures_are_complete_and_readable(tmp_path: Path):
    crops = 16 * WAITING_STEPS
    figures = run_benchmark(crops, tmp_path)
    assert [(rate["batch"], rate["mirror"]) for rate in figures["rates"]] == [
        (16, False),
        (16, True),
        (64, False),
        (64, True),
    ]
    assert list(tmp_path.iterdir()) == []
    console = Console(width=120, record=True)
    show(figures, console)
    text = console.export_text()
    assert f"{crops} crops" in text
    assert f"{figures['rates'][3]['crops_per_second']:,.0f}" in text
