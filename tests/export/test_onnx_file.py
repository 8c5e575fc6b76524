import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small import POINTS

import sanmodel
from sanmodel.export.graph import deployed
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


def write(path: Path, landmarks: torch.Tensor | None = None) -> None:
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    network = deployed(Autoencoder(), prototypes)
    about = describe("Male", PreprocessSettings(), 4, {"autoencoder": "ab", "prototypes": "cd"})
    write_onnx(path, network, opset=20, max_batch=4, about=about)


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
        ("image", ["batch", 1, 224, 224], "tensor(float)"),
        ("attribute", ["batch"], "tensor(int64)"),
    ]
    for batch in (1, 3):
        outputs = session.run(
            ["same", "neutral", "opposite"],
            {
                "image": np.zeros((batch, 1, 224, 224), np.float32),
                "attribute": np.ones(batch, np.int64),
            },
        )
        assert [output.shape for output in outputs] == [(batch, 1, 224, 224)] * 3


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
    assert len(convolutions) == 3 + 2 * 4  # three layers, then decoder and combiner per phase
    assert all(node.input[1] in constants for node in convolutions)


def test_landmarks_of_any_batch_are_an_input_with_aligned_prototypes(tmp_path: Path) -> None:
    write(tmp_path / "aligned.onnx", torch.tensor(POINTS))
    session = onnxruntime.InferenceSession(tmp_path / "aligned.onnx")
    assert [(port.name, port.shape, port.type) for port in session.get_inputs()][2] == (
        "landmarks", ["batch", 5, 2], "tensor(float)"
    )  # fmt: skip
    for batch in (1, 3):
        inputs = {
            "image": np.zeros((batch, 1, 224, 224), np.float32),
            "attribute": np.ones(batch, np.int64),
            "landmarks": np.tile(np.array(POINTS, np.float32), (batch, 1, 1)),
        }
        outputs = session.run(["same", "neutral", "opposite"], inputs)
        assert [output.shape for output in outputs] == [(batch, 1, 224, 224)] * 3
    about = session.get_modelmeta().custom_metadata_map
    assert "eye on the right of the picture" in about["landmarks"]
