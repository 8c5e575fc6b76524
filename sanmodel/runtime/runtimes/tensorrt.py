"""TensorRT, the fastest on the GPU that an engine was built on."""

from pathlib import Path

from sanmodel.runtime import engines
from sanmodel.runtime.manifest import Artifact, Manifest
from sanmodel.runtime.perturber import Perturber
from sanmodel.runtime.runtimes import RUNTIMES

LIBRARY = "tensorrt"


@RUNTIMES.register("tensorrt")
class TensorrtRuntime:
    """Runs the export's engine; on another GPU or version it builds one of its own."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        return engines.obstacle(LIBRARY)

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        return [name for name in engines.PRECISIONS if name in manifest.offered("onnx")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        return engines.open_engine(LIBRARY, _fits, folder, manifest, precision)


def _fits(engine: Artifact, capability: str) -> bool:
    """Tell whether the engine was built on a GPU of that capability."""
    return capability in engine.gpu_targets
