import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sanmodel.errors import SanError
from sanmodel.export.graph import DeployedAutoencoder
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import MAX_FACES, largest_difference, load_faces, require_parity
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import CROP_COLUMNS, TableWriter

Trained = tuple[Path, Autoencoder, Prototypes]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    torch.manual_seed(1)
    autoencoder = Autoencoder().eval()
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), a_1=0.3)
    path: Path = tmp_path_factory.mktemp("onnx") / "san.onnx"
    network = DeployedAutoencoder(autoencoder, prototypes)
    write_onnx(path, network, 20, 8, describe("Male", PreprocessSettings(), 8, {}))
    return path, autoencoder, prototypes


def write_crops(folder: Path, splits: Iterable[str]) -> Path:
    folder.mkdir()
    with TableWriter(folder, CROP_COLUMNS, ["Male"]) as table:
        for index, split in enumerate(splits):
            buffer = io.BytesIO()
            Image.new("RGB", (224, 224), (index, index, index)).save(buffer, "PNG")
            row = {"image_id": f"{index}", "split": split, "image": buffer.getvalue(), "Male": 1}
            table.add(row)
    return folder


def test_faces_are_the_first_test_crops(tmp_path: Path) -> None:
    faces = load_faces(write_crops(tmp_path / "crops", ["train", "test"] * (MAX_FACES + 3)))
    assert faces.shape == (MAX_FACES, 224, 224)
    assert faces[:, 0, 0].tolist() == list(range(1, 2 * MAX_FACES, 2))


def test_no_test_crops_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="has no test images"):
        load_faces(write_crops(tmp_path / "crops", ["train"]))


def test_onnx_runtime_computes_the_figure(trained: Trained) -> None:
    faces = np.random.default_rng(1).integers(0, 256, (3, 224, 224), dtype=np.uint8)
    assert 0 < largest_difference(*trained, faces, max_batch=8) < 1e-5


def test_other_weights_are_noticed(trained: Trained) -> None:
    path, autoencoder, prototypes = trained
    swapped = Prototypes(prototypes.P_1, prototypes.P_0, prototypes.a_1)
    faces = np.full((1, 224, 224), 128, dtype=np.uint8)
    difference = largest_difference(path, autoencoder, swapped, faces, max_batch=8)
    with pytest.raises(SanError, match=r"san\.onnx differs from PyTorch"):
        require_parity(difference, 1e-4, path)


def test_not_a_number_is_no_parity() -> None:
    with pytest.raises(SanError, match="differs"):
        require_parity(float("nan"), 1e-4, Path("san.onnx"))
