"""The int8 file: ONNX Runtime's quantiser, shown training crops."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from sanmodel.export.parity import Faces
from sanmodel.runtime.perturber import MODES, WEIGHTS, Inputs

AT_A_TIME = 4

SPANNED = 99.999
"""Percent of an activation's values that its scale spans."""

FEW_MAPS, FEW_INPUTS = 8, 128
"""A convolution of so few maps into so few makes the picture, as the last of ``skip`` does: it
stays float32, costs little, and its error would be seen."""


def write_int8(source: Path, target: Path, faces: Faces) -> None:
    """Quantise the convolutions of an ONNX file; everything between them stays float32.

    Weights get a scale for each output channel, activations one for each tensor. It spans all but a
    few of the values that the faces cause: an outlier would cost the others their precision.

    Args:
        source: The fp32 file, whose images are uint8 or float32.
        target: Where to write.
        faces: Training crops to calibrate with.
    """
    model = onnx.load(source)
    pixels = model.graph.input[0].type.tensor_type.elem_type
    as_float = pixels == onnx.TensorProto.FLOAT
    with _quiet():
        quantize_static(
            source,
            target,
            _Crops(faces, [port.name for port in model.graph.input], as_float),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_small_layers(model),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": SPANNED},
        )
    quantised = onnx.load(target)
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(model.metadata_props)
    target.write_bytes(quantised.SerializeToString(deterministic=True))


def _small_layers(model: onnx.ModelProto) -> list[str]:
    """Return the names of convolutions that stay float32."""
    small = {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) == 4 and tensor.dims[0] < FEW_MAPS and tensor.dims[1] < FEW_INPUTS
    }
    layers = [node for node in model.graph.node if node.op_type == "Conv"]
    return [node.name for node in layers if node.input[1] in small]


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    """Hands faces to the quantiser, a few at a time."""

    def __init__(self, faces: Faces, names: list[str], as_float: bool) -> None:
        images = faces.images / np.float32(255) if as_float else faces.images
        # One mode for each face, by turns: the quantiser keeps all values of all faces in memory.
        modes = np.array([WEIGHTS[mode] for mode in MODES], np.float32)
        values: Inputs = {
            "image": images,
            "attribute": faces.labels,
            "mode": np.resize(modes, (len(images), 1)),
            "landmarks": faces.landmarks,
        }
        self._batches = iter(
            {name: values[name][start : start + AT_A_TIME] for name in names}
            for start in range(0, len(images), AT_A_TIME)
        )

    def get_next(self) -> Inputs | None:
        """Return the next batch, None after the last."""
        return next(self._batches, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the quantiser: its advice is to shrink the graph, which the exporter has done."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
