"""Which images a step sees, in what order, and loading ahead."""

import threading

import numpy as np
import pytest
import torch
from toy_training import EXAMPLES

from sanmodel.errors import SanError
from sanmodel.training.data import Sampler, ahead, to_batch
from sanmodel.training.determinism import derived_seed


def test_every_epoch_shows_every_example_once_in_a_new_order():
    sampler = Sampler(EXAMPLES, 5, seed=1)
    epochs = [
        torch.cat([sampler.batch(step).row for step in steps]).tolist()
        for steps in ((0, 1), (2, 3))
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_a_batch_depends_on_its_step_only():
    straight, jumping = Sampler(EXAMPLES, 3, 1, mirror=True), Sampler(EXAMPLES, 3, 1, mirror=True)
    batches = [straight.batch(step) for step in range(8)]
    for step in (7, 2, 5):
        assert torch.equal(jumping.batch(step).images, batches[step].images)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_parts_of_a_step_are_together_one_large_batch(mirror: bool):
    whole = Sampler(EXAMPLES, 8, seed=1, mirror=mirror)
    parts = Sampler(EXAMPLES, 2, seed=1, mirror=mirror, parts=4)
    assert whole.images == parts.images == 8
    for step in range(3):
        expected = whole.batch(step)
        found = map(torch.cat, zip(*(parts.batch(step, part) for part in range(4)), strict=True))
        assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_parts_are_equal_even_if_there_are_few_examples():
    sampler = Sampler(EXAMPLES, 100, seed=1, parts=4)
    assert [len(sampler.batch(0, part).y) for part in range(4)] == [2, 2, 2, 2]
    with pytest.raises(SanError, match="a step of 11 parts needs as many training images"):
        Sampler(EXAMPLES, 1, seed=1, parts=11)


def test_pixels_become_0_to_1_and_a_mirror_turns_left_and_right():
    X = to_batch(Sampler(EXAMPLES, 10, seed=1).batch(0)).X
    mirrored = to_batch(Sampler(EXAMPLES, 10, seed=1, mirror=True).batch(0)).X
    assert X.shape == (10, 1, 4, 4)
    assert X.min() >= 0
    assert 0.9 < X.max() <= 1
    turned = [torch.equal(a, b.flip(-1)) for a, b in zip(X, mirrored, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(X, mirrored, strict=True)]
    assert any(turned)
    assert any(same)
    assert all(a or b for a, b in zip(turned, same, strict=True))


def test_examples_that_are_taken_are_copies_with_what_is_known_of_them():
    raw = EXAMPLES.take(np.array([3, 8]))
    assert raw.images.numpy().tolist() == EXAMPLES.images[[3, 8]].tolist()
    assert (raw.y.tolist(), raw.identity.tolist(), raw.row.tolist()) == ([1, 0], [3, 8], [3, 8])
    raw.images.zero_()
    assert EXAMPLES.images[3].any()


def test_loading_ahead_keeps_order_and_stays_two_before():
    loaded: list[int] = []
    fetched = threading.Event()

    def load(key: int) -> int:
        loaded.append(key)
        if key == 2:
            fetched.set()
        return key * 10

    results = ahead(load, range(6))
    assert next(results) == 0
    assert fetched.wait(5)  # the thread works while we do not ask
    assert loaded == [0, 1, 2]
    assert list(results) == [10, 20, 30, 40, 50]


def test_an_error_while_loading_reaches_the_loop():
    def load(key: int) -> float:
        return 1 / key

    with pytest.raises(ZeroDivisionError):
        list(ahead(load, [2, 1, 0]))


def test_stages_draw_different_numbers_from_one_seed():
    assert derived_seed(1, "train") != derived_seed(1, "pretrain")
    assert derived_seed(1, "train") == derived_seed(1, "train") < 2**63


def test_landmarks_go_with_their_image_into_the_mirror():
    straight = Sampler(EXAMPLES, 10, seed=1).batch(0)
    mirrored = Sampler(EXAMPLES, 10, seed=1, mirror=True).batch(0)
    for n in range(10):
        before, after = straight.landmarks[n], mirrored.landmarks[n]
        if torch.equal(straight.images[n], mirrored.images[n]):
            assert torch.equal(after, before)
        else:  # the eyes change places, and the first of four columns is the last
            expected = before[[2, 3, 0, 1, 4]] * torch.tensor([-1, 1]) + torch.tensor([3, 0])
            torch.testing.assert_close(after, expected)
    assert not torch.equal(straight.landmarks, mirrored.landmarks)
