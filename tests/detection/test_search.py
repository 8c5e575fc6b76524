"""Which face is meant: size, the source's box, and boxes that turn with their photo."""

import io

import numpy as np
import pytest
from PIL import Image

from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.crop import crop_square
from sanmodel.detection.search import (
    MAX_SEARCHED,
    Box,
    find_faces,
    largest,
    nearest,
    of_equal_size,
    overlap,
    upright_box,
)
from sanmodel.images import Picture, decode_photo
from sanmodel.settings import PreprocessSettings


def face(left: float, top: float, side: float, score: float = 1.0) -> Face:
    return Face(left, top, left + side, top + side, score)


class Marks:
    """Finds the one rectangle that is brighter than its surroundings."""

    def detect(self, photo: Picture) -> list[Face]:
        self.searched = photo.shape
        rows, columns = np.nonzero(photo[..., 0] > 127)
        return [Face(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, 1.0)]


def test_overlap_is_intersection_over_union():
    assert overlap(face(0, 0, 10), Box(0, 0, 10, 10)) == 1
    assert overlap(face(0, 0, 10), Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert overlap(face(0, 0, 10), Box(10, 0, 20, 10)) == 0


def test_the_face_in_the_box_is_taken_though_another_one_is_larger():
    mother, child = face(0, 0, 100), face(150, 120, 40)
    assert nearest([mother, child], Box(140, 110, 200, 170)) is child
    assert nearest([mother, child], Box(0, 0, 210, 170)) is mother


def test_a_face_beside_the_box_is_another_persons():
    # It reaches into the box, but its centre lies outside.
    assert nearest([face(0, 0, 100)], Box(60, 0, 160, 100)) is None
    assert nearest([], Box(0, 0, 9, 9)) is None


def test_a_face_in_the_box_that_is_far_smaller_is_another_persons():
    head = Box(0, 0, 200, 200)
    assert nearest([face(100, 100, 70)], head) is not None  # 0.12 of the box
    assert nearest([face(100, 100, 60)], head) is None  # 0.09: somebody behind a shoulder


def test_faces_are_equal_from_four_fifths_of_the_area_on():
    assert of_equal_size([face(0, 0, 100), face(200, 0, 90)])  # 0.81
    assert not of_equal_size([face(0, 0, 100), face(200, 0, 89)])  # 0.79
    assert not of_equal_size([face(0, 0, 100)])
    assert not of_equal_size([])


def test_the_largest_does_not_depend_on_the_order():
    faces = [face(0, 0, 10), face(50, 0, 20, 0.3), face(90, 0, 20, 0.9)]
    assert largest(faces) is largest(faces[::-1]) is faces[2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_with_its_photo(orientation: int):
    stored = np.zeros((60, 80, 3), dtype=np.uint8)
    stored[10:30, 50:60] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG", exif=exif)
    photo = decode_photo(buffer.getvalue(), "x")
    height, width, _ = photo.pixels.shape
    (mark,) = Marks().detect(photo.pixels)
    box = upright_box(Box(50, 10, 60, 30), width, height, photo.orientation)
    assert box == Box(mark.left, mark.top, mark.right, mark.bottom)


def test_a_very_large_photo_is_searched_small_and_the_box_is_its_own():
    photo = np.zeros((3000, 4000, 3), dtype=np.uint8)
    photo[600:1200, 1500:2100] = 255
    marks = Marks()
    (found,) = find_faces(marks, photo)
    assert marks.searched[0] * marks.searched[1] <= MAX_SEARCHED * 1.01
    edges = (found.left, found.top, found.right, found.bottom)
    assert edges == pytest.approx((1500, 600, 2100, 1200), abs=3)


def test_an_ordinary_photo_is_searched_as_it_is():
    photo = np.zeros((300, 400, 3), dtype=np.uint8)
    photo[60:120, 150:210] = 255
    marks = Marks()
    find_faces(marks, photo)
    assert marks.searched == photo.shape


def test_no_detection_of_a_very_large_photo_keeps_its_square():
    settings = PreprocessSettings(detector="none")
    photo = np.zeros((2500, 4000, 3), dtype=np.uint8)
    (found,) = find_faces(DETECTORS.get("none")(settings), photo)
    square = crop_square(found, settings)
    assert (square.left, square.top, square.side) == pytest.approx((750, 0, 2500), abs=3)
