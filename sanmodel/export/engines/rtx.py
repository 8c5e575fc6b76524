"""Engines of TensorRT-RTX, built ahead of time: this asks for no GPU."""

from sanmodel.export.engines import ENGINE_BUILDERS, Engine
from sanmodel.runtime.engines import build
from sanmodel.runtime.runtimes import missing

DEFAULT_TARGETS = ("8.0", "8.6", "8.9", "12.0")
"""Compute capabilities of an engine for which none is chosen; later ones run it as well
(TensorRT-RTX documentation, "CPU-Only AOT and TensorRT-RTX Engines")."""


@ENGINE_BUILDERS.register("tensorrt-rtx")
class RtxBuilder:
    """Builds one engine that runs on every RTX GPU, which compiles its kernels on first use."""

    rank = 2

    def obstacle(self) -> str | None:
        """See :meth:`EngineBuilder.obstacle`."""
        return missing("tensorrt_rtx")

    def build(self, onnx: bytes, max_batch: int) -> Engine:
        """See :meth:`EngineBuilder.build`."""
        import tensorrt_rtx

        content = build("tensorrt_rtx", onnx, max_batch)
        library = f"tensorrt_rtx {tensorrt_rtx.__version__}"
        return Engine("tensorrt-rtx", content, library, DEFAULT_TARGETS)
