"""A model repository of NVIDIA's Triton Inference Server, made of an export folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_text
from sanmodel.runtime.manifest import Artifact, Manifest, Port, load_manifest

TYPES = {"uint8": "TYPE_UINT8", "float32": "TYPE_FP32", "int64": "TYPE_INT64"}
DELAY = 2000
"""Microseconds for which Triton waits for more faces to fill a batch."""


def write_triton(export: Path, folder: Path, precision: str = "fp32") -> Path:
    """Write ``<folder>/san-<attribute>`` with the configuration and version 1 of the model.

    Args:
        export: An export folder.
        folder: The model repository, with other models perhaps.
        precision: Of the ONNX file that Triton is to run.

    Returns:
        The model's folder.

    Raises:
        SanError: If a file is missing or altered, there is no such precision, or the model's folder
            is there already.
    """
    manifest = load_manifest(export)
    file = manifest.file("onnx", precision)
    name = f"san-{manifest.attribute.lower()}"
    made = folder / name
    if made.exists():
        raise SanError(f"{made} is there already: remove it, or name another repository")
    with atomic_folder(made) as partial:
        (partial / "1").mkdir()
        shutil.copyfile(export / file.name, partial / "1/model.onnx")
        write_text(partial / "config.pbtxt", "\n".join(_lines(name, manifest, file)) + "\n")
    return made


def _lines(name: str, manifest: Manifest, file: Artifact) -> Iterator[str]:
    """Yield the lines of ``config.pbtxt`` (Triton's documentation, "Model Configuration")."""
    yield f'name: "{name}"'
    yield 'platform: "onnxruntime_onnx"'
    yield f"max_batch_size: {file.max_batch}"
    for port in manifest.inputs:
        yield f"input [ {_port(port)} ]"
    for port in manifest.outputs:
        yield f"output [ {_port(port)} ]"
    yield f"dynamic_batching {{ max_queue_delay_microseconds: {DELAY} }}"


def _port(port: Port) -> str:
    """Describe an input or output without its batch; what has no other side gets one of 1."""
    sides = [str(side) if isinstance(side, int) else "-1" for side in port.shape[1:]]
    dims = ", ".join(sides) if sides else "1"
    shape = "" if sides else " reshape: { shape: [ ] }"
    return f'{{ name: "{port.name}" data_type: {TYPES[port.dtype]} dims: [ {dims} ]{shape} }}'
