"""What production installs: an export folder in, a perturber out.

Of the rest of the package it imports nothing but registries and errors, and neither PyTorch nor any
other library of the training pipeline unless that runtime is chosen.
"""

from pathlib import Path

from sanmodel.runtime.choice import EXACT, Way, open_fastest, open_way
from sanmodel.runtime.manifest import load_manifest, read_manifest
from sanmodel.runtime.perturber import MODES, Mode, Perturber

__all__ = [
    "MODES",
    "Mode",
    "Perturber",
    "Way",
    "load",
    "load_exact",
    "load_manifest",
]


def load(
    folder: Path,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> Perturber:
    """Open an export folder in the fastest way that works here.

    Which way that is, is measured at the first use and remembered; ``SAN_RUNTIME`` overrides it.
    Every file is checked before it is opened.

    Args:
        folder: What the stage ``export`` writes.
        runtime: One of ``san runtimes``; None takes the fastest.
        precision: "fp32", "fp16", "bf16" or "int8"; None takes the fastest that was accepted.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If a file is missing, altered or damaged, or nothing here runs the model.
    """
    return open_fastest(folder, read_manifest(folder), runtime, precision, threads)[1]


def load_exact(folder: Path, threads: int | None = None) -> Perturber:
    """Open an export folder in the way that gives the same figures everywhere, in float32.

    Every file of the folder is checked.

    Args:
        folder: What the stage ``export`` writes.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If a file is missing, altered or damaged.
    """
    return open_way(Way(*EXACT), folder, load_manifest(folder), threads)
