from pathlib import Path

import pytest
import torch
from small_models import saved_model

from sanmodel.builtin.making import make_builtin
from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.models.autoencoders import load_autoencoder, new_autoencoder
from sanmodel.models.weights import read_about
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.prototypes import Prototypes

A_1 = 0.4123
LANDMARKS = 223 * torch.rand(5, 2, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def trained(tmp_path: Path) -> ModelFiles:
    torch.manual_seed(0)
    prototypes = Prototypes(*torch.rand(2, 3, 224, 224), A_1, LANDMARKS)
    about = {"architecture": "skip", "align": "landmarks"}
    return saved_model(tmp_path / "models", new_autoencoder("skip"), prototypes, **about)


def test_the_weights_come_back_rounded_to_float16_and_no_further(
    trained: ModelFiles, tmp_path: Path
):
    made = make_builtin(trained, "Male", tmp_path / "made")
    assert made.autoencoder.name == "male.safetensors"
    assert made.autoencoder.stat().st_size < 0.51 * trained.autoencoder.stat().st_size
    before, after = (
        load_autoencoder(files.autoencoder, "Male", "landmarks").state_dict()
        for files in (trained, made)
    )
    for name, weight in before.items():
        assert torch.equal(after[name], weight.half().float())
    assert read_about(made.autoencoder) == read_about(trained.autoencoder)


def test_the_prototypes_come_back_with_all_that_belongs_to_them(
    trained: ModelFiles, tmp_path: Path
):
    made = make_builtin(trained, "Male", tmp_path / "made")
    before, after = (Prototypes.load(files.prototypes, "Male") for files in (trained, made))
    torch.testing.assert_close(after.P_0, before.P_0, rtol=0, atol=0.1 / 255)
    torch.testing.assert_close(after.P_1, before.P_1, rtol=0, atol=0.1 / 255)
    assert after.a_1 == pytest.approx(A_1)
    assert after.landmarks is not None
    assert torch.equal(after.landmarks, LANDMARKS)


def test_what_it_makes_of_a_face_is_the_same_to_a_grey_level(trained: ModelFiles, tmp_path: Path):
    made = make_builtin(trained, "Male", tmp_path / "made")
    faces = torch.randint(0, 256, (2, 224, 224), dtype=torch.uint8).numpy()
    landmarks = LANDMARKS.expand(2, 5, 2).numpy()
    before, after = (
        Perturber(files, "Male").outputs(faces, [0, 1], landmarks) for files in (trained, made)
    )
    for name, images in before.items():
        assert abs(images.astype(int) - after[name]).max() <= 1


def test_equal_models_are_equal_files(trained: ModelFiles, tmp_path: Path):
    first, second = (make_builtin(trained, "Male", tmp_path / name) for name in ("a", "b"))
    assert sha256(first.autoencoder) == sha256(second.autoencoder)
    assert sha256(first.prototypes) == sha256(second.prototypes)


def test_a_model_of_another_attribute_is_refused_and_nothing_written(
    trained: ModelFiles, tmp_path: Path
):
    with pytest.raises(SanError, match="attribute='Male', needed is 'Young'"):
        make_builtin(trained, "Young", tmp_path / "made")
    assert not (tmp_path / "made").exists()
