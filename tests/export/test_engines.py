"""Engines: TensorRT-RTX builds for real, without a GPU; running one takes a GPU."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.export.engines import ENGINE_BUILDERS, Engine, EngineBuilder, choose_builder
from sanmodel.export.engines.building import missing
from sanmodel.export.graph import Deployed, deployed
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings

needs_rtx = pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx") is None, reason="tensorrt_rtx is not installed"
)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
MAX_BATCH = 8


@pytest.fixture(scope="module", params=[None, torch.tensor(POINTS)], ids=["none", "landmarks"])
def network(request: Any) -> Deployed:
    """A network with each kind of prototypes."""
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, request.param)
    return deployed(Autoencoder(), prototypes).eval()


@pytest.fixture(scope="module")
def onnx(network: Deployed, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("onnx") / "san.onnx"
    write_onnx(path, network, 20, MAX_BATCH, describe("Male", PreprocessSettings(), MAX_BATCH, {}))
    return path.read_bytes()


def test_missing_library_is_named() -> None:
    assert missing("no_such_library") == "the package no_such_library is not installed"
    assert missing("json") is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an NVIDIA GPU")
def test_without_gpu_regular_tensorrt_cannot_build() -> None:
    assert ENGINE_BUILDERS.get("tensorrt")().obstacle() == "PyTorch finds no NVIDIA GPU"
    builder, obstacles = choose_builder()
    assert "tensorrt: PyTorch finds no NVIDIA GPU" in obstacles
    assert builder is None or isinstance(builder, ENGINE_BUILDERS.get("tensorrt-rtx"))


@needs_rtx
def test_rtx_builds_without_a_gpu(onnx: bytes) -> None:
    import tensorrt_rtx

    engine = ENGINE_BUILDERS.get("tensorrt-rtx")().build(onnx, MAX_BATCH)
    assert engine.library == f"tensorrt_rtx {tensorrt_rtx.__version__}"
    assert engine.gpu_targets == ("8.0", "8.6", "8.9", "12.0")
    assert len(engine.content) > 1_000_000  # the weights are inside


@needs_rtx
def test_rtx_refuses_a_damaged_graph(onnx: bytes) -> None:
    with pytest.raises(SanError, match="cannot read the ONNX graph"):
        ENGINE_BUILDERS.get("tensorrt-rtx")().build(onnx[: len(onnx) // 2], MAX_BATCH)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_engine_computes_what_the_network_does(name: str, network: Deployed, onnx: bytes) -> None:
    builder: EngineBuilder = ENGINE_BUILDERS.get(name)()
    if obstacle := builder.obstacle():
        pytest.skip(obstacle)
    X = torch.from_numpy(np.random.default_rng(1).random((3, 1, 224, 224), dtype=np.float32))
    values = {"image": X, "attribute": torch.tensor([0, 1, 0])}
    values["landmarks"] = torch.tensor(POINTS) + torch.arange(3.0).view(3, 1, 1)
    inputs = {name: values[name] for name in network.inputs}
    with torch.no_grad():
        expected = network(*inputs.values())
    found = run_engine(builder.build(onnx, MAX_BATCH), inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


@pytest.mark.gpu
@needs_gpu
def test_regular_engine_names_the_gpu(onnx: bytes) -> None:
    builder = ENGINE_BUILDERS.get("tensorrt")()
    if obstacle := builder.obstacle():
        pytest.skip(obstacle)
    major, minor = torch.cuda.get_device_capability()
    assert builder.build(onnx, MAX_BATCH).gpu_targets == (f"{major}.{minor}",)


def run_engine(engine: Engine, inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    trt = importlib.import_module(engine.library.split()[0])
    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    loaded = runtime.deserialize_cuda_engine(engine.content)
    context = loaded.create_execution_context()
    inputs = {name: tensor.cuda() for name, tensor in inputs.items()}
    outputs = {mode: torch.empty_like(inputs["image"]) for mode in ("same", "neutral", "opposite")}
    for name, tensor in inputs.items():
        context.set_input_shape(name, tuple(tensor.shape))
    for name, tensor in (inputs | outputs).items():
        context.set_tensor_address(name, tensor.data_ptr())
    stream = torch.cuda.current_stream()
    assert context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    return [output.cpu() for output in outputs.values()]
