"""Engines of TensorRT, built and timed on the GPU that will run them."""

import torch

from sanmodel.export.engines import ENGINE_BUILDERS, Engine
from sanmodel.runtime.engines import build
from sanmodel.runtime.runtimes import missing


@ENGINE_BUILDERS.register("tensorrt")
class TensorrtBuilder:
    """Builds an engine for GPUs of the architecture of the one that is there."""

    rank = 1

    def obstacle(self) -> str | None:
        """See :meth:`EngineBuilder.obstacle`."""
        if not torch.cuda.is_available():
            return "PyTorch finds no NVIDIA GPU"
        return missing("tensorrt")

    def build(self, onnx: bytes, max_batch: int) -> Engine:
        """See :meth:`EngineBuilder.build`."""
        import tensorrt

        content = build("tensorrt", onnx, max_batch)
        major, minor = torch.cuda.get_device_capability()
        return Engine(
            "tensorrt", content, f"tensorrt {tensorrt.__version__}", (f"{major}.{minor}",)
        )
