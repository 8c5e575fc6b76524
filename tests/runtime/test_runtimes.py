import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.export.graph import Deployed, Pixels, deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import Faces
from sanmodel.export.quantising import write_int8
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import MODES, load, load_exact, read_manifest
from sanmodel.runtime.manifest import Precision
from sanmodel.runtime.runtimes import RUNTIMES
from sanmodel.settings import PreprocessSettings, parse_settings

Exported = tuple[Path, Deployed]

IMPORTED = """
import sys
import sanmodel.runtime
own = sorted(name for name in sys.modules if name.startswith("sanmodel."))
print([name for name in own if not name.startswith("sanmodel.runtime")])
heavy = ("torch", "onnx", "pandas", "safetensors", "openvino", "tensorrt_rtx")
print([name for name in heavy if name in sys.modules])
"""

TOLERANCES = {"fp32": 0.501, "fp16": 2.0, "bf16": 4.0, "int8": 12.0}
"""Grey levels by which an output may lie from what the network computes."""

CPU_RUNTIMES = ("onnxruntime", "openvino", "pytorch")


def export(
    folder: Path, landmarks: torch.Tensor | None = None, pixels: Pixels = "uint8"
) -> Exported:
    """Write an export of all precisions, accepted or not, of a network with random weights."""
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    prototypes.save(folder / "prototypes.safetensors", "Male")
    autoencoder = new_autoencoder("paper").eval()
    about = {"attribute": "Male", "align": prototypes.align, "architecture": "paper"}
    weights = folder / "autoencoder.safetensors"
    save_weights(weights, autoencoder.state_dict(), kind="autoencoder", **about)
    network, exact = deployed(autoencoder, prototypes, pixels).eval(), folder / "san.onnx"
    metadata = describe("Male", PreprocessSettings(), 2, {})
    write_onnx(exact, network, 22, 2, metadata)
    write_onnx(folder / "san-bf16.onnx", network.in_precision(torch.bfloat16), 22, 2, metadata)
    faces = Faces(images(8), np.arange(8) % 2, np.tile(np.array(POINTS, np.float32), (8, 1, 1)))
    write_int8(exact, folder / "san-int8.onnx", faces)
    files = [
        artifact(exact, "onnx", "torch", (), 2),
        artifact(folder / "san-bf16.onnx", "onnx", "torch", (), 2, "bf16"),
        artifact(folder / "san-int8.onnx", "onnx", "onnxruntime", (), 2, "int8"),
        artifact(weights, "autoencoder", "torch"),
        artifact(folder / "prototypes.safetensors", "prototypes", "torch"),
    ]
    figures = {"faces": 1, "psnr": 50.0, "error_change": 0.0, "match_change": None, "reason": None}
    tried = [
        Precision(name=name, accepted=True, **figures)  # type: ignore[arg-type]
        for name in ("fp32", "bf16", "int8")
    ]
    settings = parse_settings({"export": {"pixels": pixels}})
    write_manifest(folder, settings, network.inputs, files, "not asked for", tried)
    return folder, network


def images(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (count, 224, 224), dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tmp_path_factory.mktemp("export"))


