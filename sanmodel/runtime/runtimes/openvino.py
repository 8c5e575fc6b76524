"""OpenVINO on the CPU, the fastest on processors that compute in bfloat16."""

import os
from pathlib import Path
from typing import Any

from sanmodel.errors import SanError
from sanmodel.runtime.manifest import Manifest, verify
from sanmodel.runtime.perturber import Images, Inputs, Perturber, Signature
from sanmodel.runtime.runtimes import RUNTIMES, missing

COMPUTED_IN = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""OpenVINO's hints; in an int8 file the layers that are not quantised stay float32."""


class OpenVinoPerturber(Perturber):
    """Perturbs faces with a compiled model; not to be shared by threads.

    Args:
        model: OpenVINO's compiled model.
        signature: What the model takes.
    """

    def __init__(self, model: Any, signature: Signature) -> None:
        super().__init__(signature)
        self._request = model.create_infer_request()

    def _run(self, inputs: Inputs) -> Images:
        """See :meth:`Perturber._run`."""
        self._request.infer(inputs, share_inputs=True)
        perturbed: Images = self._request.get_output_tensor(0).data
        return perturbed


@RUNTIMES.register("openvino")
class OpenVinoRuntime:
    """Runs fp32, int8 and, where the processor computes in it, bf16."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        return missing("openvino")

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        if manifest.signature.aligned:
            # OpenVINO 2026.4 lays prototypes over faces some twentieths of a pixel off.
            return []
        import openvino

        abilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        names = ("fp32", "bf16", "int8") if "BF16" in abilities else ("fp32", "int8")
        return [name for name in names if name in manifest.offered("onnx")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        import openvino

        path = verify(folder, manifest.file("onnx", precision))
        settings = {
            "INFERENCE_PRECISION_HINT": COMPUTED_IN[precision],
            "INFERENCE_NUM_THREADS": threads or os.cpu_count() or 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            model = openvino.Core().compile_model(path, "CPU", settings)
        except RuntimeError as error:
            raise SanError(
                f"{path} is damaged or no ONNX file: copy the export folder again"
            ) from error
        return OpenVinoPerturber(model, manifest.signature)
