"""The backend that runs everywhere: ONNX Runtime on the CPU."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.runtime.perturber import Inputs, Mode, Perturber

ERRORS_ONLY = 3
"""ONNX Runtime's log level that leaves its warnings out."""


def open_session(path: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """Open an ONNX file for the CPU.

    Args:
        path: The file.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If the file is missing or damaged.
    """
    if not path.is_file():
        raise SanError(f"{path} is missing: copy the export folder again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no other base
        raise SanError(
            f"{path} is damaged or no ONNX file: copy the export folder again"
        ) from error


class OnnxPerturber(Perturber):
    """Perturbs faces with an exported ONNX file.

    Args:
        path: An ONNX file of the stage ``export``.
        threads: CPU threads; None takes one for each core.

    Raises:
        SanError: If the file is missing or damaged or another program made it.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._session = open_session(path, threads)
        about = self._session.get_modelmeta().custom_metadata_map
        aligned = "landmarks" in {port.name for port in self._session.get_inputs()}
        try:
            size, max_batch = int(about["crop_size"]), int(about["max_batch"])
            super().__init__(about["attribute"], size, max_batch, aligned)
        except (KeyError, ValueError) as error:
            raise SanError(
                f"{path} does not say what model it holds: give a file that `san export` wrote"
            ) from error

    def _run(self, inputs: Inputs, modes: Sequence[Mode]) -> list[NDArray[np.float32]]:
        """See :meth:`Perturber._run`."""
        outputs: list[NDArray[np.float32]] = self._session.run(list(modes), inputs)
        return outputs
