import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small import LANDMARK_COLUMNS, POINTS
from torch import nn

from sanmodel.errors import SanError
from sanmodel.export.graph import deployed
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import MAX_FACES, Faces, largest_difference, load_faces, require_parity
from sanmodel.models.autoencoders import AUTOENCODERS, new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import CROP_COLUMNS, TableWriter

Trained = tuple[Path, nn.Module, Prototypes]
KINDS = [(name, align) for name in AUTOENCODERS for align in ("none", "landmarks")]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def trained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An ONNX file, of each autoencoder once with each kind of prototypes."""
    name, align = request.param
    torch.manual_seed(1)
    autoencoder = new_autoencoder(name).eval()
    landmarks = torch.tensor(POINTS) if align == "landmarks" else None
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    path: Path = tmp_path_factory.mktemp("onnx") / "san.onnx"
    network = deployed(autoencoder, prototypes)
    write_onnx(path, network, 22, 8, describe("Male", PreprocessSettings(), 8, {}))
    return path, autoencoder, prototypes


def random_faces(count: int) -> Faces:
    random = np.random.default_rng(1)
    moves = random.normal(0, 8, (count, 5, 2))
    images = random.integers(0, 256, (count, 224, 224), dtype=np.uint8)
    labels = np.zeros(count, np.int64)
    return Faces(images, labels, (np.array(POINTS) + moves).astype(np.float32))


def write_crops(folder: Path, splits: Iterable[str]) -> Path:
    folder.mkdir()
    with TableWriter(folder, CROP_COLUMNS, ["Male"]) as table:
        for index, split in enumerate(splits):
            buffer = io.BytesIO()
            Image.new("RGB", (224, 224), (index, index, index)).save(buffer, "PNG")
            row = {"image_id": f"{index}", "split": split, "image": buffer.getvalue(), "Male": 1}
            table.add({**row, **LANDMARK_COLUMNS, "nose_y": float(index)})
    return folder


def test_faces_are_the_first_test_crops(tmp_path: Path) -> None:
    faces = load_faces(
        write_crops(tmp_path / "crops", ["train", "test"] * (MAX_FACES + 3)), "test", "Male"
    )
    assert faces.images.shape == (MAX_FACES, 224, 224)
    assert faces.images[:, 0, 0].tolist() == list(range(1, 2 * MAX_FACES, 2))
    assert faces.labels.tolist() == [1] * MAX_FACES
    assert faces.landmarks[:, 4, 1].tolist() == list(range(1, 2 * MAX_FACES, 2))


def test_no_test_crops_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="has no test images"):
        load_faces(write_crops(tmp_path / "crops", ["train"]), "test", "Male")


def test_onnx_runtime_computes_the_figure(trained: Trained) -> None:
    assert largest_difference(*trained, random_faces(3), max_batch=8) < 1e-5


def test_other_weights_are_noticed(trained: Trained) -> None:
    path, autoencoder, prototypes = trained
    swapped = replace(prototypes, P_0=prototypes.P_1, P_1=prototypes.P_0)
    difference = largest_difference(path, autoencoder, swapped, random_faces(1), max_batch=8)
    with pytest.raises(SanError, match=r"san\.onnx differs from PyTorch"):
        require_parity(difference, 1e-4, path)


def test_not_a_number_is_no_parity() -> None:
    with pytest.raises(SanError, match="differs"):
        require_parity(float("nan"), 1e-4, Path("san.onnx"))
