"""The benchmark of the training step: both kinds of step do the same."""

import pytest
from torch import nn

from sanmodel.benchmarks.training import literal, make_setting, ours
from sanmodel.models.descriptor import DescriptorNetwork


@pytest.fixture(scope="module")
def setting():
    return make_setting(2, DescriptorNetwork())


def test_our_step_has_the_losses_of_the_literal_one(setting):
    read, fast = literal(setting), ours(setting, "32-true")
    for _ in range(3):
        assert fast().item() == pytest.approx(read().item(), rel=1e-3)


def test_bfloat16_stays_near(setting):
    read, mixed = literal(setting), ours(setting, "bf16-mixed")
    assert mixed().item() == pytest.approx(read().item(), rel=0.02)


def test_the_setting_is_left_as_it_was(setting):
    before = [parameter.clone() for parameter in setting.autoencoder.parameters()]
    literal(setting)()
    ours(setting, "32-true")()
    after = setting.autoencoder.parameters()
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
    assert isinstance(setting.R_vgg, nn.Module)
    assert not any(parameter.requires_grad for parameter in setting.R_vgg.parameters())
