"""The benchmark of the training step: both kinds of step do the same."""

import pytest
from torch import nn

from sanmodel.benchmarks.training import literal, make_setting, ours, run_benchmark
from sanmodel.errors import SanError
from sanmodel.models.descriptor import DescriptorNetwork


@pytest.fixture(scope="module")
def setting():
    return make_setting(2, DescriptorNetwork())


def test_our_step_has_the_losses_of_the_literal_one(setting):
    read, fast = literal(setting), ours(setting, "32-true")
    for _ in range(3):
        fast.autoencoder.load_state_dict(read.autoencoder.state_dict())
        assert fast.timed()[0] == pytest.approx(read.timed()[0], rel=1e-4)


def test_steps_are_steps(setting):
    read, fast = literal(setting), ours(setting, "32-true")
    first, last = ([step.timed()[0]["J_total"] for _ in range(4)] for step in (read, fast))
    assert first[-1] < first[0]
    assert last[-1] < last[0]


@pytest.mark.slow
def test_compiled_networks_have_the_same_losses(setting):
    """Half a minute for the C++ compiler."""
    plain, compiled = ours(setting, "32-true"), ours(setting, "32-true", compiled=True)
    assert compiled.timed()[0] == pytest.approx(plain.timed()[0], rel=1e-4)


def test_bfloat16_stays_near(setting):
    read, mixed = literal(setting), ours(setting, "bf16-mixed")
    assert mixed.timed()[0]["J_G"] == pytest.approx(read.timed()[0]["J_G"], rel=0.02)


def test_the_setting_is_left_as_it_was(setting):
    before = [parameter.clone() for parameter in setting.autoencoder.parameters()]
    literal(setting).timed()
    ours(setting, "32-true").timed()
    after = setting.autoencoder.parameters()
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
    assert isinstance(setting.R_vgg, nn.Module)
    assert not any(parameter.requires_grad for parameter in setting.R_vgg.parameters())


def test_a_gpu_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(SanError, match="finds no GPU here"):
        run_benchmark(1, 2, "cuda")


@pytest.mark.gpu
def test_on_a_gpu_our_step_has_the_losses_of_the_literal_one():
    setting = make_setting(2, DescriptorNetwork(), "cuda")
    read, fast, mixed = literal(setting), ours(setting, "32-true"), ours(setting, "bf16-mixed")
    expected = read.timed()[0]
    assert fast.timed()[0] == pytest.approx(expected, rel=1e-3)
    assert mixed.timed()[0]["J_G"] == pytest.approx(expected["J_G"], rel=0.02)
