"""ONNX Runtime on the CPU, which runs everywhere; the base install has no other."""

import os
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from sanmodel.errors import SanError
from sanmodel.runtime.manifest import Manifest, verify
from sanmodel.runtime.perturber import OUTPUT, Images, Inputs, Perturber, Signature
from sanmodel.runtime.runtimes import RUNTIMES

ERRORS_ONLY = 3
"""ONNX Runtime's log level that leaves its warnings out."""

CPU = ("CPUExecutionProvider",)


def open_session(
    path: Path, threads: int | None = None, providers: Sequence[str] = CPU
) -> onnxruntime.InferenceSession:
    """Open an ONNX file.

    Args:
        path: The file.
        threads: CPU threads; None takes one for each core.
        providers: ONNX Runtime's names of what computes, the best first.

    Raises:
        SanError: If the file is missing or damaged.
    """
    if not path.is_file():
        raise SanError(f"{path} is missing: copy the export folder again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(path, options, providers=list(providers))
    except Exception as error:  # ONNX Runtime's own exceptions share no other base
        raise SanError(
            f"{path} is damaged or no ONNX file: copy the export folder again"
        ) from error


class OnnxPerturber(Perturber):
    """Perturbs faces with an exported ONNX file.

    Args:
        session: Of the file.
        signature: What the model takes.
    """

    def __init__(self, session: onnxruntime.InferenceSession, signature: Signature) -> None:
        super().__init__(signature)
        self._session = session

    def _run(self, inputs: Inputs) -> Images:
        """See :meth:`Perturber._run`."""
        (perturbed,) = self._session.run([OUTPUT], inputs)
        images: Images = perturbed
        return images


@RUNTIMES.register("onnxruntime")
class OnnxCpuRuntime:
    """Runs fp32 and int8; half precision it would only emulate."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        return None

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        return [name for name in ("fp32", "int8") if name in manifest.offered("onnx")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        path = verify(folder, manifest.file("onnx", precision))
        return OnnxPerturber(open_session(path, threads), manifest.signature)
