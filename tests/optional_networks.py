"""What the tests of optional networks share: small networks in the places of the real weights."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

NOWHERE = "http://127.0.0.1:9"
"""Nobody answers there: what is downloaded through it as a proxy fails at once, on any machine."""


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let modules be missing, whether they are installed or not."""
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(scheme, NOWHERE)


def linear_network(path: Path, shape: tuple[int, ...], outputs: int, softmax: bool = False) -> None:
    """Write an ONNX file that maps an image of a shape to random sums of its pixels."""
    weights = np.random.default_rng(0).normal(size=(int(np.prod(shape)), outputs))
    weights = (weights * 0.02).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"], axis=1, name="flatten"),
        helper.make_node("MatMul", ["flat", "weights"], ["sums"], name="sum"),
        helper.make_node("Softmax" if softmax else "Identity", ["sums"], ["answer"], name="last"),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["N", outputs])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
