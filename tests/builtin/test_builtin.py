from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from small import PROJECT

from sanmodel import runtime
from sanmodel.builtin import ATTRIBUTES, FOLDER, builtin_model
from sanmodel.builtin.making import ROUNDED, card_row
from sanmodel.detection.crop import crop_face
from sanmodel.detection.dlib_hog import DlibDetector
from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.runtime import MODES
from sanmodel.runtime.classifier import AttributeReader
from sanmodel.settings import PreprocessSettings

PHOTO = PROJECT / "data/sample/photos/000000.jpg"
CHANGES = (
    (-1.7, -0.1, 0.1, -0.3, -0.5, -0.4, -0.2),
    (-0.5, -0.8, 0.8, 16.7, 3.3, -1.4, 1.3),
    (-1.5, -5.8, -0.9, -7.6, -1.8, -3.3, -2.4),
    (-6.3, 4.3, -0.6, 2.6, -5.2, 11.5, -7.8),
    (-2.1, -2.0, 3.9, 10.5, 2.9, -0.1, 0.1),
    (-1.1, -2.9, 3.1, 23.5, 4.0, -0.4, -1.5),
    (1.8, 2.7, 0.8, -7.7, 6.5, -3.5, 1.1),
)
"""Grey levels that the trained weights of ``Male``, in PyTorch, added to the face of PHOTO with the
opposite prototype: means of squares of 32 pixels."""


@pytest.fixture(params=ATTRIBUTES)
def attribute(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(attribute: str) -> Path:
    return builtin_model(attribute)


def test_a_built_in_model_is_an_export_folder_that_takes_what_preprocess_makes(
    folder: Path, attribute: str
):
    manifest, settings = runtime.load_manifest(folder), PreprocessSettings()
    assert manifest.attribute == runtime.load(folder).attribute == attribute
    assert manifest.crop.crop_scale == settings.crop_scale
    assert manifest.crop.shift_up == settings.shift_up
    names = {"manifest.json", "classifier.onnx", "san.onnx", "san-int8.onnx"}
    assert {path.name for path in folder.iterdir()} == names


def test_large_constants_are_float16_and_the_graph_computes_in_float32(folder: Path):
    graph = onnx.load(folder / "san.onnx").graph
    large = [tensor for tensor in graph.initializer if len(tensor.raw_data) >= ROUNDED]
    assert {tensor.data_type for tensor in large} == {TensorProto.FLOAT16}
    assert all(np.isfinite(numpy_helper.to_array(tensor)).all() for tensor in large)
    assert {port.type.tensor_type.elem_type for port in graph.output} == {TensorProto.UINT8}
    maps = [tensor for tensor in large if tuple(tensor.dims) == (2, 48, 56, 56)]
    assert len(maps) == 2  # what the first layer and the combiner make of the prototypes


def test_a_built_in_model_is_small_enough_for_the_repository(folder: Path):
    assert 1_000_000 < (folder / "san.onnx").stat().st_size < 3_000_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < 11_000_000


def test_int8_was_accepted_on_people_that_training_never_saw(folder: Path):
    precisions = {one.name: one for one in runtime.load_manifest(folder).precisions}
    one = precisions["int8"]
    assert one.accepted
    assert one.psnr is not None
    assert one.psnr > 45
    assert one.faces > 900
    faces = np.full((1, 224, 224), 128, np.uint8)
    exact, reduced = (
        runtime.load(folder, "onnxruntime", name).perturb(faces, [1]).astype(int)
        for name in ("fp32", "int8")
    )
    assert 0 < np.abs(exact - reduced).max() < 30


def test_classifiers_tell_the_class_of_synthetic_faces(folder: Path):
    photo = decode_rgb(PHOTO.with_name("000001.jpg").read_bytes(), PHOTO.name)
    (face,) = DlibDetector(PreprocessSettings()).detect(photo)
    grey = to_grey(crop_face(photo, face, PreprocessSettings()).picture)
    assert AttributeReader(folder).probabilities(grey[None])[0] > 0.9  # a man


def test_male_does_to_a_face_what_its_trained_weights_did():
    settings, photo = PreprocessSettings(), decode_rgb(PHOTO.read_bytes(), PHOTO.name)
    (face,) = DlibDetector(settings).detect(photo)
    grey = to_grey(crop_face(photo, face, settings).picture)
    model = runtime.load_exact(builtin_model("Male"))
    same, neutral, opposite = (
        model.perturb(grey[None], [1], mode)[0] - grey.astype(float) for mode in MODES
    )
    squares = opposite.reshape(7, 32, 7, 32).mean((1, 3))
    np.testing.assert_allclose(squares, CHANGES, rtol=0, atol=0.15)
    assert np.square(same).mean() < np.square(neutral).mean() < np.square(opposite).mean()


def test_the_card_names_the_files_that_are_there(folder: Path, attribute: str):
    rows = (FOLDER / f"{attribute.lower()}.md").read_text(encoding="utf-8").splitlines()
    for path in folder.iterdir():
        assert card_row(path) in rows


def test_there_is_no_model_without_a_card():
    models = {path.parent.name for path in FOLDER.glob("*/manifest.json")}
    assert models == {path.stem for path in FOLDER.glob("*.md")}
    assert models == {attribute.lower() for attribute in ATTRIBUTES}


def test_another_attribute_has_none():
    with pytest.raises(SanError, match="no built-in model of 'Young', only of Male: train one"):
        builtin_model("Young")


def test_a_row_of_the_card_tells_size_and_digest(tmp_path: Path):
    path = tmp_path / "a.onnx"
    path.write_bytes(b"abc" * 400)
    digest = "c60f31dde430c46ed35613b85ed4e926db829917cb2248947abf1a7181e68bb3"
    assert card_row(path) == f"| `a.onnx` | 1,200 | `{digest}` |"
