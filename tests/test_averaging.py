import numpy as np
import pytest

from sanmodel.averaging import ClassSums
from sanmodel.errors import SanError

RANDOM = np.random.default_rng(0)
FACES = [(RANDOM.integers(0, 256, (224, 224, 3), dtype=np.uint8), i % 2) for i in range(7)]


def summed(faces: list[tuple[np.ndarray, int]]) -> ClassSums:
    total = ClassSums.zero()
    total.add(faces)
    return total


def test_the_mean_is_exact_however_the_images_are_divided():
    whole, parts = summed(FACES), summed(FACES[5:])
    parts.merge(summed(FACES[:5]))
    assert whole.counts.tolist() == parts.counts.tolist() == [4, 3]
    assert np.array_equal(whole.means(), parts.means())
    expected = np.mean([face for face, label in FACES if label], axis=0)
    np.testing.assert_allclose(whole.means()[1], expected)


def test_an_empty_class_is_refused():
    with pytest.raises(SanError, match="class 1 of the attribute has no training image"):
        summed([FACES[0]]).means()


def test_sums_come_back_from_a_file(tmp_path):
    summed(FACES).save(tmp_path / "x.shard")
    assert np.array_equal(ClassSums.load(tmp_path / "x.shard").sums, summed(FACES).sums)
