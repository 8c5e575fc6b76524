from pathlib import Path

import pytest
import torch

from sanmodel.errors import SanError
from sanmodel.prototypes import Prototypes

P_0, P_1 = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
PROTOTYPES = Prototypes(P_0, P_1, a_1=0.25)


def test_same_opposite_and_neutral_follow_the_papers_definitions():
    y = torch.tensor([1.0, 0.0])
    assert torch.equal(PROTOTYPES.same(y), torch.stack([P_1, P_0]))
    assert torch.equal(PROTOTYPES.opposite(y), torch.stack([P_0, P_1]))
    neutral = PROTOTYPES.neutral(y)
    assert neutral.shape == (2, 3, 224, 224)
    torch.testing.assert_close(neutral[1], 0.75 * P_0 + 0.25 * P_1)


def test_they_come_back_from_disk_for_the_same_attribute_only(tmp_path: Path):
    path = tmp_path / "prototypes.safetensors"
    PROTOTYPES.save(path, "Male")
    loaded = Prototypes.load(path, "Male")
    assert torch.equal(loaded.P_1, P_1)
    assert loaded.a_1 == 0.25
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        Prototypes.load(path, "Smiling")
