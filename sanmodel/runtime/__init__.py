"""What production installs: an export folder in, a perturber out.

Of the rest of the package it imports nothing but the error class, and neither PyTorch nor any
other library of the training pipeline.
"""

from pathlib import Path

from sanmodel.runtime.manifest import load_manifest
from sanmodel.runtime.onnx_runtime import OnnxPerturber
from sanmodel.runtime.perturber import MODES, Mode, Perturber

__all__ = ["MODES", "Mode", "OnnxPerturber", "Perturber", "load", "load_manifest"]


def load(folder: Path, threads: int | None = None) -> Perturber:
    """Open an export folder, after a check that its files are whole and unchanged.

    Args:
        folder: What the stage ``export`` writes.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If a file is missing, altered or damaged.
    """
    onnx = load_manifest(folder).file("onnx")
    return OnnxPerturber(folder / onnx.name, threads)
