"""Two trainings with one seed on one machine give the same bits."""

import hashlib

import torch


def seed_everything(seed: int, purpose: str) -> None:
    """Seed torch's global generator for one purpose and forbid non-deterministic kernels.

    Args:
        seed: The pipeline's seed.
        purpose: Name of the stage, so that stages with one seed draw different numbers.
    """
    torch.manual_seed(derived_seed(seed, purpose))
    torch.use_deterministic_algorithms(True)


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed of its own for ``purpose``, 0 to 2^63 - 1."""
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
