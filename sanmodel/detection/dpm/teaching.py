"""From a table of photos to a trained deformable part model (``san dpm train``).

Face boxes come from the table where its source has them, else from dlib's detector; how far a face
is turned, from dlib's five landmarks.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.learning.training import Recipe, TrainingPhoto, train
from sanmodel.detection.dpm.model import Mixture, save_mixture
from sanmodel.detection.landmarks import find_landmarks
from sanmodel.detection.search import Box, upright_box
from sanmodel.errors import SanError
from sanmodel.images import Photo, Picture, decode_photo
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.tables import iterate_rows, read_columns

CANDIDATE = -0.4
"""dlib's score from which a place counts as perhaps a face, and so never as a non-face."""
CERTAIN = 0.0
"""dlib's score from which a face is learned from."""
LEAST_FACES = 100
"""With fewer faces a model would learn the people, not what a face is."""

BOX_COLUMNS = ("box_left", "box_top", "box_right", "box_bottom")


def is_for_training(identity: str, share: float) -> bool:
    """Tell whether a person is learned from; the others are left to judge the detector by.

    Args:
        identity: Who.
        share: Of all people that are learned from, 0 to 1.
    """
    digest = hashlib.sha256(f"dpm:{identity}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def teach(
    raw: Path,
    out: Path,
    recipe: Recipe,
    share: float,
    most: int,
    workers: int,
    observer: Observer = SILENT,
) -> Mixture:
    """Train a model on the raw table at ``raw`` and write it to ``out``.

    Args:
        raw: Folder of the table, see :data:`sanmodel.tables.RAW_COLUMNS`.
        out: File to write.
        recipe: How to train.
        share: See :func:`is_for_training`.
        most: Photos to take at most, evenly from the table.
        workers: Processes.
        observer: Hears how far it is.

    Raises:
        SanError: If the table has too few faces.
    """
    with ProcessPoolExecutor(workers) as pool:
        photos = collect(raw, share, most, pool, observer)
        if len(photos) < LEAST_FACES:
            raise SanError(
                f"{raw} gives {len(photos)} faces to learn from: a detector needs {LEAST_FACES}"
                " at the very least, and some thousands to be good"
            )
        mixture = train(photos, recipe, pool, observer)
    save_mixture(mixture, out)
    return mixture


def collect(
    raw: Path, share: float, most: int, pool: Executor, observer: Observer = SILENT
) -> list[TrainingPhoto]:
    """Return the photos of the people to learn from that show a face, with its box and turn."""
    table = read_columns(raw, ["image_id", "identity"])
    ids = table["image_id"][[is_for_training(who, share) for who in table["identity"]]]
    chosen = set(ids.iloc[np.linspace(0, len(ids) - 1, min(len(ids), most)).astype(int)])
    # Only the photos that are taken are kept in memory.
    rows = [row for row in iterate_rows(raw) if row["image_id"] in chosen]
    found = pool.map(training_photo, rows, chunksize=16)
    return [photo for photo in observed(found, "face boxes", len(rows), observer) if photo]


def training_photo(row: dict[str, Any]) -> TrainingPhoto | None:
    """Find the faces of a raw row; nothing if there is none to learn from."""
    try:
        photo = decode_photo(row["image"], row["source_path"])
    except SanError:
        return None
    picture = photo.pixels
    boxes, scores = dlib_boxes(picture)
    own = own_box(row, photo)
    if own is not None:
        others = boxes[overlap(own, boxes) < 0.3] if len(boxes) else boxes
        boxes = np.concatenate([own[None], others])
    elif not len(boxes) or scores[0] < CERTAIN:
        return None
    return TrainingPhoto(row["image"], boxes, turn_of(picture, boxes[0]))


def own_box(row: dict[str, Any], photo: Photo) -> NDArray[np.float64] | None:
    """Return the source's box in pixels of the upright photo, if its centre lies in the photo."""
    if any(row.get(name) is None for name in BOX_COLUMNS):
        return None
    height, width = photo.pixels.shape[:2]
    stored = Box(*(float(row[name]) for name in BOX_COLUMNS))
    box = upright_box(stored, width, height, photo.orientation)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    inside = 0 <= x < width and 0 <= y < height and box.left < box.right and box.top < box.bottom
    return np.array([box.left, box.top, box.right, box.bottom]) if inside else None


def dlib_boxes(picture: Picture) -> tuple[NDArray[np.float64], Sequence[float]]:
    """Return dlib's faces, largest first, as (faces, 4), and their scores."""
    found, scores, _ = _detector().run(picture, 1, CANDIDATE)
    faces = sorted(zip(found, scores, strict=True), key=lambda face: -face[0].area())
    boxes = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box, _ in faces]
    return np.array(boxes, np.float64).reshape(-1, 4), [score for _, score in faces]


def turn_of(picture: Picture, box: NDArray[np.float64]) -> float:
    """Return how far the nose is off the middle of the eyes, in distances of the eyes.

    0 is frontal; positive is turned to the right of the picture.
    """
    points = find_landmarks(picture, box).astype(np.float64)
    first, second, nose = points[:2].mean(axis=0), points[2:4].mean(axis=0), points[4]
    axis = second - first
    along = (nose - (first + second) / 2) @ axis / max(float(axis @ axis), 1e-9)
    return float(along if axis[0] > 0 else -along)


@cache
def _detector() -> Any:
    return dlib.get_frontal_face_detector()
