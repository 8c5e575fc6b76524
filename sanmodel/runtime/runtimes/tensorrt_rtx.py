"""TensorRT-RTX, whose engines are built ahead of time and compile their kernels on the GPU."""

from pathlib import Path

from sanmodel.runtime import engines
from sanmodel.runtime.manifest import Artifact, Manifest
from sanmodel.runtime.perturber import Perturber
from sanmodel.runtime.runtimes import RUNTIMES

LIBRARY = "tensorrt_rtx"
SUPPORTED_FROM = (8, 0)
"""Compute capability that the library asks for; data-centre GPUs of 9.0 and 10.0 it refuses."""

REFUSED_MAJORS = (9, 10)


@RUNTIMES.register("tensorrt-rtx")
class RtxRuntime:
    """Runs the export's engine on every RTX GPU from Ampere on."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        found = engines.obstacle(LIBRARY)
        if found:
            return found
        major, minor = _numbers(engines.capability())
        if (major, minor) < SUPPORTED_FROM or major in REFUSED_MAJORS:
            return f"TensorRT-RTX does not support GPUs of compute capability {major}.{minor}"
        return None

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        return [name for name in engines.PRECISIONS if name in manifest.offered("onnx")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        return engines.open_engine(LIBRARY, _fits, folder, manifest, precision)


def _fits(engine: Artifact, capability: str) -> bool:
    """Tell whether a GPU is one of the engine's targets, or younger than any of them."""
    targets = [_numbers(target) for target in engine.gpu_targets]
    here = _numbers(capability)
    return here in targets or here > max(targets)


def _numbers(capability: str) -> tuple[int, int]:
    major, _, minor = capability.partition(".")
    return int(major), int(minor)
