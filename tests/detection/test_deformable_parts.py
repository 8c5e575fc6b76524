"""The detector that comes with the project, on photos that it never learned from."""

from pathlib import Path

import numpy as np
import pytest

from sanmodel.detection.crop import crop_square
from sanmodel.detection.deformable_parts import DeformablePartDetector
from sanmodel.detection.dlib_hog import DlibDetector
from sanmodel.detection.dpm import FACE_MODEL
from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.teaching import dlib_boxes
from sanmodel.detection.search import largest
from sanmodel.errors import SanError
from sanmodel.images import Picture, decode_rgb
from sanmodel.settings import PreprocessSettings

PHOTOS = sorted((Path(__file__).parents[2] / "data/sample/photos").glob("*.jpg"))[::25]


@pytest.fixture(scope="module")
def detector() -> DeformablePartDetector:
    return DeformablePartDetector(PreprocessSettings())


@pytest.fixture(scope="module")
def photos() -> list[Picture]:
    return [decode_rgb(path.read_bytes(), path.name) for path in PHOTOS]


def test_sample_faces_are_found_where_dlib_finds_them(
    detector: DeformablePartDetector, photos: list[Picture]
) -> None:
    overlaps = []
    for photo in photos:
        faces, (boxes, _) = detector.find(photo), dlib_boxes(photo)
        if faces and len(boxes):
            overlaps.append(float(overlap(faces[0].box, boxes[:1])[0]))
    assert len(overlaps) >= 0.9 * len(photos)
    assert np.median(overlaps) > 0.75


def test_the_crop_is_that_of_dlib_s_detector(
    detector: DeformablePartDetector, photos: list[Picture]
) -> None:
    settings, moves = PreprocessSettings(), []
    for photo in photos[::3]:
        found = [one.detect(photo) for one in (detector, DlibDetector(settings))]
        if all(found):
            ours, dlibs = (crop_square(largest(faces), settings) for faces in found)
            left, top = dlibs.left - ours.left, dlibs.top - ours.top
            grown = dlibs.side - ours.side
            moves.append(np.array([grown, left + grown / 2, top + grown / 2]) / ours.side)
    assert len(moves) > 0.25 * len(photos)
    assert (np.abs(np.median(moves, axis=0)) < (0.1, 0.03, 0.03)).all()
    assert np.abs(moves).max() < 0.3


def test_a_face_has_eight_parts_in_or_near_its_box(
    detector: DeformablePartDetector, photos: list[Picture]
) -> None:
    best = detector.find(photos[0])[0]
    centres = (best.parts[:, :2] + best.parts[:, 2:]) / 2
    reach = 0.35 * (best.box[2] - best.box[0])
    assert best.parts.shape == (8, 4)
    assert best.component in (0, 1, 2)
    assert (centres > best.box[:2] - reach).all()
    assert (centres < best.box[2:] + reach).all()


def test_a_mirror_shows_the_face_on_the_other_side(
    detector: DeformablePartDetector, photos: list[Picture]
) -> None:
    photo = photos[1]
    face = detector.detect(photo)[0]
    other = detector.detect(np.ascontiguousarray(photo[:, ::-1]))[0]
    width = photo.shape[1]
    assert abs((width - other.right) - face.left) < 0.1 * (face.right - face.left)


def test_a_face_cut_by_the_border_is_found(
    detector: DeformablePartDetector, photos: list[Picture]
) -> None:
    face = detector.detect(photos[0])[0]
    cut = round(face.left + 0.15 * (face.right - face.left))
    found = detector.detect(np.ascontiguousarray(photos[0][:, cut:]))
    assert found
    assert found[0].left < 0.1 * (face.right - face.left)


def test_nothing_is_found_in_plain_pictures(detector: DeformablePartDetector) -> None:
    grey = np.full((200, 300, 3), 120, np.uint8)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 200, axis=0).repeat(3, axis=2)
    assert detector.detect(grey) == []
    assert detector.detect(np.ascontiguousarray(ramp)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 8, 3), (3, 900, 3), (40, 33, 3)])
def test_a_photo_of_any_shape_is_searched(
    detector: DeformablePartDetector, shape: tuple[int, int, int]
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert len(detector.detect(photo)) <= 1


def test_a_small_share_of_a_large_photo_is_searched_when_asked(photos: list[Picture]) -> None:
    large = np.full((900, 900, 3), 128, np.uint8)
    height, width = photos[0].shape[:2]
    large[: height // 2 * 2 : 1, :width] = photos[0][: height // 2 * 2]
    face = DeformablePartDetector(PreprocessSettings()).detect(photos[0])[0]
    share = (face.right - face.left) / 900
    eager = DeformablePartDetector(PreprocessSettings(min_face=share * 0.9))
    lazy = DeformablePartDetector(PreprocessSettings(min_face=min(1, share * 3)))
    assert eager.detect(large)
    assert not lazy.detect(large)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(SanError, match=r"no\.safetensors is missing: set preprocess\.dpm_model"):
        DeformablePartDetector(PreprocessSettings(dpm_model="no.safetensors"))


def test_the_model_that_is_shipped_is_small() -> None:
    assert FACE_MODEL.stat().st_size < 1_000_000
    assert FACE_MODEL.with_name("face.md").is_file()
