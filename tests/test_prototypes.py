from pathlib import Path

import numpy as np
import pytest
import torch

from sanmodel.errors import SanError
from sanmodel.prototypes import Prototypes, mean_images

P_0, P_1 = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
PROTOTYPES = Prototypes(P_0, P_1, a_1=0.25)


def test_same_opposite_and_neutral_follow_the_papers_definitions():
    y = torch.tensor([1.0, 0.0])
    assert torch.equal(PROTOTYPES.same(y), torch.stack([P_1, P_0]))
    assert torch.equal(PROTOTYPES.opposite(y), torch.stack([P_0, P_1]))
    neutral = PROTOTYPES.neutral(y)
    assert neutral.shape == (2, 3, 224, 224)
    torch.testing.assert_close(neutral[1], 0.75 * P_0 + 0.25 * P_1)


def test_the_mean_is_exact_and_independent_of_the_order():
    rng = np.random.default_rng(0)
    faces = [(rng.integers(0, 256, (224, 224, 3), dtype=np.uint8), i % 2) for i in range(7)]
    means, counts = mean_images(faces)
    again, _ = mean_images(reversed(faces))
    assert counts == [4, 3]
    assert np.array_equal(means, again)
    expected = np.mean([face for face, label in faces if label], axis=0)
    np.testing.assert_allclose(means[1], expected)


def test_an_empty_class_is_refused():
    with pytest.raises(SanError, match="class 1 of the attribute has no training image"):
        mean_images([(np.zeros((224, 224, 3), dtype=np.uint8), 0)])


def test_they_come_back_from_disk_for_the_same_attribute_only(tmp_path: Path):
    path = tmp_path / "prototypes.safetensors"
    PROTOTYPES.save(path, "Male")
    loaded = Prototypes.load(path, "Male")
    assert torch.equal(loaded.P_1, P_1)
    assert loaded.a_1 == 0.25
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        Prototypes.load(path, "Smiling")
