"""Face crops of a few people of the embedded sample, and random textures as a crops table."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small import LANDMARK_COLUMNS

from sanmodel.detection.crop import box_in_crop, crop_square, cut
from sanmodel.detection.dlib_hog import DlibDetector
from sanmodel.images import decode_rgb, encode_png, to_grey
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import CROP_COLUMNS, TableWriter

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PEOPLE, PHOTOS = 6, 3


@dataclass(frozen=True)
class Faces:
    images: NDArray[np.uint8]
    boxes: NDArray[np.float64]


@pytest.fixture(scope="session")
def faces() -> Faces:
    """Grey crops of PEOPLE people, up to PHOTOS each."""
    settings = PreprocessSettings()
    detector = DlibDetector(settings)
    images, boxes = [], []
    for name in _names():
        photo = decode_rgb((SAMPLE / "photos" / name).read_bytes(), name)
        for face in detector.detect(photo)[:1]:
            square = crop_square(face, settings)
            images.append(to_grey(cut(photo, square)))
            boxes.append(box_in_crop(face, square))
    assert len(images) > PEOPLE
    return Faces(np.stack(images), np.array(boxes))


def _names() -> Iterator[str]:
    taken: Counter[str] = Counter()
    with (SAMPLE / "labels.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            person = row["identity"]
            if taken[person] < PHOTOS and (person in taken or len(taken) < PEOPLE):
                taken[person] += 1
                yield row["image"]


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Table of 3 people with 3 test images each and one training image; the last has Male = 0."""
    folder = tmp_path / "crops"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with TableWriter(folder, CROP_COLUMNS, ["Male"], shard_rows=4) as writer:
        for person in range(3):
            for photo in range(4):
                pixels = rng.integers(0, 256, (224, 224, 3), dtype=np.uint8)
                writer.add(
                    {
                        "image_id": f"{person}-{photo}",
                        "identity": f"person {person}",
                        "split": "test" if photo else "train",
                        "score": 1.0,
                        "crop_left": 0.0,
                        "crop_top": 0.0,
                        "crop_side": 224.0,
                        "face_left": 46.0,
                        "face_top": 59.0,
                        "face_right": 178.0,
                        "face_bottom": 191.0,
                        **LANDMARK_COLUMNS,
                        "image": encode_png(pixels),
                        "Male": int(person < 2),
                    }
                )
    return folder
