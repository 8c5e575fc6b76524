import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small import POINTS

import sanmodel
from sanmodel.export.graph import Pixels, deployed
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings

WRITE_AGAIN = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_onnx_file import write
write(Path(sys.argv[1]))
"""


def write(path: Path, landmarks: torch.Tensor | None = None, pixels: Pixels = "uint8") -> None:
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    network = deployed(Autoencoder(), prototypes, pixels)
    about = describe("Male", PreprocessSettings(), 4, {"autoencoder": "ab", "prototypes": "cd"})
    write_onnx(path, network, opset=22, max_batch=4, about=about)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("onnx") / "san.onnx"
    write(path)
    return path


def test_file_describes_itself(path: Path) -> None:
    about = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert about == {
        "attribute": "Male",
        "classes": '["not Male", "Male"]',
        "crop_size": "224",
        "crop_scale": "1.7",
        "crop_shift_up": "0.1",
        "max_batch": "4",
        "sanmodel_version": sanmodel.__version__,
        "autoencoder_sha256": "ab",
        "prototypes_sha256": "cd",
    }
    assert json.loads(about["classes"])[1] == "Male"


def test_batch_is_dynamic_and_ports_are_named(path: Path) -> None:
    session = onnxruntime.InferenceSession(path)
    assert [(port.name, port.shape, port.type) for port in session.get_inputs()] == [
        ("image", ["batch", 224, 224], "tensor(uint8)"),
        ("attribute", ["batch"], "tensor(int64)"),
        ("mode", ["batch", "modes"], "tensor(float)"),
    ]
    for batch, modes in ((1, 1), (1, 3), (3, 1), (4, 2)):
        (perturbed,) = session.run(["perturbed"], inputs_of(batch, modes))
        assert (perturbed.shape, perturbed.dtype) == ((batch, modes, 224, 224), np.uint8)


def inputs_of(batch: int, modes: int) -> dict[str, Any]:
    return {
        "image": np.zeros((batch, 224, 224), np.uint8),
        "attribute": np.ones(batch, np.int64),
        "mode": np.ones((batch, modes), np.float32),
    }


def test_images_may_be_float(tmp_path: Path) -> None:
    write(tmp_path / "float.onnx", pixels="float32")
    session = onnxruntime.InferenceSession(tmp_path / "float.onnx")
    inputs = {**inputs_of(2, 1), "image": np.zeros((2, 224, 224), np.float32)}
    (perturbed,) = session.run(["perturbed"], inputs)
    assert perturbed.dtype == np.float32
    assert 0 < perturbed.min() <= perturbed.max() < 1


def test_another_process_writes_the_same_bytes_in_silence(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere.onnx"
    here = Path(__file__).parent
    command = [sys.executable, "-c", WRITE_AGAIN, str(again), str(here), str(here.parent)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")
    assert again.read_bytes() == path.read_bytes()


def test_file_holds_no_traces_of_the_exporter(path: Path) -> None:
    model = onnx.load(path)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert str(Path(sanmodel.__file__).parent).encode() not in path.read_bytes()


def test_weights_are_folded(path: Path) -> None:
    graph = onnx.load(path).graph
    constants = {initializer.name for initializer in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 3 + 2  # three layers, then decoder and combiner of all phases
    assert all(node.input[1] in constants for node in convolutions)


def test_landmarks_of_any_batch_are_an_input_with_aligned_prototypes(tmp_path: Path) -> None:
    write(tmp_path / "aligned.onnx", torch.tensor(POINTS))
    session = onnxruntime.InferenceSession(tmp_path / "aligned.onnx")
    assert [(port.name, port.shape, port.type) for port in session.get_inputs()][3] == (
        "landmarks", ["batch", 5, 2], "tensor(float)"
    )  # fmt: skip
    for batch in (1, 3):
        landmarks = np.tile(np.array(POINTS, np.float32), (batch, 1, 1))
        inputs = {**inputs_of(batch, 2), "landmarks": landmarks}
        (perturbed,) = session.run(["perturbed"], inputs)
        assert perturbed.shape == (batch, 2, 224, 224)
    about = session.get_modelmeta().custom_metadata_map
    assert "eye on the right of the picture" in about["landmarks"]
