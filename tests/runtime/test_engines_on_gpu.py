"""Engines of TensorRT: what fits which GPU is told anywhere, running one takes a GPU."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS
from small_models import exported_model

from sanmodel.errors import SanError
from sanmodel.export.engines import ENGINE_BUILDERS
from sanmodel.export.manifest import artifact
from sanmodel.files import write_json
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import load, load_exact, read_manifest
from sanmodel.runtime.engines import Tensor, obstacle
from sanmodel.runtime.manifest import Artifact
from sanmodel.runtime.runtimes import RUNTIMES, tensorrt, tensorrt_rtx

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
KINDS = ("tensorrt", "tensorrt-rtx")


def engine(*targets: str) -> Artifact:
    return Artifact(
        name="san.engine",
        sha256="0" * 64,
        kind="tensorrt",
        precision="fp32",
        library="tensorrt 11.4",
        gpu_targets=targets,
        max_batch=4,
    )


def test_a_regular_engine_fits_the_gpu_that_it_was_built_on() -> None:
    assert tensorrt._fits(engine("9.0"), "9.0")
    assert not tensorrt._fits(engine("9.0"), "8.9")


def test_an_rtx_engine_fits_its_targets_and_younger_gpus() -> None:
    made = engine("8.0", "8.6", "8.9", "12.0")
    assert [tensorrt_rtx._fits(made, one) for one in ("8.6", "12.0", "12.1", "13.0")] == [True] * 4
    assert [tensorrt_rtx._fits(made, one) for one in ("7.5", "8.7", "10.0")] == [False] * 3


def test_what_keeps_engines_from_running_is_said() -> None:
    assert obstacle("no_such_library") == "the package no_such_library is not installed"
    if not torch.cuda.is_available() and RUNTIMES.get("tensorrt-rtx")().obstacle():
        told = str(RUNTIMES.get("tensorrt-rtx")().obstacle())
        assert "there is no NVIDIA GPU" in told or "is not installed" in told


@pytest.mark.gpu
@needs_gpu
def test_values_come_back_from_the_gpu_as_they_went() -> None:
    pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")
    from sanmodel.runtime.engines import call_cuda

    stream = call_cuda("StreamCreate")
    for kind in (np.uint8, np.int64, np.float32):
        tensor = Tensor(np.empty((4, 3, 224, 224), kind))
        values = np.random.default_rng(1).integers(0, 200, (2, 3, 224, 224)).astype(kind)
        tensor.send(values, stream)
        found = tensor.fetch(values.shape, stream)
        call_cuda("StreamSynchronize", stream)
        np.testing.assert_array_equal(found, values)
    assert int(call_cuda("GetDeviceCount")) >= 1


@pytest.fixture(params=KINDS)
def exported(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An export with an engine of each kind that works here."""
    kind = str(request.param)
    if told := RUNTIMES.get(kind)().obstacle():
        pytest.skip(told)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    torch.manual_seed(1)
    points = torch.tensor(POINTS)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, points)
    folder = exported_model(tmp_path / "export", new_autoencoder("paper"), prototypes)
    manifest = read_manifest(folder)
    made = ENGINE_BUILDERS.get(kind)().build((folder / "san.onnx").read_bytes(), 4)
    (folder / "san.engine").write_bytes(made.content)
    more = artifact(folder / "san.engine", kind, made.library, made.gpu_targets, 4)
    changed = manifest.model_copy(update={"files": (*manifest.files, more)})
    write_json(folder / "manifest.json", changed.model_dump(mode="json"))
    return folder


def kind_of(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["files"][-1]["kind"])


@pytest.mark.gpu
@needs_gpu
def test_an_engine_computes_what_onnx_runtime_does(exported: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (9, 224, 224), dtype=np.uint8)
    y, landmarks = np.arange(9) % 2, np.tile(np.array(POINTS), (9, 1, 1))
    found = load(exported, kind_of(exported), "fp32").perturb_all(images, y, landmarks)
    expected = load_exact(exported).perturb_all(images, y, landmarks)
    for mode, image in expected.items():
        assert np.abs(found[mode].astype(int) - image).max() <= 1


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("change", ["damaged", "another version", "another gpu"])
def test_an_engine_that_does_not_fit_is_built_again(
    exported: Path, change: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    if change == "damaged":
        (exported / "san.engine").write_bytes(b"engine")
    elif change == "another version":
        manifest["files"][-1]["library"] = "tensorrt 1.0"
    else:
        manifest["files"][-1]["gpu_targets"] = ["99.0"]
    (exported / "manifest.json").write_text(json.dumps(manifest))
    faces, landmarks = np.full((1, 224, 224), 90, np.uint8), np.array([POINTS])
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            found = load(exported, kind_of(exported), "fp32").perturb(faces, [1], 1.0, landmarks)
        assert "built again from the ONNX file" in caplog.text
    expected = load_exact(exported).perturb(faces, [1], 1.0, landmarks)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert len(list((tmp_path / "cache/sanmodel/engines").iterdir())) == 1


@pytest.mark.gpu
@needs_gpu
def test_an_engine_without_its_onnx_file_is_an_error(exported: Path) -> None:
    (exported / "san.engine").unlink()
    (exported / "san.onnx").unlink()
    with pytest.raises(SanError, match="is missing"):
        load(exported, kind_of(exported), "fp32")
