"""Stage 2: detect the face, crop it to 224x224, decide the split."""

import hashlib
from collections import Counter
from typing import Any

from sanmodel.detection import DETECTORS, Detector, Face
from sanmodel.detection.crop import box_in_crop, crop_square, cut
from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.images import decode_rgb, encode_png
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import PreprocessSettings, Settings
from sanmodel.splitting import assign_split
from sanmodel.tables import (
    CROP_COLUMNS,
    QUARANTINE_COLUMNS,
    TableWriter,
    attributes,
    count_rows,
    iterate_rows,
    read_columns,
    require_attribute,
)

NO_FACE = "no face found"
SAME_PICTURE = "same picture as another image"


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.crops`` and ``paths.quarantine``.

    Returns:
        Numbers of raw images, crops and quarantined images by reason, and the detection rate.

    Raises:
        SanError: If no image shows a face, an image cannot be read, or the split is impossible.
    """
    names = attributes(paths.raw)
    require_attribute(names, settings.attribute, paths.raw)
    images = read_columns(paths.raw)
    split = assign_split(images, settings.attribute, settings.preprocess, settings.seed)
    side = dict(zip(images["image_id"], split, strict=True))
    detector = DETECTORS.get(settings.preprocess.detector)(settings.preprocess)
    counts, rows = Counter[str](), settings.preprocess.shard_rows
    seen: set[bytes] = set()
    with (
        atomic_folder(paths.crops) as crops_folder,
        atomic_folder(paths.quarantine) as quarantine_folder,
        TableWriter(crops_folder, CROP_COLUMNS, names, rows) as crops,
        TableWriter(quarantine_folder, QUARANTINE_COLUMNS) as quarantine,
    ):
        total = count_rows(paths.raw)
        for row in observed(iterate_rows(paths.raw), "preprocess", total, observer):
            crop = _crop(row, detector, settings.preprocess)
            reason = _reason_against(crop, seen)
            counts[reason] += 1
            if reason:
                quarantine.add({**row, "reason": reason})
            else:
                crops.add({**row, **crop, "split": side[row["image_id"]]})
        if counts[NO_FACE] == total:
            raise SanError(
                f"no face was found in any of the {total} images: if they are face crops already,"
                " set preprocess.detector to none"
            )
    return _write_metrics(counts, paths)


def _reason_against(crop: dict[str, Any], seen: set[bytes]) -> str:
    """Return why an image is set aside, or nothing; remember its picture.

    A picture that comes twice, perhaps under two names, would stand on both sides of the split or
    be an easy genuine pair of itself.
    """
    if not crop:
        return NO_FACE
    digest = hashlib.sha256(crop["image"]).digest()
    if digest in seen:
        return SAME_PICTURE
    seen.add(digest)
    return ""


def _crop(row: dict[str, Any], detector: Detector, settings: PreprocessSettings) -> dict[str, Any]:
    """Return the columns that the crops table adds to a raw row; none without a face."""
    photo = decode_rgb(row["image"], row["source_path"])
    # Several faces: the largest is the person that the photo is of.
    face = max(detector.detect(photo), key=lambda found: found.area, default=None)
    if face is None:
        return {}
    square = crop_square(face, settings)
    return {
        **_geometry(face, settings),
        "score": face.score,
        "image": encode_png(cut(photo, square)),
    }


def _geometry(face: Face, settings: PreprocessSettings) -> dict[str, float]:
    """Return where the crop lies in the photo and the face in the crop."""
    square = crop_square(face, settings)
    left, top, right, bottom = box_in_crop(face, square)
    return {
        "crop_left": square.left,
        "crop_top": square.top,
        "crop_side": square.side,
        "face_left": left,
        "face_top": top,
        "face_right": right,
        "face_bottom": bottom,
    }


def _write_metrics(counts: Counter[str], paths: Paths) -> Metrics:
    images, crops = counts.total(), counts[""]
    metrics: Metrics = {
        "images": images,
        "crops": crops,
        "quarantined": images - crops,
        "no_face": counts[NO_FACE],
        "same_picture": counts[SAME_PICTURE],
        "detection_rate": 1 - counts[NO_FACE] / images,
    }
    write_json(paths.metrics("preprocess"), metrics)
    return metrics
