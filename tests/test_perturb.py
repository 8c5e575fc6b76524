import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image
from small import PROJECT
from small_models import exported_model, saved_model

from sanmodel.builtin import builtin_model
from sanmodel.cropping.photo import crop_photo
from sanmodel.detection import DETECTORS
from sanmodel.errors import SanError
from sanmodel.exported import ExportedModel
from sanmodel.images import Picture, decode_rgb, to_grey
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.perturb import (
    BASE_DETECTOR,
    PIPELINE,
    FacePerturber,
    Outcome,
    default_detector,
    face_perturber,
    perturb_photos,
)
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import MODES
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import landmarks_of

PHOTO = PROJECT / "data/sample/photos/000000.jpg"
OTHER = PROJECT / "data/sample/photos/000100.jpg"
SAN = Path(sys.executable).parent / "san"
NARROW = PreprocessSettings(crop_scale=1.5, shift_up=0.05)


@pytest.fixture(scope="module")
def opposite() -> FacePerturber:
    return face_perturber("Male", True, "opposite")


@dataclass(frozen=True)
class Crop:
    grey: Picture
    landmarks: NDArray[np.float32]

    def outputs(self, model: ExportedModel | Perturber, label: int) -> dict[str, Picture]:
        """What a model makes of it, by output."""
        made = model.outputs(np.stack([self.grey]), [label], self.landmarks[None])
        return {name: images[0] for name, images in made.items()}


def cropped(settings: PreprocessSettings = PIPELINE) -> Crop:
    """What the pipeline cuts out of PHOTO."""
    row = {"image_id": "0", "source_path": PHOTO.name, "image": PHOTO.read_bytes()}
    box = dict.fromkeys(("box_left", "box_top", "box_right", "box_bottom"))
    made = crop_photo({**row, **box}, DETECTORS.get(settings.detector)(settings), settings)
    return Crop(to_grey(decode_rgb(made["image"], "crop")), landmarks_of(made))


@pytest.fixture(scope="module")
def crop() -> Crop:
    return cropped()


