"""Engines: TensorRT-RTX builds for real, without a GPU; running one takes a GPU."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.export.engines import ENGINE_BUILDERS, choose_builder
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
    write_onnx(path, network, 22, MAX_BATCH, describe("Male", PreprocessSettings(), MAX_BATCH, {}))
    return path.read_bytes()


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
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_rtx_builds_half_precision(
    network: Deployed, tmp_path: Path, precision: torch.dtype
) -> None:
    path = tmp_path / "san.onnx"
    write_onnx(path, network.in_precision(precision), 22, MAX_BATCH, {})
    engine = ENGINE_BUILDERS.get("tensorrt-rtx")().build(path.read_bytes(), MAX_BATCH)
    assert len(engine.content) > 500_000


@needs_rtx
def test_rtx_refuses_a_damaged_graph(onnx: bytes) -> None:
    with pytest.raises(SanError, match="cannot read the ONNX graph"):
        ENGINE_BUILDERS.get("tensorrt-rtx")().build(onnx[: len(onnx) // 2], MAX_BATCH)


@pytest.mark.gpu
@needs_gpu
def test_regular_engine_names_the_gpu(onnx: bytes) -> None:
    builder = ENGINE_BUILDERS.get("tensorrt")()
    if obstacle := builder.obstacle():
        pytest.skip(obstacle)
    major, minor = torch.cuda.get_device_capability()
    assert builder.build(onnx, MAX_BATCH).gpu_targets == (f"{major}.{minor}",)
