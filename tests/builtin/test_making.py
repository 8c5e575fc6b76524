from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from small_models import exported_model

from sanmodel import runtime
from sanmodel.builtin.making import ROUNDED, make_builtin
from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import MODES

LANDMARKS = 223 * torch.rand(5, 2, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a work tree whose prototypes are laid over each face."""
    torch.manual_seed(0)
    prototypes = Prototypes(*torch.rand(2, 3, 224, 224), 0.4123, LANDMARKS)
    folder = tmp_path_factory.mktemp("tree") / "models/export"
    return exported_model(folder, new_autoencoder("skip"), prototypes)


def test_large_constants_come_back_rounded_to_float16_and_no_further(
    exported: Path, tmp_path: Path
):
    made = make_builtin(exported, "Male", tmp_path)
    assert made == tmp_path / "male"
    before, after = (
        {tensor.name: tensor for tensor in onnx.load(folder / "san.onnx").graph.initializer}
        for folder in (exported, made)
    )
    assert len(before) == len(after)
    rounded = {name for name in before if name not in after}
    assert len(rounded) == 12 + 2  # layers and prototypes
    for name, tensor in before.items():
        value, kept = numpy_helper.to_array(tensor), after.get(name, after.get(f"{name}.half"))
        assert kept is not None
        large = tensor.data_type == TensorProto.FLOAT and len(tensor.raw_data) >= ROUNDED
        assert (name in rounded) == large
        expected = value.astype(np.float16) if large else value
        np.testing.assert_array_equal(numpy_helper.to_array(kept), expected)
    assert (made / "san.onnx").stat().st_size < 0.52 * (exported / "san.onnx").stat().st_size


def test_what_it_makes_of_a_face_is_the_same_to_a_grey_level(exported: Path, tmp_path: Path):
    made = make_builtin(exported, "Male", tmp_path)
    faces = np.random.default_rng(1).integers(0, 256, (2, 224, 224), dtype=np.uint8)
    landmarks = LANDMARKS.expand(2, 5, 2).numpy()
    for mode in MODES:
        before, after = (
            runtime.load_exact(folder).perturb(faces, [0, 1], mode, landmarks)
            for folder in (exported, made)
        )
        assert abs(before.astype(int) - after).max() <= 1
        assert (before != faces).any()


def test_the_manifest_and_the_file_say_what_they_said_before(exported: Path, tmp_path: Path):
    made = make_builtin(exported, "Male", tmp_path)
    before, after = (runtime.load_manifest(folder) for folder in (exported, made))
    assert after.model_copy(update={"files": before.files, "engine_gap": before.engine_gap}) == (
        before
    )
    (file,) = after.files
    assert file.sha256 == sha256(made / "san.onnx")
    assert "one kind of GPU" in str(after.engine_gap)
    told = [onnx.load(folder / "san.onnx").metadata_props for folder in (exported, made)]
    assert told[0] == told[1]


def test_equal_models_are_equal_files_and_an_earlier_one_is_replaced(
    exported: Path, tmp_path: Path
):
    tree = exported.parent  # models/ of the work tree
    first = make_builtin(exported, "Male", tmp_path)
    digests = [sha256(path) for path in sorted(first.iterdir())]
    again = make_builtin(tree, "Male", tmp_path)
    assert [sha256(path) for path in sorted(again.iterdir())] == digests


def test_a_model_of_another_attribute_is_refused_and_nothing_written(
    exported: Path, tmp_path: Path
):
    with pytest.raises(SanError, match="holds a model of Male: add --attribute Male"):
        make_builtin(exported, "Young", tmp_path / "made")
    assert not (tmp_path / "made").exists()
