import importlib.util
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small import LANDMARK_COLUMNS, POINTS

from sanmodel.errors import SanError
from sanmodel.export.precisions import LEAST_PSNR
from sanmodel.files import sha256, sha256_folder
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.models.ensemble import ensemble, load_classifiers
from sanmodel.models.weights import read_about, save_weights
from sanmodel.observer import Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import load, load_manifest
from sanmodel.runtime.classifier import AttributeReader
from sanmodel.settings import parse_settings
from sanmodel.stages import export
from sanmodel.tables import CROP_COLUMNS, TableWriter

FEW = {"max_batch": 4, "calibration_faces": 2}
ONNX_ONLY = parse_settings({"export": {"tensorrt": "off", **FEW}})
ONE_FILE = parse_settings({"export": {"tensorrt": "off", "precisions": [], **FEW}})
WITH_ENGINE = parse_settings({"export": FEW})


BOX = {"face_left": 46.0, "face_top": 59.0, "face_right": 178.0, "face_bottom": 191.0}


class Notes(Observer):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def tree(root: Path, landmarks: torch.Tensor | None = None, architecture: str = "paper") -> Paths:
    """A work tree with an untrained model and random crops: three to test with, two to learn."""
    paths = Paths(root)
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3, landmarks)
    prototypes.save(paths.prototypes, "Male")
    about = {"attribute": "Male", "align": prototypes.align, "architecture": architecture}
    network = new_autoencoder(architecture)
    save_weights(paths.autoencoder, network.state_dict(), kind="autoencoder", **about)
    classifiers = ensemble(2)
    about = {"attribute": "Male", "members": "2"}
    save_weights(paths.classifier, classifiers.state_dict(), kind="classifier", **about)
    paths.crops.mkdir(parents=True)
    random = np.random.default_rng(1)
    with TableWriter(paths.crops, CROP_COLUMNS, ["Male"]) as table:
        for index, split in enumerate(("test", "test", "test", "train", "train")):
            buffer = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (224, 224, 3), np.uint8)).save(buffer, "PNG")
            row = {"image_id": f"{index}", "split": split, "image": buffer.getvalue()}
            person = {"identity": f"{index // 2}", "Male": index % 2, "occluded": False}
            table.add({**row, **person, **BOX, **LANDMARK_COLUMNS})
    return paths


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def exported(paths: Paths) -> tuple[Metrics, list[str]]:
    """Metrics and notes of an export without an engine."""
    notes = Notes()
    return export.run(ONNX_ONLY, paths, notes), notes.texts


def test_export_without_engine_says_why(paths: Paths, exported: tuple[Metrics, list[str]]) -> None:
    metrics, notes = exported
    assert metrics == json.loads(paths.metrics("export").read_text())
    assert 0 <= metrics["max_difference"] < 1e-5
    assert (metrics["engines"], metrics["engine_bytes"]) == (0, 0)
    assert metrics["onnx_bytes"] == (paths.export / "san.onnx").stat().st_size
    assert notes[-1] == "the export has no TensorRT engine: export.tensorrt is off"
    manifest = load_manifest(paths.export)
    assert manifest.engine_gap == "export.tensorrt is off"
    names = {file.name for file in manifest.files}
    assert names | {"manifest.json"} == {path.name for path in paths.export.iterdir()}


@pytest.mark.usefixtures("exported")
def test_export_holds_model_and_prototypes(paths: Paths) -> None:
    images = np.full((5, 224, 224), 128, dtype=np.uint8)
    assert load(paths.export).perturb(images, [0, 1, 0, 1, 1]).shape == (5, 224, 224)
    copy = paths.export / "prototypes.safetensors"
    assert sha256(copy) == sha256(paths.prototypes)
    assert read_about(copy)["attribute"] == "Male"


@pytest.mark.usefixtures("exported")
def test_precisions_are_judged_and_the_manifest_records_it(paths: Paths) -> None:
    manifest = load_manifest(paths.export)
    tried = {one.name: one for one in manifest.precisions}
    assert list(tried) == ["fp32", "fp16", "bf16", "int8"]
    assert (tried["fp32"].psnr, tried["fp32"].error_change, tried["fp32"].faces) == (None, 0, 3)
    assert tried["fp16"].psnr > tried["bf16"].psnr > 45
    assert tried["int8"].psnr > 20
    accepted = [one.name for one in manifest.precisions if one.accepted]
    assert accepted[:2] == ["fp32", "fp16"]
    assert manifest.offered("onnx") == accepted
    for one in manifest.precisions:
        assert one.accepted == (one.reason is None)


