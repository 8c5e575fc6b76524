import numpy as np
import pytest
from optional_networks import linear_network, without, without_network

from sanmodel.errors import SanError
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.warped_chips import ARCFACE_POINTS, arcface_chips
from sanmodel.images import grey_to_rgb

NETWORK = "models/buffalo_l/w600k_r50.onnx"


def installed():
    return pytest.importorskip("insightface", reason="pip install sanmodel[insightface]")


def test_without_the_package_it_tells_how_to_install_it(monkeypatch):
    without(monkeypatch, "insightface", "insightface.model_zoo")
    with pytest.raises(SanError, match='not installed: run `pip install "sanmodel.insightface."`'):
        MATCHERS.get("arcface")()


def test_the_points_are_the_packages():
    align = pytest.importorskip("insightface.utils.face_align", reason="sanmodel[insightface]")
    np.testing.assert_allclose(align.arcface_dst, ARCFACE_POINTS, rtol=1e-6)


def test_distances_rank_like_the_packages_similarities(tmp_path, monkeypatch, faces):
    insightface = installed()
    linear_network(tmp_path / NETWORK, (3, 112, 112), outputs=16)
    monkeypatch.setenv("INSIGHTFACE_ROOT", str(tmp_path))
    images, boxes = faces.images[:4], faces.boxes[:4]
    descriptors = MATCHERS.get("arcface")().descriptors(images, boxes)
    package = insightface.model_zoo.get_model(str(tmp_path / NETWORK))
    features = [package.get_feat(grey_to_rgb(chip)) for chip in arcface_chips(images, boxes)]
    assert descriptors.shape == (4, 16)
    for i in range(4):
        for j in range(4):
            distance = np.linalg.norm(descriptors[i] - descriptors[j])
            similarity = package.compute_sim(features[i], features[j])
            assert 1 - distance**2 / 2 == pytest.approx(similarity, abs=1e-5)


def test_a_failed_download_is_told(tmp_path, monkeypatch):
    installed()
    without_network(monkeypatch)
    monkeypatch.setenv("INSIGHTFACE_ROOT", str(tmp_path))
    with pytest.raises(SanError, match=f"buffalo_l.zip at {tmp_path / NETWORK}"):
        MATCHERS.get("arcface")()
