"""Every variant is shown to every network once and compared with the original."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_faces import faces as black_faces

from sanmodel.evaluation.answers import Answers
from sanmodel.evaluation.measure import Judges, Measurements, measure
from sanmodel.evaluation.similarity import psnr, ssim
from sanmodel.observer import SILENT, Observer

COUNT = 7
RNG = np.random.default_rng(0)
ORIGINALS = RNG.integers(0, 256, (COUNT, 16, 16), dtype=np.uint8)
VARIANTS = {"original": ORIGINALS, "OP": ORIGINALS[::-1] // 2, "SM": ORIGINALS // 3}
FACES = replace(
    black_faces(list(range(COUNT)), [0] * COUNT),
    images=ORIGINALS,
    boxes=RNG.uniform(0, 16, (COUNT, 4)),
)


class Means:
    """Reads the mean grey of a face and describes it by its first row."""

    attribute, version = "Male", "1"

    def __init__(self) -> None:
        self.seen = 0

    def scores(self, images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        return images.mean(axis=(1, 2)) + boxes[:, 0]

    def descriptors(self, images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        return images[:, 0].astype(np.float64)


class Counter(Observer):
    def __init__(self) -> None:
        self.total, self.done = 0, 0

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.total = total

    def advance(self, steps: int = 1) -> None:
        self.done += steps


@pytest.fixture
def judges(tmp_path: Path) -> Judges:
    answers = Answers(tmp_path / "answers.sqlite")
    return Judges({"tiny": Means()}, {"first row": Means()}, answers)


def equal(one: Measurements, other: Measurements) -> bool:
    return all(
        np.array_equal(values, getattr(other, kind)[key])
        for kind in ("scores", "descriptors", "quality")
        for key, values in getattr(one, kind).items()
    )


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_all_is_read_from_the_image_that_it_is_said_of(judges: Judges, batch_size: int):
    measured = measure(FACES, VARIANTS, judges, batch_size, SILENT)
    assert set(measured.quality) == {(n, v) for n in ("psnr", "ssim") for v in ("OP", "SM")}
    for variant, images in VARIANTS.items():
        means = images.mean(axis=(1, 2)) + FACES.boxes[:, 0]
        np.testing.assert_array_equal(measured.scores["tiny", variant], means)
        np.testing.assert_array_equal(measured.descriptors["first row", variant], images[:, 0])
        if variant != "original":
            for name, like in (("psnr", psnr), ("ssim", ssim)):
                expected = [like(*pair) for pair in zip(ORIGINALS, images, strict=True)]
                np.testing.assert_array_equal(measured.quality[name, variant], expected)


def test_what_is_known_is_neither_asked_nor_compared_again(
    judges: Judges, monkeypatch: pytest.MonkeyPatch
):
    first = measure(FACES, VARIANTS, judges, 3, SILENT)
    networks = (judges.classifiers["tiny"], judges.matchers["first row"])
    assert [network.seen for network in networks] == [3 * COUNT] * 2
    monkeypatch.setattr("sanmodel.evaluation.measure.SIMILARITIES", {"psnr": None, "ssim": None})
    assert equal(measure(FACES, VARIANTS, judges, 2, SILENT), first)
    assert [network.seen for network in networks] == [3 * COUNT] * 2


def test_progress_ends_where_it_was_said_to(judges: Judges):
    counter = Counter()
    measure(FACES, VARIANTS, judges, 3, counter)
    assert counter.done == counter.total == 3 * (3 + 3 + 2 * 2)
