from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from small_models import exported_model

from sanmodel.errors import SanError
from sanmodel.export.triton import write_triton
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.prototypes import Prototypes

CONFIG = """\
name: "san-male"
platform: "onnxruntime_onnx"
max_batch_size: 4
input [ { name: "image" data_type: TYPE_UINT8 dims: [ 224, 224 ] } ]
input [ { name: "attribute" data_type: TYPE_INT64 dims: [ 1 ] reshape: { shape: [ ] } } ]
input [ { name: "mode" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "perturbed" data_type: TYPE_UINT8 dims: [ -1, 224, 224 ] } ]
dynamic_batching { max_queue_delay_microseconds: 2000 }
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3)
    folder = tmp_path_factory.mktemp("tree") / "export"
    return exported_model(folder, new_autoencoder("skip"), prototypes)


def test_the_repository_has_the_layout_that_triton_asks_for(export: Path, tmp_path: Path) -> None:
    made = write_triton(export, tmp_path / "triton")
    assert made == tmp_path / "triton/san-male"
    assert (made / "config.pbtxt").read_text() == CONFIG
    assert (made / "1/model.onnx").read_bytes() == (export / "san.onnx").read_bytes()
    assert len([path for path in made.rglob("*") if path.is_file()]) == 2


def test_the_configuration_is_that_of_the_graph(export: Path, tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(write_triton(export, tmp_path) / "1/model.onnx")
    ports = [*session.get_inputs(), *session.get_outputs()]
    for port, line in zip(ports, CONFIG.splitlines()[3:7], strict=True):
        assert f'name: "{port.name}"' in line
        numbers = [side for side in port.shape[1:] if isinstance(side, int)]
        assert all(str(side) in line for side in numbers)
    inputs = {"image": np.zeros((2, 224, 224), np.uint8), "attribute": np.array([0, 1])}
    inputs["mode"] = np.ones((2, 1), np.float32)  # what Triton makes of dims with a batch of 2
    assert session.run(None, inputs)[0].shape == (2, 1, 224, 224)


def test_what_is_there_is_kept_and_a_missing_precision_is_said(
    export: Path, tmp_path: Path
) -> None:
    write_triton(export, tmp_path)
    with pytest.raises(SanError, match="san-male is there already: remove it"):
        write_triton(export, tmp_path)
    with pytest.raises(SanError, match="no file of the kind onnx in int8"):
        write_triton(export, tmp_path / "other", "int8")