@pytest.fixture(params=CPU_RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    obstacle = RUNTIMES.get(request.param)().obstacle()
    if obstacle:
        pytest.skip(obstacle)
    return str(request.param)


def test_every_precision_computes_what_the_network_does(exported: Exported, runtime: str) -> None:
    folder, network = exported
    faces, y = images(3), torch.tensor([0, 1, 1])
    with torch.no_grad():
        modes = torch.tensor([[0.0, 0.5, 1.0]]).expand(3, 3)
        expected = network(torch.from_numpy(faces), y, modes).numpy().astype(float)
    offered = RUNTIMES.get(runtime)().precisions(read_manifest(folder))
    assert offered[0] == "fp32"
    for precision in offered:
        model = load(folder, runtime, precision)
        found = model.perturb_all(faces, y.numpy())
        for place, mode in enumerate(MODES):
            # One level more: both are rounded.
            difference = np.abs(found[mode] - expected[:, place]).max()
            assert difference <= 0.5 + TOLERANCES[precision], precision
            np.testing.assert_array_equal(found[mode], model.perturb(faces, y.numpy(), mode))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
def test_pytorch_runs_half_precision_on_the_gpu(exported: Exported) -> None:
    offered = RUNTIMES.get("pytorch")().precisions(read_manifest(exported[0]))
    assert offered == ["fp32", "bf16"]
    faces = images(5)
    found = load(exported[0], "pytorch", "bf16").perturb(faces, np.arange(5) % 2)
    expected = load(exported[0], "pytorch", "fp32").perturb(faces, np.arange(5) % 2)
    assert 0 < np.abs(found.astype(int) - expected).max() <= TOLERANCES["bf16"]


def test_an_aligned_model_lays_its_prototypes_over_each_face(tmp_path: Path, runtime: str) -> None:
    folder, network = export(tmp_path, torch.tensor(POINTS))
    if not RUNTIMES.get(runtime)().precisions(read_manifest(folder)):
        pytest.skip("it would lay prototypes some twentieths of a pixel off")
    perturber = load(folder, runtime, "fp32")
    assert perturber.aligned
    faces = images(3)
    landmarks = np.array(POINTS) + np.random.default_rng(2).normal(0, 8, (3, 5, 2))
    found = perturber.perturb(faces, [0, 1, 1], landmarks=landmarks)
    with torch.no_grad():
        points = torch.from_numpy(landmarks).to(torch.float32)
        inputs = (torch.tensor([0, 1, 1]), torch.ones(3, 1), points)
        expected = network(torch.from_numpy(faces), *inputs).numpy()[:, 0].astype(float)
    assert np.abs(found - expected).max() <= 1
    with pytest.raises(SanError, match="give the landmarks of every image"):
        perturber.perturb(faces, [0, 1, 1])


def test_float_images_are_not_rounded(tmp_path: Path, runtime: str) -> None:
    folder, network = export(tmp_path, pixels="float32")
    grey = (images(2) / 255).astype(np.float32)
    found = load(folder, runtime, "fp32").perturb(grey, [0, 1], 0.3)
    with torch.no_grad():
        modes = torch.full((2, 1), 0.3)
        expected = network(torch.from_numpy(grey), torch.tensor([0, 1]), modes)[:, 0]
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_number_of_threads_does_not_matter(exported: Exported) -> None:
    faces = np.full((1, 224, 224), 100, dtype=np.uint8)
    one, many = (load_exact(exported[0], threads).perturb(faces, [1]) for threads in (1, None))
    np.testing.assert_array_equal(one, many)


def test_a_model_tells_its_limits(exported: Exported, runtime: str) -> None:
    perturber = load(exported[0], runtime, "fp32")
    assert (perturber.attribute, perturber.size, perturber.max_batch) == ("Male", 224, 2)


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


def test_an_altered_file_is_noticed(exported: Exported, tmp_path: Path, runtime: str) -> None:
    folder = copied(exported[0], tmp_path)
    for name in ("san.onnx", "autoencoder.safetensors"):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
    with pytest.raises(SanError, match="SHA-256 differs"):
        load(folder, runtime, "fp32")


def test_a_damaged_file_is_an_error(exported: Exported, tmp_path: Path) -> None:
    folder, whole = copied(exported[0], tmp_path), (exported[0] / "san.onnx").read_bytes()
    for content in (b"", b"no graph at all", whole[: len(whole) // 2]):
        path = folder / "san.onnx"
        path.write_bytes(content)
        files = [artifact(path, "onnx", "torch", (), 2)]
        inputs = ("image", "attribute", "mode")
        write_manifest(folder, parse_settings({}), inputs, files, None)
        for name in ("onnxruntime", "openvino"):
            if RUNTIMES.get(name)().obstacle() is None:
                with pytest.raises(SanError, match="is damaged or no ONNX file"):
                    load(folder, name)


def test_a_missing_file_is_an_error(exported: Exported, tmp_path: Path) -> None:
    folder = copied(exported[0], tmp_path)
    (folder / "san.onnx").unlink()
    with pytest.raises(SanError, match=r"san\.onnx is missing"):
        load(folder, "onnxruntime", "fp32")


def test_a_runtime_that_cannot_work_here_says_why() -> None:
    for name in RUNTIMES.names():
        obstacle = RUNTIMES.get(name)().obstacle()
        assert obstacle is None or obstacle.strip()
    assert RUNTIMES.get("onnxruntime")().obstacle() is None


def test_production_needs_no_training_library() -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    own = ["sanmodel.errors", "sanmodel.extras", "sanmodel.registry"]
    assert result.stdout.splitlines() == [str(own), "[]"]
