"""The ONNX file: the deployed function with its weights, and a few words on what it is."""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxscript import optimizer
from torch import Tensor, nn
from torch.export import Dim

from sanmodel import __version__
from sanmodel.export.graph import Deployed
from sanmodel.images import IMAGE_SIZE
from sanmodel.runtime.perturber import MAX_MODES, OUTPUT
from sanmodel.settings import PreprocessSettings

FOLD_LIMIT = 2**24
"""Bytes up to which weights that depend on no input are computed once, at the export."""


def describe(
    attribute: str, preprocess: PreprocessSettings, max_batch: int, weights: Mapping[str, str]
) -> dict[str, str]:
    """Return the metadata that the file carries, so that it explains itself without the manifest.

    Args:
        attribute: Name of the protected attribute.
        preprocess: How the crops were cut.
        max_batch: Largest batch that the file is meant for.
        weights: SHA-256 of each weights file by name.
    """
    return {
        "attribute": attribute,
        "classes": json.dumps([f"not {attribute}", attribute]),
        "crop_size": str(IMAGE_SIZE),
        "crop_scale": str(preprocess.crop_scale),
        "crop_shift_up": str(preprocess.shift_up),
        "max_batch": str(max_batch),
        "sanmodel_version": __version__,
        **{f"{name}_sha256": digest for name, digest in weights.items()},
    }


def write_onnx(
    path: Path, network: Deployed, opset: int, max_batch: int, about: Mapping[str, str]
) -> None:
    """Write the network as one ONNX file; the same weights give the same bytes.

    Args:
        path: File to write.
        network: What is deployed; it is left in evaluation mode.
        opset: ONNX operator set.
        max_batch: Largest batch, at least 2.
        about: Metadata of the file, to which the network's own is added.
    """
    # An example batch of one would fix the batch size.
    examples = {
        "image": torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, dtype=getattr(torch, network.pixels)),
        "attribute": torch.tensor([0, 1]),
        "mode": torch.tensor([[0.0, 1.0], [0.0, 1.0]]),
        "landmarks": torch.rand(2, 5, 2),
    }
    examples = {name: examples[name] for name in network.inputs}
    batch = {0: Dim("batch", min=1, max=max_batch)}
    shapes = dict.fromkeys(network.inputs, batch)
    shapes["mode"] = {**batch, 1: Dim("modes", min=1, max=MAX_MODES)}
    write_graph(path, network, examples, shapes, OUTPUT, opset, {**about, **network.about})


def write_graph(
    path: Path,
    network: nn.Module,
    examples: Mapping[str, Tensor],
    shapes: Mapping[str, Mapping[int, Any]],
    output: str,
    opset: int,
    about: Mapping[str, str],
) -> None:
    """Write any network of one output as an ONNX file.

    Args:
        path: File to write.
        network: It is left in evaluation mode.
        examples: Of its inputs, by name, in its order.
        shapes: Which of their sides may differ.
        output: What to call the output.
        opset: ONNX operator set.
        about: Metadata of the file.
    """
    with _quiet():
        program = torch.onnx.export(
            network.eval(),
            tuple(examples.values()),
            dynamo=True,
            verbose=False,
            opset_version=opset,
            external_data=False,
            input_names=list(examples),
            output_names=[output],
            dynamic_shapes=dict(shapes),
        )
        assert program is not None  # it is None only for the exporter that dynamo=True turns off
        optimizer.optimize_ir(
            program.model, input_size_limit=FOLD_LIMIT, output_size_limit=FOLD_LIMIT
        )
    model = program.model_proto
    _strip(model)
    onnx.helper.set_model_props(model, dict(about))
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: stack traces with the paths of this machine, mostly."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's warnings: they tell users nothing that they could mend."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
