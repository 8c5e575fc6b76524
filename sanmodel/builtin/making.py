"""How an exported model becomes a built-in one: the same graph in half the bytes."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sanmodel.builtin import builtin_folder
from sanmodel.exported import export_folder
from sanmodel.files import atomic_folder, sha256, write_json
from sanmodel.runtime.manifest import MANIFEST, Artifact, load_manifest

ROUNDED = 4096
"""Bytes from which a constant is rounded: weights and prototypes. Biases and the numbers of the
graph itself stay as they are, they take no room."""

KEPT = {("onnx", "fp32"), ("onnx", "int8"), ("classifier", "fp32")}
"""Kinds and precisions of the files of an export that a built-in model has."""

NO_ENGINE = "a built-in model is for every machine, an engine for one kind of GPU"


def make_builtin(exported: Path, attribute: str, folder: Path) -> Path:
    """Round an exported model to float16 and write it as the built-in one of its attribute.

    Rounding moves a weight by 0.05 % or by 3e-8, whichever is more, and a prototype by less than a
    tenth of a grey level. The network computes in float32 all the same.

    Args:
        exported: An export folder, or ``models`` of a work tree.
        attribute: The attribute that it must be of.
        folder: Where to write.

    Returns:
        The export folder of the built-in model.

    Raises:
        SanError: If a file is missing, altered or of another attribute.
    """
    exported = export_folder(exported, attribute)
    manifest = load_manifest(exported)
    kept = [file for file in manifest.files if (file.kind, file.precision) in KEPT]
    made = builtin_folder(attribute, folder)
    with atomic_folder(made) as partial:
        files = tuple(_rounded(exported, file, partial) for file in kept)
        changes = {"files": files, "engine_gap": NO_ENGINE}
        write_json(partial / MANIFEST, manifest.model_copy(update=changes).model_dump(mode="json"))
    return made


def _rounded(exported: Path, file: Artifact, folder: Path) -> Artifact:
    """Write a file of an export with rounded constants."""
    model = onnx.load(exported / file.name)
    round_weights(model)
    onnx.checker.check_model(model, full_check=True)
    path = folder / file.name
    path.write_bytes(model.SerializeToString(deterministic=True))
    return file.model_copy(update={"sha256": sha256(path)})


def round_weights(model: onnx.ModelProto) -> None:
    """Keep large float32 constants as float16; the graph begins by casting them back."""
    graph = model.graph
    large = [
        tensor
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT and len(tensor.raw_data) >= ROUNDED
    ]
    casts = []
    for tensor in large:
        name, rounded = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(rounded, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def card_row(path: Path) -> str:
    """Return a file's row in the table of its model card: name, bytes, SHA-256."""
    return f"| `{path.name}` | {path.stat().st_size:,} | `{sha256(path)}` |"
