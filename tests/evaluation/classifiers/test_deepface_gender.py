import pytest
from optional_networks import linear_network, without, without_network

from sanmodel.errors import SanError
from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.evaluation.warped_chips import eye_angles, square_chips
from sanmodel.images import grey_to_rgb

NETWORK = ".deepface/weights/gender_model_weights.onnx"
MODULE = "deepface.models.demography.onnx.Gender"


def installed():
    pytest.importorskip(MODULE, reason="pip install sanmodel[deepface]")


def test_without_the_package_it_tells_how_to_install_it(monkeypatch):
    without(monkeypatch, "deepface", MODULE)
    assert CLASSIFIERS.get("deepface").attribute == "Male"
    with pytest.raises(SanError, match='not installed: run `pip install "sanmodel.deepface."`'):
        CLASSIFIERS.get("deepface")()


@pytest.mark.parametrize("count", [1, 3])
def test_it_agrees_with_the_packages_analysis(tmp_path, monkeypatch, faces, count):
    """With random weights, for the faces that are cut out here."""
    installed()
    from deepface.modules import demography, modeling

    linear_network(tmp_path / NETWORK, (224, 224, 3), outputs=2, softmax=True)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "onnx")
    images, boxes = faces.images[:count], faces.boxes[:count]
    scores = CLASSIFIERS.get("deepface")().scores(images, boxes)
    assert scores.shape == (count,)
    for score, chip in zip(
        scores, square_chips(images, boxes, 224, 1.0, eye_angles(images, boxes)), strict=True
    ):
        (answer,) = demography.analyze(
            grey_to_rgb(chip), actions=("gender",), detector_backend="skip", silent=True
        )
        assert score == pytest.approx(answer["gender"]["Man"] / 100, abs=1e-5)
        assert (score > 0.5) == (answer["dominant_gender"] == "Man")
    modeling.cached_models["facial_attribute"].clear()
    assert 0 < scores[0] < 1


def test_a_failed_download_is_told(tmp_path, monkeypatch):
    installed()
    without_network(monkeypatch)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(SanError, match=f"gender_model_weights.onnx at {tmp_path / NETWORK}"):
        CLASSIFIERS.get("deepface")()


def test_a_damaged_network_is_told(tmp_path, monkeypatch):
    installed()
    (tmp_path / NETWORK).parent.mkdir(parents=True)
    (tmp_path / NETWORK).write_bytes(b"Not Found")
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(SanError, match="gender_model_weights.onnx cannot be read"):
        CLASSIFIERS.get("deepface")()