def test_a_precision_that_changes_outputs_is_refused(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LEAST_PSNR, "bf16", 80.0)  # type: ignore[index]
    notes = Notes()
    settings = parse_settings({"export": {"tensorrt": "off", "precisions": ["bf16"], **FEW}})
    other = tree(paths.root.parent / "refused")
    export.run(settings, other, notes)
    assert re.match(r"the export has no bf16 file: its outputs have [\d.]+ dB", notes.texts[0])
    manifest = load_manifest(other.export)
    assert not (other.export / "san-bf16.onnx").exists()
    assert (manifest.precisions[1].accepted, manifest.offered("onnx")) == (False, ["fp32"])


@pytest.mark.usefixtures("exported")
def test_the_classifier_tells_classes_as_its_weights_do(paths: Paths) -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, 224, 224), dtype=np.uint8)
    networks = load_classifiers(paths.classifier, "Male")
    X = torch.from_numpy(images)[:, None] / 255
    with torch.no_grad():
        expected = torch.stack([torch.sigmoid(one(X)) for one in networks]).mean(dim=0)
    found = AttributeReader(paths.export).probabilities(images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("exported")
def test_failed_export_leaves_the_earlier_one(paths: Paths) -> None:
    before = sha256_folder(paths.export)
    strict = parse_settings({"export": {"tolerance": 1e-12, "max_batch": 4, "pixels": "float32"}})
    with pytest.raises(SanError, match="differs from PyTorch"):
        export.run(strict, paths)
    assert sha256_folder(paths.export) == before
    assert not list(paths.export.parent.glob(".*partial*"))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx") is None or torch.cuda.is_available(),
    reason="this is about TensorRT-RTX where there is no GPU",
)
@pytest.mark.usefixtures("exported")
def test_engine_comes_beside_the_same_onnx_file(paths: Paths) -> None:
    notes, before = Notes(), sha256(paths.export / "san.onnx")
    metrics = export.run(WITH_ENGINE, paths, notes)
    assert sha256(paths.export / "san.onnx") == before
    manifest = load_manifest(paths.export)
    engine = manifest.file("tensorrt-rtx")
    half = manifest.file("tensorrt-rtx", "fp16")
    assert metrics["engines"] == 2
    sizes = [(paths.export / one.name).stat().st_size for one in (engine, half)]
    assert sizes[0] > sizes[1]
    assert metrics["engine_bytes"] == sum(sizes)
    assert (engine.max_batch, manifest.engine_gap) == (4, None)
    assert not any("TensorRT" in text for text in notes.texts)


def test_weights_of_another_attribute_are_refused(paths: Paths) -> None:
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        export.run(parse_settings({"attribute": "Smiling"}), paths)


def test_aligned_prototypes_are_exported_with_an_input_for_landmarks(tmp_path: Path) -> None:
    paths = tree(tmp_path, torch.tensor(POINTS) + 5)
    metrics = export.run(ONE_FILE, paths)
    assert 0 <= metrics["max_difference"] < 1e-5
    inputs = load_manifest(paths.export).inputs
    assert [port.name for port in inputs] == ["image", "attribute", "mode", "landmarks"]
    perturber = load(paths.export)
    images = np.random.default_rng(1).integers(0, 256, (5, 224, 224), dtype=np.uint8)
    face = np.array(POINTS)
    one, other = (
        perturber.perturb(images, [0, 1, 0, 1, 1], landmarks=np.tile(points, (5, 1, 1)))
        for points in (face, face + 9)
    )
    assert (one != other).mean() > 0.1


def test_what_is_exported_is_the_autoencoder_of_the_file(tmp_path: Path) -> None:
    paths = tree(tmp_path, architecture="skip")
    assert 0 <= export.run(ONE_FILE, paths)["max_difference"] < 1e-5
    images = np.random.default_rng(1).integers(20, 236, (5, 224, 224), dtype=np.uint8)
    perturbed = load(paths.export).perturb(images, [0, 1, 0, 1, 1])
    # Fresh weights of this one hardly change an image, those of the paper's lose it.
    assert np.abs(perturbed.astype(float) - images).mean() < 3


def test_an_autoencoder_of_another_alignment_is_refused(tmp_path: Path) -> None:
    paths = tree(tmp_path)
    prototypes = Prototypes.load(paths.prototypes, "Male")
    aligned = Prototypes(prototypes.P_0, prototypes.P_1, 0.3, torch.tensor(POINTS))
    aligned.save(paths.prototypes, "Male")
    with pytest.raises(SanError, match="align='none', needed is 'landmarks'"):
        export.run(ONNX_ONLY, paths)
