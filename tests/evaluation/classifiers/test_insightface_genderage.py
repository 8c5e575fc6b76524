import numpy as np
import pytest
from optional_networks import linear_network, without, without_network

from sanmodel.errors import SanError
from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.images import grey_to_rgb

NETWORK = "models/buffalo_l/genderage.onnx"


def installed():
    return pytest.importorskip("insightface", reason="pip install sanmodel[insightface]")


def test_it_declares_its_attribute_without_the_package(monkeypatch):
    without(monkeypatch, "insightface", "insightface.model_zoo")
    assert CLASSIFIERS.get("insightface").attribute == "Male"


def test_without_the_package_it_tells_how_to_install_it(monkeypatch):
    without(monkeypatch, "insightface", "insightface.model_zoo")
    with pytest.raises(SanError, match='not installed: run `pip install "sanmodel.insightface."`'):
        CLASSIFIERS.get("insightface")()


def test_it_agrees_with_the_package(tmp_path, monkeypatch, faces):
    """With random weights: the same face is cut out, scaled and read as by the package."""
    insightface = installed()
    linear_network(tmp_path / NETWORK, (3, 96, 96), outputs=3)
    monkeypatch.setenv("INSIGHTFACE_ROOT", str(tmp_path))
    scores = CLASSIFIERS.get("insightface")().scores(faces.images, faces.boxes)
    package = insightface.model_zoo.get_model(str(tmp_path / NETWORK))
    answers = []
    for image, box in zip(faces.images, faces.boxes, strict=True):
        face = insightface.app.common.Face(bbox=box)
        answers.append(package.get(grey_to_rgb(image), face)[0])
    package.taskname = "attributes"  # which makes it hand out all outputs
    outputs = np.stack(
        [
            package.get(grey_to_rgb(image), insightface.app.common.Face(bbox=box))
            for image, box in zip(faces.images, faces.boxes, strict=True)
        ]
    )
    np.testing.assert_array_equal(scores > 0.5, np.array(answers) == 1)
    np.testing.assert_allclose(
        np.log(scores / (1 - scores)), outputs[:, 1] - outputs[:, 0], atol=0.05
    )
    assert 0 < (scores > 0.5).sum() < len(scores)


def test_a_failed_download_is_told(tmp_path, monkeypatch):
    installed()
    without_network(monkeypatch)
    monkeypatch.setenv("INSIGHTFACE_ROOT", str(tmp_path))
    with pytest.raises(SanError, match=f"buffalo_l.zip at {tmp_path / NETWORK}"):
        CLASSIFIERS.get("insightface")()


def test_a_damaged_network_is_told(tmp_path, monkeypatch):
    installed()
    (tmp_path / NETWORK).parent.mkdir(parents=True)
    (tmp_path / NETWORK).write_bytes(b"<html>")
    monkeypatch.setenv("INSIGHTFACE_ROOT", str(tmp_path))
    with pytest.raises(SanError, match="genderage.onnx cannot be read"):
        CLASSIFIERS.get("insightface")()
