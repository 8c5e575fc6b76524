"""What a training runs on: clear refusals, the launcher's word, precision, placing."""

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from sanmodel.errors import SanError
from sanmodel.settings import TrainerSettings
from sanmodel.training import hardware
from sanmodel.training.hardware import computing_mixed, has_fast_bf16, launch, place, precision_of
from sanmodel.training.processes import is_first_process

EXACT = TrainerSettings(accelerator="cpu")
MIXED = TrainerSettings(accelerator="cpu", precision="bf16-mixed")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_sentence():
    with pytest.raises(SanError) as error:
        launch(TrainerSettings(accelerator="cuda"))
    assert str(error.value).startswith("trainer.accelerator is cuda, but torch ")
    assert "set it to auto or cpu" in str(error.value)
    assert launch(TrainerSettings()).device.type == "cpu"


def test_more_processes_than_gpus_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(SanError, match="4 processes need as many GPUs, but this machine has 2"):
        launch(TrainerSettings(accelerator="cuda", devices=4))


def test_a_process_has_one_fabric():
    assert launch(EXACT) is launch(TrainerSettings(accelerator="cpu"))
    assert launch(EXACT).world_size == 1


@pytest.mark.parametrize("able", ["avx512_bf16", "amx_bf16", "avx512_f"])
def test_auto_takes_bfloat16_where_the_processor_has_it(able: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {able: True})
    assert has_fast_bf16("cpu") == (able != "avx512_f")
    launch.cache_clear()
    expected = "32-true" if able == "avx512_f" else "bf16-mixed"
    assert precision_of(launch(TrainerSettings(accelerator="cpu", precision="auto"))) == expected
    launch.cache_clear()


def test_the_processor_says_what_it_can():
    """The names that we ask for are torch's, not invented ones."""
    words = set(Path("/proc/cpuinfo").read_text().split())
    assert {"avx512_bf16", "amx_bf16"} <= torch.cpu.get_capabilities().keys()
    assert has_fast_bf16("cpu") == bool({"avx512_bf16", "amx_bf16"} & words)


def test_a_launchers_number_of_processes_counts(monkeypatch: pytest.MonkeyPatch):
    assert hardware._processes(3) == (3, 1)
    variables = {"TORCHELASTIC_RUN_ID": "1", "LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hardware._processes(3) == (4, 2)


def test_the_first_process_is_known_by_its_number(monkeypatch: pytest.MonkeyPatch):
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    assert is_first_process()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_first_process()
    monkeypatch.setenv("RANK", "0")  # over all machines
    assert is_first_process()


def test_autocast_ends_with_the_block_and_outputs_are_float32():
    torch.manual_seed(0)
    network, X = nn.Linear(8, 8), torch.rand(4, 8)
    exact = network(X)
    with computing_mixed(network, launch(MIXED)):
        mixed = network(X)
    assert mixed.dtype == torch.float32
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, atol=0.02, rtol=0.02)
    assert torch.equal(network(X), exact)


def test_lists_compute_mixed_each_but_for_what_stays_in_float32():
    torch.manual_seed(0)
    body, head, X = nn.Linear(8, 8), nn.Linear(8, 8), torch.rand(4, 8)
    exact = body(X), head(X)
    with computing_mixed(nn.ModuleList([body, head]), launch(MIXED), [head]):
        assert not torch.equal(body(X), exact[0])
        assert torch.equal(head(X), exact[1])


def test_placing_reaches_networks_and_tensors_wherever_they_are():
    @dataclass(frozen=True)
    class Loss:
        network: nn.Module
        others: list[nn.Module]
        prototype: torch.Tensor
        weight: float

    torch.manual_seed(0)
    networks, X = [nn.Linear(8, 8) for _ in range(2)], torch.rand(4, 8)
    exact = [network(X) for network in networks]
    loss = place(Loss(networks[0], networks[1:], X, 0.5), launch(MIXED))
    assert (loss.network, loss.others, loss.weight) == (networks[0], networks[1:], 0.5)
    assert torch.equal(loss.prototype, X)
    for network, before in zip(networks, exact, strict=True):
        assert network(X).dtype == torch.float32
        assert not torch.equal(network(X), before)


def test_placing_keeps_named_tuples_and_what_it_does_not_know():
    pair = namedtuple("pair", "tensor name")(torch.ones(1), "a")
    assert place(pair, launch(EXACT)) == pair
    assert place(print, launch(EXACT)) is print


def test_an_accelerator_that_is_not_known_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LT_ACCELERATOR", "tpu")
    launch.cache_clear()
    with pytest.raises(SanError, match="the accelerator tpu is none of auto, cpu, cuda, gpu"):
        launch(TrainerSettings())
    launch.cache_clear()
