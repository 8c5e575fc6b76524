from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small import POINTS

from sanmodel.export.graph import Pixels, deployed
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import Faces
from sanmodel.export.quantising import write_int8
from sanmodel.models.autoencoders import AUTOENCODERS, new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings

ABOUT = describe("Male", PreprocessSettings(), 8, {})


def files(folder: Path, name: str = "skip", pixels: Pixels = "uint8", align: bool = False) -> Path:
    torch.manual_seed(1)
    landmarks = torch.tensor(POINTS) if align else None
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    network = deployed(new_autoencoder(name).eval(), prototypes, pixels)
    write_onnx(folder / "san.onnx", network, 22, 8, ABOUT)
    write_int8(folder / "san.onnx", folder / "int8.onnx", faces())
    return folder


def faces() -> Faces:
    random = np.random.default_rng(1)
    landmarks = np.array(POINTS) + random.normal(0, 4, (8, 5, 2))
    images = random.integers(0, 256, (8, 224, 224), dtype=np.uint8)
    return Faces(images, np.arange(8) % 2, landmarks.astype(np.float32))


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_convolutions_have_int8_weights_but_for_the_last_of_skip(name: str, tmp_path: Path) -> None:
    graph = onnx.load(files(tmp_path, name) / "int8.onnx").graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    made_from = {output: node.input[0] for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type == "Conv":
            weight = made_from.get(node.input[1], node.input[1])
            shape = next(tensor.dims for tensor in graph.initializer if tensor.name == weight)
            last_of_skip = tuple(shape[:2]) == (4, 48)
            expected = onnx.TensorProto.FLOAT if last_of_skip else onnx.TensorProto.INT8
            assert kinds[weight] == expected


def test_the_file_says_what_the_other_said_and_equal_files_are_equal(tmp_path: Path) -> None:
    folder = files(tmp_path)
    told = onnxruntime.InferenceSession(folder / "int8.onnx").get_modelmeta().custom_metadata_map
    assert told == ABOUT
    content = (folder / "int8.onnx").read_bytes()
    write_int8(folder / "san.onnx", folder / "int8.onnx", faces())
    assert (folder / "int8.onnx").read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == ["int8.onnx", "san.onnx"]


@pytest.mark.parametrize(("pixels", "align"), [("float32", False), ("uint8", True)])
def test_outputs_are_near_those_of_the_source(pixels: Pixels, align: bool, tmp_path: Path) -> None:
    folder, some = files(tmp_path, pixels=pixels, align=align), faces()
    images = some.images / np.float32(255) if pixels == "float32" else some.images
    inputs = {"image": images, "attribute": some.labels, "mode": np.ones((8, 1), np.float32)}
    if align:
        inputs["landmarks"] = some.landmarks
    exact, reduced = (
        onnxruntime.InferenceSession(folder / name).run(None, inputs)[0].astype(float)
        for name in ("san.onnx", "int8.onnx")
    )
    scale = 1 if pixels == "float32" else 255
    assert 0 < np.square((exact - reduced) / scale).mean() < 10**-3.8


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files(tmp_path)
    assert capfd.readouterr() == ("", "")
