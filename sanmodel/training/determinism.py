"""Two trainings with one seed on one machine give the same bits (on a GPU: nearly)."""

import hashlib
import os

import torch
from lightning_fabric import Fabric
from torch import Tensor


def seed_everything(seed: int, purpose: str) -> None:
    """Seed torch's global generator for one purpose and forbid non-deterministic kernels.

    Where a GPU has no other kernel for an operation, torch warns and goes on.

    Args:
        seed: The pipeline's seed.
        purpose: Name of the stage, so that stages with one seed draw different numbers.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    torch.manual_seed(derived_seed(seed, purpose))
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed of its own for ``purpose``, 0 to 2^63 - 1."""
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def part_ways(fabric: Fabric) -> None:
    """Let each process draw random numbers of its own, when all have drawn the same weights."""
    if fabric.global_rank:
        torch.manual_seed(derived_seed(torch.initial_seed(), f"process {fabric.global_rank}"))


def random_states(fabric: Fabric) -> dict[str, Tensor]:
    """Return the state of torch's generators in all processes, (processes, bytes) each.

    They are the only ones that a training draws from: the sampler's numbers depend on the step.
    """
    states = {"cpu": torch.get_rng_state()}
    if fabric.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(fabric.device)
    return {name: _gathered(state, fabric) for name, state in states.items()}


def restore_random_states(states: dict[str, Tensor], fabric: Fabric) -> None:
    """Set the generators of this process to what :func:`random_states` returned."""
    # Copies: torch reads a row from the start of the whole tensor's memory.
    mine = {name: rows[fabric.global_rank].clone() for name, rows in states.items()}
    torch.set_rng_state(mine["cpu"])
    if fabric.device.type == "cuda" and "cuda" in mine:
        torch.cuda.set_rng_state(mine["cuda"], fabric.device)


def _gathered(state: Tensor, fabric: Fabric) -> Tensor:
    """Let all processes know all states: each adds its own to rows of zeros."""
    rows = torch.zeros(fabric.world_size, len(state), dtype=state.dtype)
    rows[fabric.global_rank] = state
    every = fabric.all_reduce(rows, reduce_op="sum")
    assert isinstance(every, Tensor)
    return every.cpu()
