import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sanmodel.errors import SanError
from sanmodel.evaluation import answers as answers_module
from sanmodel.evaluation.answers import Answers

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
BOXES = np.tile([1.0, 2.0, 6.0, 7.0], (5, 1))


class Network:
    """Says the mean of each image, or mean and largest value, and remembers how many it saw."""

    def __init__(self, descriptors: bool = False) -> None:
        self.descriptors, self.seen = descriptors, 0

    def __call__(self, images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        means = images.mean(axis=(1, 2)) + boxes[:, 0]
        return np.stack([means, images.max(axis=(1, 2))], 1) if self.descriptors else means


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "new" / "answers.sqlite")


@pytest.mark.parametrize("descriptors", [False, True])
def test_an_image_is_shown_once_and_its_answer_is_the_same(answers: Answers, descriptors: bool):
    network = Network(descriptors)
    expected = Network(descriptors)(IMAGES, BOXES)
    some = answers.of("a", network, IMAGES[:3], BOXES[:3])
    every = answers.of("a", network, IMAGES[::-1], BOXES[::-1])
    np.testing.assert_array_equal(some, expected[:3])
    np.testing.assert_array_equal(every, expected[::-1])
    assert network.seen == 5


def test_of_equal_images_in_a_batch_one_is_shown(answers: Answers):
    network = Network()
    found = answers.of("a", network, IMAGES[[0, 1, 0, 0]], BOXES[:4])
    np.testing.assert_array_equal(found, Network()(IMAGES[[0, 1, 0, 0]], BOXES[:4]))
    assert network.seen == 2


def test_another_network_version_or_box_is_asked_again(answers: Answers):
    network = Network()
    for name, boxes in (("a 1", BOXES), ("a 2", BOXES), ("a 2", BOXES + 1)):
        found = answers.of(name, network, IMAGES, boxes)
        np.testing.assert_array_equal(found, Network()(IMAGES, boxes))
    assert network.seen == 15


def test_a_later_run_finds_them_and_a_damaged_file_is_made_anew(tmp_path: Path):
    path = tmp_path / "answers.sqlite"
    Answers(path).of("a", Network(), IMAGES, BOXES)
    again = Network()
    Answers(path).of("a", again, IMAGES, BOXES)
    assert again.seen == 0
    path.write_bytes(b"no database" * 1000)
    Answers(path).of("a", again, IMAGES, BOXES)
    assert again.seen == 5


def test_a_file_that_is_damaged_further_on_is_made_anew_too(tmp_path: Path):
    path, many = tmp_path / "answers.sqlite", np.arange(4000, dtype=np.uint16).reshape(1000, 2, 2)
    answers = Answers(path)
    answers.of("a", Network(descriptors=True), many.view(np.uint8), np.zeros((1000, 4)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    network = Network(descriptors=True)
    for _ in range(2):
        found = answers.of("a", network, many.view(np.uint8), np.zeros((1000, 4)))
    assert len(found) == network.seen == 1000


def test_a_file_that_another_run_writes_is_left_alone(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(answers_module, "PATIENCE", 0.05)
    path = tmp_path / "answers.sqlite"
    Answers(path).of("a", Network(), IMAGES, BOXES)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SanError, match="cannot be used .*locked.*: wait for the other run"):
            Answers(path)
    again = Network()
    Answers(path).of("a", again, IMAGES, BOXES)
    assert again.seen == 0


def test_answers_of_other_code_are_deleted(tmp_path: Path, monkeypatch):
    path = tmp_path / "answers.sqlite"
    Answers(path).of("a", Network(), IMAGES, BOXES)
    monkeypatch.setattr(answers_module, "_code", lambda: "f" * 64)
    Answers(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    network = Network()
    Answers(path).of("a", network, IMAGES, BOXES)
    Answers(path).of("a", network, IMAGES, BOXES)
    assert network.seen == 5


def test_an_answer_that_is_no_number_is_refused_with_the_network_s_name(answers: Answers):
    def broken(images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(images)) == 1, np.nan, 0.0)

    with pytest.raises(SanError, match="^net 3 answers with something that is no finite number"):
        answers.of("net 3", broken, IMAGES, BOXES)
    assert answers.of("net 3", Network(), IMAGES, BOXES).shape == (5,)
