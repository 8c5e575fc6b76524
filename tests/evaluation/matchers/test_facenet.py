import numpy as np
import pytest
import torch
from optional_networks import without, without_network

from sanmodel.errors import SanError
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.warped_chips import square_chips
from sanmodel.images import grey_to_rgb

WEIGHTS = "checkpoints/20180402-114759-vggface2.pt"


def installed():
    return pytest.importorskip("facenet_pytorch", reason="pip install sanmodel[facenet]")


def test_without_the_package_it_tells_how_to_install_it(monkeypatch):
    without(monkeypatch, "facenet_pytorch", "facenet_pytorch.models.inception_resnet_v1")
    with pytest.raises(SanError, match='not installed: run `pip install "sanmodel.facenet."`'):
        MATCHERS.get("facenet")()


def test_it_agrees_with_the_package(tmp_path, monkeypatch, faces):
    """With random weights in the place of the real ones."""
    package = installed()
    (tmp_path / WEIGHTS).parent.mkdir()
    torch.manual_seed(0)
    network = package.InceptionResnetV1(classify=True, num_classes=8631).eval()
    torch.save(network.state_dict(), tmp_path / WEIGHTS)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    images, boxes = faces.images[:3], faces.boxes[:3]
    descriptors = MATCHERS.get("facenet")().descriptors(images, boxes)
    network.classify = False
    for chip, descriptor in zip(square_chips(images, boxes, 160, 1.3), descriptors, strict=True):
        pixels = torch.from_numpy(grey_to_rgb(chip)).permute(2, 0, 1).float()
        with torch.no_grad():
            (alone,) = network(package.fixed_image_standardization(pixels)[None])
        np.testing.assert_allclose(descriptor, alone.numpy(), atol=1e-5)
    assert descriptors.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)


def test_a_failed_download_is_told(tmp_path, monkeypatch):
    installed()
    without_network(monkeypatch)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(SanError, match=f"vggface2.pt at {tmp_path / WEIGHTS}"):
        MATCHERS.get("facenet")()


def test_a_damaged_file_is_told(tmp_path, monkeypatch):
    installed()
    (tmp_path / WEIGHTS).parent.mkdir()
    (tmp_path / WEIGHTS).write_bytes(b"<html>")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(SanError, match="vggface2.pt cannot be read"):
        MATCHERS.get("facenet")()
