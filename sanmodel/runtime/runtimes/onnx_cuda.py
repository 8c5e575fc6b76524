"""ONNX Runtime on an NVIDIA GPU; its package is onnxruntime-gpu, in the place of onnxruntime."""

from pathlib import Path

import onnxruntime

from sanmodel.runtime.manifest import Manifest, verify
from sanmodel.runtime.perturber import Perturber
from sanmodel.runtime.runtimes import RUNTIMES
from sanmodel.runtime.runtimes.onnx_cpu import CPU, OnnxPerturber, open_session

CUDA = "CUDAExecutionProvider"


@RUNTIMES.register("onnxruntime-cuda")
class OnnxCudaRuntime:
    """Runs fp32 and fp16; images go to the GPU and back once for a batch."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        if CUDA not in onnxruntime.get_available_providers():
            return "the installed ONNX Runtime has no CUDA: install onnxruntime-gpu in its place"
        return None

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        return [name for name in ("fp32", "fp16") if name in manifest.offered("onnx")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        path = verify(folder, manifest.file("onnx", precision))
        return OnnxPerturber(open_session(path, threads, (CUDA, *CPU)), manifest.signature)
