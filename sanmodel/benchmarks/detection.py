"""How well and how fast the deformable part model finds faces (``san benchmark detection``).

Accuracy is measured on people that ``san dpm train`` did not learn from, against dlib's detector;
time beside dlib's in the same run, since machines differ and are shared.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from threadpoolctl import threadpool_limits

from sanmodel.detection import DETECTORS, Face
from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.teaching import CERTAIN, dlib_boxes, is_for_training
from sanmodel.detection.search import find_faces
from sanmodel.errors import SanError
from sanmodel.files import write_json
from sanmodel.images import Picture, decode_rgb
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.settings import PreprocessSettings
from sanmodel.tables import iterate_rows, read_columns

TEXTURES = (
    "brick", "grass", "gravel", "clock", "moon", "page", "text", "rocket", "coffee",
    "hubble_deep_field", "immunohistochemistry",
)  # fmt: skip
"""Pictures of scikit-image that come with it and show no face."""
LONGEST_SIDE = 500
"""To which photos are resized where time is measured."""
TIMED_PHOTOS = 200
MOST_CORNERS = 2000
THUMBNAIL = 150
SHEET_COLUMNS = 20


@dataclass(frozen=True)
class Judged:
    """What was found in one photo.

    Attributes:
        found: Number of faces.
        overlap: Of the largest one with dlib's largest; null if either is missing.
        off: The largest one overlaps with no face of dlib's, sure or unsure: to be looked at.
    """

    found: int
    overlap: float | None
    off: bool


def accuracy(
    raw: Path, share: float, settings: PreprocessSettings, sheet: Path | None, observer: Observer
) -> dict[str, Any]:
    """Search the photos of the people who were not learned from, and pictures without a face.

    Args:
        raw: The raw table.
        share: Of the people that was learned from.
        settings: Of the detector.
        sheet: Where to draw a contact sheet of the faces found, for a person to judge.
        observer: Hears how far it is.

    Returns:
        The figures.

    Raises:
        SanError: If the table holds no such photo.
    """
    detector = DETECTORS.get("dpm")(settings)
    judged, thumbnails, faceless = [], [], textures()
    people = read_columns(raw, ["identity"])["identity"]
    total = sum(not is_for_training(who, share) for who in people)
    every = -(-4 * total // MOST_CORNERS)
    for photo in _readable(observed(_held_out(raw, share), "detection", total, observer)):
        faces = sorted(find_faces(detector, photo), key=lambda face: -face.area)
        boxes, scores = dlib_boxes(photo)
        judged.append(_judge(faces, boxes, scores))
        if sheet:
            thumbnails.append(_thumbnail(photo, faces[0] if faces else None))
        # Not around the detector's own boxes: its false ones must count.
        faceless += corners(photo, [*boxes])[len(judged) % every :: every] if len(boxes) else []
    if not judged:
        raise SanError(f"{raw} holds no photo of people not learned from: lower --people-share")
    if sheet:
        draw_sheet(thumbnails, sheet)
    looked = observed(faceless, "pictures without a face", len(faceless), observer)
    false = sum(len(detector.detect(picture)) for picture in looked)
    return {**_figures(judged, len(faceless), false), "unreadable_photos": total - len(judged)}


def _readable(rows: Iterable[dict[str, Any]]) -> Iterator[Picture]:
    """Yield the photos of raw rows, without those that cannot be read."""
    for row in rows:
        try:
            photo = decode_rgb(row["image"], row["source_path"])
        except SanError:
            continue
        yield photo


def _held_out(raw: Path, share: float) -> Iterable[dict[str, Any]]:
    return (row for row in iterate_rows(raw) if not is_for_training(row["identity"], share))


def _judge(faces: Sequence[Face], boxes: NDArray[np.float64], scores: Sequence[float]) -> Judged:
    if not faces:
        return Judged(0, None, False)
    box = _as_box(faces[0])
    sure = len(boxes) and scores[0] >= CERTAIN
    share = float(overlap(box, boxes[:1])[0]) if sure else None
    off = not len(boxes) or bool(overlap(box, boxes).max() < 0.3)
    return Judged(len(faces), share, off)


def _as_box(face: Face) -> NDArray[np.float64]:
    return np.array([face.left, face.top, face.right, face.bottom])


def _figures(judged: Sequence[Judged], faceless: int, false: int) -> dict[str, Any]:
    overlaps = [one.overlap for one in judged if one.overlap is not None]
    photos = len(judged)
    return {
        "photos": photos,
        "photos_with_a_face_found": sum(one.found > 0 for one in judged) / photos,
        "photos_with_several_faces_found": sum(one.found > 1 for one in judged) / photos,
        "photos_to_look_at": sum(one.off for one in judged) / photos,
        "compared_with_dlib": len(overlaps),
        "median_overlap_with_dlib": float(np.median(overlaps)) if overlaps else None,
        "overlap_of_all_but_5_percent": float(np.quantile(overlaps, 0.05)) if overlaps else None,
        "pictures_without_a_face": faceless,
        "false_boxes_in_them": false,
    }


def corners(photo: Picture, faces: Sequence[NDArray[np.float64]]) -> list[Picture]:
    """Return the four corners of a photo, as large as they can be without touching a face.

    A face's surroundings, up to half its size, count as the face: hair and chin are no corner.
    """
    height, width = photo.shape[:2]
    pictures = []
    for right in (False, True):
        for low in (False, True):
            view = photo[:: -1 if low else 1, :: -1 if right else 1]
            side = min(height, width) // 2
            for left, top, end, bottom in faces:
                grow = 0.25 * (end - left)
                x = (width - end if right else left) - grow
                y = (height - bottom if low else top) - grow
                side = min(side, int(max(x, y)))
            if side >= 48:
                cut = view[:side, :side][:: -1 if low else 1, :: -1 if right else 1]
                pictures.append(np.ascontiguousarray(cut))
    return pictures


def textures() -> list[Picture]:
    """Return pictures of scikit-image that show no face, (height, width, 3)."""
    pictures = [np.asarray(getattr(skimage.data, name)()) for name in TEXTURES]
    return [
        np.asarray(Image.fromarray(picture).convert("RGB"), dtype=np.uint8) for picture in pictures
    ]


def _thumbnail(photo: Picture, face: Face | None) -> Image.Image:
    """Return a small picture of a photo with its face framed; dark where none was found."""
    image = Image.fromarray(photo if face else photo // 4)
    if face:
        width = max(2, image.width // 60)
        corners = (face.left, face.top, face.right, face.bottom)
        ImageDraw.Draw(image).rectangle(corners, outline=(0, 255, 0), width=width)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return image


def draw_sheet(thumbnails: Sequence[Image.Image], path: Path) -> None:
    """Paste thumbnails into one picture."""
    rows = -(-len(thumbnails) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (SHEET_COLUMNS * THUMBNAIL, rows * THUMBNAIL))
    for i, thumbnail in enumerate(thumbnails):
        sheet.paste(thumbnail, (i % SHEET_COLUMNS * THUMBNAIL, i // SHEET_COLUMNS * THUMBNAIL))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def cpu_seconds(
    photos: Iterable[Picture], settings: PreprocessSettings, observer: Observer = SILENT
) -> dict[str, float]:
    """Measure the CPU time per photo of each detector, one thread, turn by turn.

    dlib searches from 40 pixels of width on, ``dpm`` from ``min_face`` on.

    Args:
        photos: Each is resized to ``LONGEST_SIDE``.
        settings: Of the detectors.
        observer: Hears how far it is.

    Returns:
        CPU seconds per photo of each, and their ratio.
    """
    detectors = {name: DETECTORS.get(name)(settings) for name in ("dpm", "dlib")}
    spent = dict.fromkeys(detectors, 0.0)
    resized = [_resized(photo) for photo in photos]
    for detector in detectors.values():
        detector.detect(resized[0])  # compiles and loads
    with threadpool_limits(1):
        for photo in observed(resized, "CPU time", len(resized), observer):
            for name, detector in detectors.items():
                begin = time.process_time()
                detector.detect(photo)
                spent[name] += time.process_time() - begin
    times = {f"cpu_seconds_{name}": seconds / len(resized) for name, seconds in spent.items()}
    return {**times, "cpu_dpm_to_dlib": spent["dpm"] / spent["dlib"]}


def _resized(photo: Picture) -> Picture:
    image = Image.fromarray(photo)
    scale = LONGEST_SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return np.asarray(image.resize(size))


def _first_photos(raw: Path) -> list[Picture]:
    """Return the first ``TIMED_PHOTOS`` photos of a table that can be read."""
    return list(islice(_readable(iterate_rows(raw)), TIMED_PHOTOS))


def report(
    raw: Path,
    share: float,
    settings: PreprocessSettings,
    sheet: Path | None,
    out: Path | None,
    observer: Observer = SILENT,
) -> str:
    """Measure accuracy and time; write the figures to ``out`` and return them as lines of text."""
    figures = accuracy(raw, share, settings, sheet, observer)
    times = cpu_seconds(_first_photos(raw), settings, observer)
    figures |= times
    if out:
        write_json(out, figures)
    return "\n".join(f"{name:36} {_text(figure)}" for name, figure in figures.items())


def _text(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.4g}"
