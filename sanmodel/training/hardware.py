"""On what a training runs: Lightning Fabric, set up from the settings and from a launcher."""

import functools
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.settings import TrainerSettings

T = TypeVar("T")

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


@functools.cache
def launch(settings: TrainerSettings) -> Fabric:
    """Return the Fabric of this process; start the other processes, if there are to be any.

    Under ``torchrun`` and ``fabric run`` the processes are there already, and what was said to
    those two counts instead of ``devices`` (and of any other setting that ``fabric run`` was told).

    Raises:
        SanError: If a GPU is asked for that is not there, or an accelerator of another kind.
    """
    devices, nodes = _processes(settings.devices)
    accelerator = _accelerator(os.environ.get("LT_ACCELERATOR", settings.accelerator))
    if accelerator == "cuda":
        _check_gpus(devices)
    arguments: dict[str, Any] = {
        "accelerator": accelerator,
        "devices": devices,
        "num_nodes": nodes,
        "precision": _precision(settings.precision, accelerator),
    }
    said = {name for name in arguments if f"LT_{name.upper()}" in os.environ}  # to `fabric run`
    fabric = Fabric(**{name: arguments[name] for name in arguments if name not in said})
    if "LT_CLI_USED" not in os.environ:
        fabric.launch()
    return fabric


def precision_of(fabric: Fabric) -> str:
    """Return ``32-true``, ``bf16-mixed`` or what else ``fabric run`` was told."""
    return str(fabric.strategy.precision.precision)


def has_fast_bf16(accelerator: str) -> bool:
    """Say whether bfloat16 is computed by the hardware itself: GPUs from Ampere, AVX512-BF16, AMX.

    Elsewhere torch emulates it, which is slower than float32.
    """
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def place(thing: T, fabric: Fabric) -> T:
    """Put what a loss looks through where the training runs.

    Args:
        thing: A network, which computes in Fabric's precision from now on, a tensor, or a list,
            tuple, dictionary or dataclass of them; whatever else stays as it is.
        fabric: Where to.

    Returns:
        The same network; of the rest a copy.
    """
    placed: Any = thing
    if isinstance(thing, nn.Module):
        _compute_mixed(channels_last(fabric.to_device(thing)), fabric)
    elif isinstance(thing, Tensor):
        placed = fabric.to_device(thing)
    elif isinstance(thing, list | tuple):
        parts = [place(part, fabric) for part in thing]
        placed = type(thing)(*parts) if hasattr(thing, "_fields") else type(thing)(parts)
    elif isinstance(thing, dict):
        placed = {key: place(part, fabric) for key, part in thing.items()}
    elif is_dataclass(thing) and not isinstance(thing, type):
        names = [field.name for field in fields(thing) if field.init]
        placed = replace(thing, **{name: place(getattr(thing, name), fabric) for name in names})
    return placed  # type: ignore[no-any-return]


def channels_last(network: nn.Module) -> nn.Module:
    """Lay out a network's filters as CPUs and tensor cores convolve fastest; returns the same."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@contextmanager
def computing_mixed(
    model: nn.Module, fabric: Fabric, float32: Sequence[nn.Module] = ()
) -> Iterator[None]:
    """Let a network compute in Fabric's precision for the block.

    Args:
        model: The network, or a list of them.
        fabric: Knows the precision.
        float32: Networks that are left alone.
    """
    with ExitStack() as stack:
        for network in networks_in(model):
            if network not in float32:
                stack.callback(_compute_mixed(network, fabric))
        yield


def networks_in(model: nn.Module) -> list[nn.Module]:
    """Return what has a ``forward``: the entries of a list of networks, else the model itself."""
    return list(model) if isinstance(model, nn.ModuleList) else [model]


def _compute_mixed(network: nn.Module, fabric: Fabric) -> Callable[[], None]:
    """Surround ``forward`` with Fabric's autocast; outputs are float32. Returns what undoes it."""
    forward = network.forward

    @functools.wraps(forward)
    def mixed(*arguments: Any, **keywords: Any) -> Any:
        with fabric.autocast():
            outputs = forward(*arguments, **keywords)
        return fabric.strategy.precision.convert_output(outputs)

    network.forward = mixed
    return lambda: delattr(network, "forward")  # the class's own shows again


def _processes(devices: int) -> tuple[int, int]:
    """Return the number of processes per machine and of machines."""
    if not torch.distributed.is_torchelastic_launched():
        return devices, 1
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def _accelerator(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    known = {"cpu": "cpu", "cuda": "cuda", "gpu": "cuda"}
    if wanted not in known:
        raise SanError(
            f"the accelerator {wanted} is none of auto, {', '.join(known)}: tell `fabric run` one"
        )
    return known[wanted]


def _check_gpus(devices: int) -> None:
    there = torch.cuda.device_count()
    if there == 0:
        raise SanError(
            f"trainer.accelerator is cuda, but torch {torch.__version__} finds no GPU here: set it"
            " to auto or cpu, or see that `nvidia-smi` shows the GPU and torch is built for CUDA"
        )
    if devices > there:
        raise SanError(
            f"{devices} processes need as many GPUs, but this machine has {there}: lower"
            " trainer.devices, or set trainer.accelerator to cpu"
        )


def _precision(wanted: str, accelerator: str) -> str:
    if wanted != "auto":
        return wanted
    return "bf16-mixed" if has_fast_bf16(accelerator) else "32-true"
