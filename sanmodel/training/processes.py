"""A training may run in several processes: the first one tells and writes, the others compute."""

import os

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""Environment variables that number processes: torchrun's, Fabric's own, and Slurm's."""


def is_first_process() -> bool:
    """Say whether this process is the only or the first one; it is known before torch is loaded."""
    ranks = (os.environ[name] for name in RANKS if name in os.environ)
    return next(ranks, "0") == "0"
