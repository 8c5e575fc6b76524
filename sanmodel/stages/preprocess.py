"""Stage 2: detect the face, crop it to 224x224, decide the split."""

from collections import Counter

from sanmodel.cropping.photo import crop_photo
from sanmodel.detection import DETECTORS
from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.splitting import assign_split
from sanmodel.tables import (
    CROP_COLUMNS,
    QUARANTINE_COLUMNS,
    Reason,
    TableWriter,
    attributes,
    count_rows,
    iterate_rows,
    read_columns,
    require_attribute,
)


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
    seen: dict[bytes, str] = {}
    with (
        atomic_folder(paths.crops) as crops_folder,
        atomic_folder(paths.quarantine) as quarantine_folder,
        TableWriter(crops_folder, CROP_COLUMNS, names, rows) as crops,
        TableWriter(quarantine_folder, QUARANTINE_COLUMNS) as quarantine,
    ):
        total = count_rows(paths.raw)
        for row in observed(iterate_rows(paths.raw), "preprocess", total, observer):
            crop = crop_photo(row, detector, settings.preprocess)
            first = seen.setdefault(crop.get("picture", b""), row["source_path"])
            if "reason" not in crop and first != row["source_path"]:
                crop = {"reason": Reason.DUPLICATE, "detail": f"shows the same picture as {first}"}
            counts[crop.get("reason", "")] += 1
            if "reason" in crop:
                quarantine.add({**row, **crop})
            else:
                crops.add({**row, **crop, "split": side[row["image_id"]]})
        if counts[Reason.NO_FACE] == total:
            raise SanError(
                f"no face was found in any of the {total} images: if they are face crops already,"
                " set preprocess.detector to none"
            )
    return _write_metrics(counts, paths)


def _write_metrics(counts: Counter[str], paths: Paths) -> Metrics:
    images, crops = counts.total(), counts[""]
    metrics: Metrics = {
        "images": images,
        "crops": crops,
        "quarantined": images - crops,
        "detection_rate": 1 - counts[Reason.NO_FACE] / images,
        **{reason.name.lower(): counts[reason] for reason in Reason},
    }
    write_json(paths.metrics("preprocess"), metrics)
    return metrics
