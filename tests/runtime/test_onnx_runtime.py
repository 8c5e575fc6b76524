import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.export.graph import Deployed, deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import MODES, OnnxPerturber, load
from sanmodel.settings import PreprocessSettings, Settings

Exported = tuple[Path, Deployed]

IMPORTED = """
import sys
import sanmodel.runtime
own = sorted(name for name in sys.modules if name.startswith("sanmodel."))
print([name for name in own if not name.startswith("sanmodel.runtime")])
print([name for name in ("torch", "onnx", "pandas", "safetensors") if name in sys.modules])
"""


def export(folder: Path, landmarks: torch.Tensor | None = None) -> Exported:
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    network, path = deployed(Autoencoder(), prototypes).eval(), folder / "san.onnx"
    write_onnx(path, network, 20, 2, describe("Male", PreprocessSettings(), 2, {}))
    files = [artifact(path, "onnx", "torch", (), 2)]
    write_manifest(folder, Settings(), network.inputs, files, "not asked for")
    return folder, network


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tmp_path_factory.mktemp("export"))


@pytest.mark.parametrize("mode", MODES)
def test_perturbs_as_the_network_does(exported: Exported, mode: str) -> None:
    folder, network = exported
    images = np.random.default_rng(1).integers(0, 256, (3, 224, 224), dtype=np.uint8)
    found = load(folder).perturb(images, [0, 1, 1], mode)  # type: ignore[arg-type]
    with torch.no_grad():
        outputs = network(
            torch.from_numpy(images / np.float32(255))[:, None], torch.tensor([0, 1, 1])
        )
    expected = 255 * outputs[MODES.index(mode)].squeeze(1).numpy()  # type: ignore[arg-type]
    assert np.abs(found - expected).max() < 0.501


def test_an_aligned_model_lays_its_prototypes_over_each_face(tmp_path: Path) -> None:
    folder, network = export(tmp_path, torch.tensor(POINTS))
    perturber = load(folder)
    assert perturber.aligned
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (3, 224, 224), dtype=np.uint8)
    landmarks = np.array(POINTS) + random.normal(0, 8, (3, 5, 2))
    found = perturber.perturb(images, [0, 1, 1], landmarks=landmarks)
    with torch.no_grad():
        X = torch.from_numpy(images / np.float32(255))[:, None]
        points = torch.from_numpy(landmarks).to(torch.float32)
        expected = network(X, torch.tensor([0, 1, 1]), points)[2]
    assert np.abs(found - 255 * expected.squeeze(1).numpy()).max() < 0.501
    with pytest.raises(SanError, match="give the landmarks of every image"):
        perturber.perturb(images, [0, 1, 1])


def test_number_of_threads_does_not_matter(exported: Exported) -> None:
    path = exported[0] / "san.onnx"
    images = np.full((1, 224, 224), 100, dtype=np.uint8)
    one, many = (OnnxPerturber(path, threads).perturb(images, [1]) for threads in (1, None))
    np.testing.assert_array_equal(one, many)


def test_model_tells_its_limits(exported: Exported) -> None:
    perturber = load(exported[0])
    assert (perturber.attribute, perturber.size, perturber.max_batch) == ("Male", 224, 2)


def test_damaged_file_is_an_error(exported: Exported, tmp_path: Path) -> None:
    whole = (exported[0] / "san.onnx").read_bytes()
    damaged = tmp_path / "san.onnx"
    for content in (b"", b"no graph at all", whole[: len(whole) // 2]):
        damaged.write_bytes(content)
        with pytest.raises(SanError, match="is damaged or no ONNX file"):
            OnnxPerturber(damaged)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="is missing"):
        OnnxPerturber(tmp_path / "san.onnx")


def test_file_of_another_program_is_an_error(exported: Exported, tmp_path: Path) -> None:
    model = onnx.load(exported[0] / "san.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(SanError, match="does not say what model it holds"):
        OnnxPerturber(tmp_path / "other.onnx")


def test_load_notices_an_altered_model(exported: Exported, tmp_path: Path) -> None:
    for file in exported[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = bytearray((tmp_path / "san.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "san.onnx").write_bytes(content)
    with pytest.raises(SanError, match="SHA-256 differs"):
        load(tmp_path)


def test_production_needs_no_training_library() -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["['sanmodel.errors']", "[]"]