def perturbed(photo: Path, folder: Path, perturber: FacePerturber) -> Picture:
    """Perturb one photo and read the file as it was written."""
    (outcome,) = perturb_photos([photo], folder, perturber)
    assert outcome.written
    with Image.open(folder / f"{photo.stem}-{perturber.mode}.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (224, 224))
        assert not image.info
        assert not image.getexif()
        return np.asarray(image)


def only(photos: list[Path], folder: Path, perturber: FacePerturber, force: bool = False) -> str:
    """What is wrong with the last of some photos."""
    *_, last = perturb_photos(photos, folder, perturber, force)
    assert not last.written
    return last.message


@pytest.mark.parametrize("has_attribute", [False, True])
def test_the_pipelines_crop_is_perturbed_as_the_mode_says(
    has_attribute: bool, crop: Crop, tmp_path: Path
):
    model = ExportedModel(builtin_model("Male"), "Male")
    expected = crop.outputs(model, int(has_attribute))
    found = [perturbed(PHOTO, tmp_path, face_perturber("Male", has_attribute, m)) for m in MODES]
    for image, output in zip(found, ("SM", "NT", "OP"), strict=True):
        np.testing.assert_array_equal(image, expected[output])
        assert (image != crop.grey).any()
    assert (found[0] != found[2]).any()


def test_a_photo_is_turned_upright_and_the_file_says_nothing_of_it(
    opposite: FacePerturber, tmp_path: Path
):
    lossless, turned = tmp_path / "lossless.png", tmp_path / "turned.png"
    with Image.open(PHOTO) as image:
        image.save(lossless)
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        exif[ExifTags.Base.Artist] = "somebody"
        image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    first, second = (perturbed(path, tmp_path / "out", opposite) for path in (lossless, turned))
    np.testing.assert_array_equal(first, second)


def test_of_several_faces_the_largest_is_taken_with_a_note(opposite: FacePerturber, tmp_path: Path):
    both = tmp_path / "both.png"
    with Image.open(PHOTO) as large, Image.open(OTHER) as small:
        half = small.resize((small.width // 2, small.height // 2))
        page = Image.new("RGB", (large.width + half.width, large.height), "grey")
        page.paste(half, (large.width, 0))
        page.paste(large)
        page.save(both)
    (outcome,) = perturb_photos([both], tmp_path, opposite)
    out = tmp_path / "both-opposite.png"
    assert outcome == Outcome(True, f"{out}: the largest of 2 faces in {both}")
    difference = np.asarray(Image.open(out)).astype(int) - perturbed(PHOTO, tmp_path, opposite)
    assert np.abs(difference).mean() < 8  # levels of HOG differ, so boxes by a few pixels


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(opposite: FacePerturber, tmp_path: Path):
    out = tmp_path / "000000-opposite.png"
    out.write_text("mine")
    message = only([PHOTO], tmp_path, opposite)
    assert message == f"{out} is there already: add --force to replace it"
    assert out.read_text() == "mine"
    (outcome,) = perturb_photos([PHOTO], tmp_path, opposite, force=True)
    assert outcome == Outcome(True, f"{out}: the face in {PHOTO}")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_photo_is_never_replaced_by_a_face(opposite: FacePerturber, tmp_path: Path):
    photo, other = tmp_path / "a.png", tmp_path / "a-opposite.png"
    for path in (photo, other):
        Image.open(PHOTO).save(path)
    kept = other.read_bytes()
    first, second = perturb_photos([photo, other], tmp_path, opposite, force=True)
    assert first.message == f"{other} is one of the photos: choose another folder for the faces"
    assert second.written
    assert other.read_bytes() == kept


@pytest.mark.parametrize("force", [False, True])
def test_of_two_photos_with_one_name_the_second_is_refused(
    force: bool, opposite: FacePerturber, tmp_path: Path
):
    twin = tmp_path / PHOTO.name
    twin.write_bytes(OTHER.read_bytes())
    message = only([PHOTO, twin], tmp_path / "out", opposite, force)
    assert message.endswith("000000-opposite.png: rename it")
    assert f"{twin} has the name of an earlier photo" in message


def test_a_photo_that_fails_says_why_and_does_not_stop_the_others(
    opposite: FacePerturber, tmp_path: Path
):
    blank, empty, text = (tmp_path / name for name in ("blank.png", "empty.jpg", "text.txt"))
    cut, tiny = tmp_path / "cut.jpg", tmp_path / "tiny.png"
    Image.new("RGB", (300, 200), "grey").save(blank)
    Image.new("RGB", (1, 1)).save(tiny)
    empty.touch()
    text.write_text("words")
    cut.write_bytes(PHOTO.read_bytes()[:3000])
    nowhere, through = tmp_path / "nowhere.jpg", text / "a.jpg"
    expected = {
        blank: f"no face was found in {blank}: give a photo with an upright face, at least 15%",
        tiny: f"no face was found in {tiny}: give a photo",
        empty: f"{empty} is an empty file: replace",
        text: f"{text} is not an image: replace",
        cut: f"{cut} is damaged or cut short",
        nowhere: f"{nowhere} is missing: check its name",
        tmp_path: f"{tmp_path} is a folder: name the photos in it",
        through: f"{through} cannot be read (Not a directory): check its place and permissions",
        PHOTO: f"{tmp_path / 'out/000000-opposite.png'}: the face in {PHOTO}",
    }
    outcomes = list(perturb_photos(expected, tmp_path / "out", opposite))
    assert [outcome.written for outcome in outcomes] == [False] * 8 + [True]
    for outcome, start in zip(outcomes, expected.values(), strict=True):
        assert outcome.message.startswith(start)
        assert "\n" not in outcome.message
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["000000-opposite.png"]


def test_a_face_that_cannot_be_written_does_not_stop_the_others(
    opposite: FacePerturber, tmp_path: Path
):
    long, out = tmp_path / f"{'a' * 240}.jpg", tmp_path / "out"
    long.write_bytes(PHOTO.read_bytes())
    first, second = perturb_photos([long, PHOTO], out, opposite)
    assert not first.written
    assert "cannot be written (File name too long): check its place" in first.message
    assert second.written
    assert [path.name for path in out.iterdir()] == ["000000-opposite.png"]
    below_a_file = only([PHOTO], long / "out", opposite)
    assert "cannot be written (Not a directory): check" in below_a_file


def test_a_link_that_leads_nowhere_is_kept_like_a_file(opposite: FacePerturber, tmp_path: Path):
    link = tmp_path / "000000-opposite.png"
    link.symlink_to("nowhere")
    assert (
        only([PHOTO], tmp_path, opposite) == f"{link} is there already: add --force to replace it"
    )
    assert link.is_symlink()


def test_the_class_must_be_told_and_the_mode_be_known():
    with pytest.raises(SanError, match="add --has-attribute yes if the faces have .* Male, or"):
        face_perturber("Male", None, "neutral")
    with pytest.raises(SanError, match="no mode 'other': choose one of same, neutral, opposite"):
        face_perturber("Male", True, "other")  # type: ignore[arg-type]
    with pytest.raises(SanError, match="no built-in model of 'Smiling', only of Male"):
        face_perturber("Smiling", True, "same")


@pytest.fixture(scope="module")
def smiling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``models`` of a work tree whose prototypes are laid over each face, cut more narrowly."""
    torch.manual_seed(0)
    models = tmp_path_factory.mktemp("tree") / "models"
    prototypes = Prototypes(*torch.rand(2, 3, 224, 224), 0.5, 223 * torch.rand(5, 2))
    network = new_autoencoder("paper")
    saved_model(models, network, prototypes, "Smiling", align="landmarks")
    exported_model(models / "export", network, prototypes, "Smiling", NARROW)
    return models


@pytest.mark.parametrize("name", ["", "export"])
def test_a_model_of_ones_own_is_given_its_crop_and_the_landmarks(
    name: str, smiling: Path, tmp_path: Path
):
    own = face_perturber("Smiling", True, "same", smiling / name)
    trained = Perturber(ModelFiles.trained(smiling), "Smiling")
    expected = cropped(NARROW).outputs(trained, 1)["SM"].astype(int)
    assert np.abs(expected - perturbed(PHOTO, tmp_path, own)).max() <= 1


def test_a_model_that_is_not_there_damaged_or_of_another_attribute_is_said(
    smiling: Path, tmp_path: Path
):
    with pytest.raises(SanError, match="holds a model of Smiling: add --attribute Smiling"):
        face_perturber("Male", True, "same", smiling)
    for nowhere in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SanError, match=f"{nowhere} holds no exported model: give an export f"):
            face_perturber("Male", True, "same", nowhere)
    copy = tmp_path / "copy"
    shutil.copytree(smiling / "export", copy)
    (copy / "san.onnx").write_bytes(b"damaged")
    with pytest.raises(SanError, match=r"SHA-256 differs\): copy the export folder again"):
        face_perturber("Smiling", True, "same", copy)


def test_another_detector_is_taken_where_it_is_asked_for(tmp_path: Path):
    assert default_detector() == PIPELINE.detector == "dpm"
    other = face_perturber("Male", True, "opposite", detector=BASE_DETECTOR)
    found = perturbed(PHOTO, tmp_path, other)
    crop = cropped(PreprocessSettings(detector="dlib"))
    expected = crop.outputs(ExportedModel(builtin_model("Male"), "Male"), 1)["OP"]
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(SanError, match="no face detector 'eyes': choose one of dlib, dpm, none"):
        face_perturber("Male", True, "opposite", detector="eyes")


def san(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command, environment = [SAN, "perturb", *arguments], {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


def test_the_command_tells_of_each_photo_and_fails_at_the_end(tmp_path: Path):
    (tmp_path / "words.txt").write_text("words")
    done = san("words.txt", PHOTO, "-o", "out", "--has-attribute", "no", folder=tmp_path)
    assert done.stderr == "error: words.txt is not an image: replace or remove the file\n"
    assert done.stdout == f"out/000000-opposite.png: the face in {PHOTO}\n"
    assert done.returncode == 1


def test_the_command_succeeds_and_takes_its_options(tmp_path: Path):
    options = ("--has-attribute", "yes", "--mode", "neutral", "--force")
    for _ in range(2):
        done = san(PHOTO, "--out", "out", *options, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/000000-neutral.png").is_file()


def test_the_command_asks_for_the_class_in_one_sentence(tmp_path: Path):
    failed = san(PHOTO, "-o", "out", folder=tmp_path)
    assert failed.returncode == 1
    assert "add --has-attribute yes if" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
