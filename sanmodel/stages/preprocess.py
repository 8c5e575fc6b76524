"""Stage 2: detect the face, crop it to 224x224, decide the split."""

import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
from distributed import Client

from sanmodel.cropping.shards import CropShard
from sanmodel.cropping.tables import Part, WritePart, plan_parts, read_verdicts, write_quarantine
from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, sha256, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.parallel.cluster import connected
from sanmodel.parallel.shards import finish_shards, plan_shards, run_tasks
from sanmodel.paths import Paths
from sanmodel.settings import PreprocessSettings, Settings
from sanmodel.splitting import assign_split
from sanmodel.tables import (
    Reason,
    attributes,
    count_rows,
    read_columns,
    require_attribute,
    row_groups,
)

AFTERWARDS = {"split", "test_share", "shard_rows"}
"""Settings that the crop of a photo does not depend on."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.crops`` and ``paths.quarantine``: every raw row is in one of them.

    The work is done by shards (:mod:`sanmodel.parallel`). Those that are finished lie in the
    scratch folder until the stage ends; one that was killed goes on from there.

    Returns:
        Numbers of raw images, crops and quarantined images by reason, and the detection rate: the
        share of the photos that could be searched in which a face was found.

    Raises:
        SanError: If no image gives a crop, the detector fails, or the split is impossible.
    """
    names = attributes(paths.raw)
    require_attribute(names, settings.attribute, paths.raw)
    images = read_columns(paths.raw, ["image_id", "identity", "partition", settings.attribute])
    split = assign_split(images, settings.attribute, settings.preprocess, settings.seed)
    scratch = paths.scratch.resolve() / "preprocess"
    with connected(settings.workers, len(row_groups(paths.raw))) as client:
        files = _make_shards(client, settings, paths, scratch, observer)
        verdicts = read_verdicts(files)
        _require_crops(verdicts)
        with (
            atomic_folder(paths.crops) as crops,
            atomic_folder(paths.quarantine) as quarantine,
        ):
            rows = settings.preprocess.shard_rows
            parts = plan_parts(verdicts, split, files, crops.resolve(), rows)
            _write_crops(client, parts, names, observer)
            for stray in crops.glob(".*"):  # of a worker that was killed while it wrote
                stray.unlink()
            write_quarantine(verdicts, quarantine)
            _require_all_rows(len(images), crops, quarantine)
    shutil.rmtree(scratch)
    return _write_metrics(verdicts, paths)


def _make_shards(
    client: Client, settings: Settings, paths: Paths, scratch: Path, observer: Observer
) -> list[Path]:
    """Crop all photos; return the shards' files in the order of the raw table."""
    scratch.mkdir(parents=True, exist_ok=True)
    cropping, model = _with_model(settings.preprocess, paths)
    relevant = cropping.model_dump_json(exclude=AFTERWARDS)
    shards = plan_shards(client, paths.raw.resolve(), f"{relevant} {model}", scratch)
    work = CropShard(cropping, tuple(attributes(paths.raw)))
    finish_shards(client, work, shards, "preprocess", observer)
    return [shard.result for shard in shards]


def _with_model(settings: PreprocessSettings, paths: Paths) -> tuple[PreprocessSettings, str]:
    """Return the settings with the place of a model as workers find it, and its SHA-256."""
    if settings.dpm_model is None:
        return settings, ""
    path = (paths.root / settings.dpm_model).resolve()
    if not path.is_file():
        raise SanError(f"{path} is missing: set preprocess.dpm_model to a model's file")
    return settings.model_copy(update={"dpm_model": str(path)}), sha256(path)


def _write_crops(client: Client, parts: list[Part], names: list[str], observer: Observer) -> None:
    """Copy the crops that stay from the shards to their table."""
    observer.start("write crops", sum(len(part.split) for part in parts))
    for _, rows in run_tasks(client, WritePart(tuple(names)), parts):
        observer.advance(rows)


def _require_crops(verdicts: pd.DataFrame) -> None:
    if verdicts["reason"].isna().any():
        return
    counts = verdicts["reason"].value_counts()
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    raise SanError(
        f"none of the {len(verdicts)} images gives a crop ({reasons}; for example:"
        f" {verdicts['detail'].iloc[0]}); if they are face crops already, set preprocess.detector"
        " to none"
    )


def _require_all_rows(images: int, crops: Path, quarantine: Path) -> None:
    """Nothing is lost: rows in are rows out, as the written files say."""
    kept, aside = count_rows(crops), count_rows(quarantine)
    if kept + aside != images:
        raise RuntimeError(f"{images} raw rows became {kept} crops and {aside} rows in quarantine")


def _write_metrics(verdicts: pd.DataFrame, paths: Paths) -> Metrics:
    counts = Counter(verdicts["reason"].dropna())
    aside = counts.total()
    found = len(verdicts) - aside + counts[Reason.SEVERAL_FACES] + counts[Reason.DUPLICATE]
    metrics: Metrics = {
        "images": len(verdicts),
        "crops": len(verdicts) - aside,
        "quarantined": aside,
        "detection_rate": found / (found + counts[Reason.NO_FACE]),
        **{reason.name.lower(): counts[reason] for reason in Reason},
    }
    write_json(paths.metrics("preprocess"), metrics)
    return metrics
