"""One photo: a crop, or a reason why not."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sanmodel.cropping.photo import crop_photo, perceptual_hash
from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.landmarks import find_landmarks
from sanmodel.errors import SanError
from sanmodel.images import Picture, decode_rgb, to_grey
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import LANDMARKS, Reason

PHOTOS = Path(__file__).parents[2] / "data/sample/photos"
SETTINGS = PreprocessSettings(detector="dlib")
BOX = ("box_left", "box_top", "box_right", "box_bottom")


class Found:
    """Finds the faces that it is told."""

    def __init__(self, *faces: Face) -> None:
        self._faces = list(faces)

    def detect(self, photo: Picture) -> list[Face]:
        return self._faces


class Broken:
    def detect(self, photo: Picture) -> list[Face]:
        raise ZeroDivisionError("no pyramid")


def photo(size: tuple[int, int] = (320, 240), kind: str = "PNG", **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def row(image: bytes | None, *box: float | None) -> dict[str, Any]:
    sides = box or (None,) * 4
    named = {"image_id": "17", "source_path": "photos/17.jpg", "image": image}
    return named | dict(zip(BOX, sides, strict=True))


def face(left: float, top: float, side: float) -> Face:
    return Face(left, top, left + side, top + side, 1.0)


LARGE, SMALL = face(10, 20, 100), face(200, 60, 60)


@pytest.mark.parametrize(
    ("image", "faces", "reason", "words"),
    [
        (b"", [LARGE], Reason.UNREADABLE, "photos/17.jpg is an empty file"),
        (None, [LARGE], Reason.UNREADABLE, "photos/17.jpg is an empty file"),
        (b"some text", [LARGE], Reason.UNREADABLE, "photos/17.jpg is not an image"),
        (photo()[:5000], [LARGE], Reason.UNREADABLE, "photos/17.jpg is damaged or cut short"),
        (photo((1, 1)), [LARGE], Reason.TOO_SMALL, "has only 1x1 pixels: 32 are the least"),
        (photo((500, 31)), [LARGE], Reason.TOO_SMALL, "has only 500x31 pixels"),
        (photo(), [], Reason.NO_FACE, "found no face in photos/17.jpg"),
        (photo(), [LARGE, face(200, 60, 95)], Reason.SEVERAL_FACES, "two largest of 2 faces"),
    ],
)
def test_a_photo_is_set_aside_with_a_reason(
    image: bytes | None, faces: list[Face], reason: Reason, words: str
):
    verdict = crop_photo(row(image), Found(*faces), SETTINGS)
    assert set(verdict) == {"reason", "detail"}
    assert verdict["reason"] == reason
    assert words in verdict["detail"]


def test_more_than_50_megapixels_are_set_aside():
    buffer = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(buffer, "PNG")
    verdict = crop_photo(row(buffer.getvalue()), Found(LARGE), SETTINGS)
    assert verdict["reason"] == Reason.TOO_LARGE
    assert "photos/17.jpg (10000x5001) is larger than 50 megapixels" in verdict["detail"]


HUGE = """
import io, sys
from pathlib import Path
from PIL import Image
from sanmodel.cropping.photo import crop_photo
from sanmodel.detection import DETECTORS
from sanmodel.settings import PreprocessSettings
mode, kind = sys.argv[1:]
exif = Image.Exif()
exif[0x0112] = 6
buffer = io.BytesIO()
Image.new(mode, (7071, 7071), 99).save(buffer, kind, exif=exif)
row = {"image_id": "1", "source_path": "1", "image": buffer.getvalue(), "box_left": None}
row |= {"box_top": None, "box_right": None, "box_bottom": None}
settings = PreprocessSettings(detector="none")
assert "image" in crop_photo(row, DETECTORS.get("none")(settings), settings)
# Not ru_maxrss, which begins with the size of the process that started this one.
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("RGBA", "PNG")])
def test_50_megapixels_that_are_cropped_whole_leave_room_in_a_worker(mode: str, kind: str):
    shown = subprocess.run(
        [sys.executable, "-c", HUGE, mode, kind], capture_output=True, text=True, check=True
    )
    assert int(shown.stdout) < 1250  # MiB; a worker may have 1500, and begins with 200 more


def side_of(verdict: dict[str, Any]) -> float:
    """Side of the face that was taken."""
    return float(verdict["crop_side"] / SETTINGS.crop_scale)


def test_of_several_faces_the_largest_is_taken():
    verdict = crop_photo(row(photo()), Found(SMALL, LARGE), SETTINGS)
    assert side_of(verdict) == pytest.approx(100)


def test_the_sources_box_decides_between_faces():
    boxed = row(photo(), 190, 50, 270, 130)
    assert side_of(crop_photo(boxed, Found(SMALL, LARGE), SETTINGS)) == pytest.approx(60)
    twins = Found(LARGE, face(200, 60, 98))
    assert side_of(crop_photo(boxed, twins, SETTINGS)) == pytest.approx(98)


def test_a_face_that_is_not_where_the_source_says_is_none():
    verdict = crop_photo(row(photo(), 190, 50, 270, 130), Found(LARGE), SETTINGS)
    assert verdict["reason"] == Reason.NO_FACE
    assert "where the source says that it is" in verdict["detail"]


def test_the_sources_box_is_one_of_the_stored_photo():
    exif = Image.Exif()
    exif[0x0112] = 6  # stored 320x240; to be seen turned clockwise, 240x320
    turned = photo(exif=exif)
    there = face(140, 60, 60)
    stored = (60, 240 - 200, 120, 240 - 140)
    verdict = crop_photo(row(turned, *stored), Found(face(10, 150, 120), there), SETTINGS)
    assert side_of(verdict) == pytest.approx(60)


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (30, 20, None, 40)])
def test_half_a_box_is_none(box: tuple[float | None, ...]):
    verdict = crop_photo(row(photo(), *box), Found(SMALL, LARGE), SETTINGS)
    assert side_of(verdict) == pytest.approx(100)


def test_a_face_at_the_border_is_cropped_with_repeated_edges():
    pixels = np.full((200, 200, 3), 80, dtype=np.uint8)
    pixels[:, 0] = 220  # the left edge
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    verdict = crop_photo(row(buffer.getvalue()), Found(face(-30, 60, 100)), SETTINGS)
    crop = decode_rgb(verdict["image"], "x")
    beyond = round(-verdict["crop_left"] * 224 / verdict["crop_side"])
    assert beyond > 60
    assert (crop[:, : beyond - 3] == 220).all()
    assert (crop[:, beyond + 8 :] == 80).all()
    assert verdict["face_left"] >= 0  # in pixels of the crop


def test_a_failing_detector_is_said_with_the_photo():
    with pytest.raises(SanError, match=r"failed at photos/17.jpg \(17\): ZeroDivisionError: no py"):
        crop_photo(row(photo()), Broken(), SETTINGS)


def test_a_face_of_the_sample_is_cropped():
    detector = DETECTORS.get("dlib")(SETTINGS)
    verdict = crop_photo(row((PHOTOS / "000000.jpg").read_bytes()), detector, SETTINGS)
    assert decode_rgb(verdict["image"], "x").shape == (224, 224, 3)
    assert verdict["face_right"] - verdict["face_left"] == pytest.approx(224 / 1.7, rel=1e-3)
    assert len(verdict["picture"]) == 32


def test_landmarks_are_those_of_the_grey_crop():
    detector = DETECTORS.get("dlib")(SETTINGS)
    verdict = crop_photo(row((PHOTOS / "000000.jpg").read_bytes()), detector, SETTINGS)
    grey = to_grey(decode_rgb(verdict["image"], "x"))
    box = [verdict[f"face_{side}"] for side in ("left", "top", "right", "bottom")]
    found = [verdict[name] for name in LANDMARKS]
    assert found == find_landmarks(grey, box).ravel().tolist()


def distance(one: Picture, other: Picture) -> int:
    return ((perceptual_hash(one) ^ perceptual_hash(other)) & (2**64 - 1)).bit_count()


def test_the_hash_of_a_picture_survives_compression_and_light():
    settings = PreprocessSettings(detector="none")
    detector = DETECTORS.get("none")(settings)
    names = ("000000.jpg", "000123.jpg", "000456.jpg")
    crops = [
        decode_rgb(crop_photo(row((PHOTOS / n).read_bytes()), detector, settings)["image"], n)
        for n in names
    ]
    for crop in crops:
        buffer = io.BytesIO()
        Image.fromarray(crop).resize((150, 150)).save(buffer, "JPEG", quality=30)
        again = Image.open(buffer).resize((224, 224))
        assert distance(crop, np.asarray(again)) <= 6
        assert distance(crop, (crop * 0.8).astype(np.uint8)) <= 4
    assert min(distance(crops[i], crops[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 10
