"""Stage 1: a data source becomes one table of raw images."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.images import check_image
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.sources import SOURCES
from sanmodel.sources.checks import LISTED, NAMED, check_listing
from sanmodel.tables import RAW_COLUMNS, Row, TableWriter, require_attribute


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.raw``.

    Returns:
        Number of images and people, and the share of images that have the attribute.

    Raises:
        SanError: If the source is not as it should be or an image cannot be read; all bad images
            are found before the stage stops, and an earlier table stays as it was.
    """
    folder = paths.root / settings.fetch.folder
    listing = SOURCES.get(settings.fetch.source)(folder)
    attributes = [name for name in listing.columns if name not in LISTED]
    require_attribute(attributes, settings.attribute, folder)
    listing = _select_people(listing, settings.attribute, settings.fetch.people)
    check_listing(listing, folder)
    with (
        atomic_folder(paths.raw) as target,
        TableWriter(target, RAW_COLUMNS, attributes, settings.fetch.shard_rows) as writer,
    ):
        rows = _rows(listing, attributes, folder)
        for row in observed(rows, "fetch", len(listing), observer):
            writer.add(row)
    metrics: Metrics = {
        "images": len(listing),
        "people": int(listing["identity"].nunique()),
        "class_1_share": float((listing[settings.attribute] == 1).mean()),
    }
    write_json(paths.metrics("fetch"), metrics)
    return metrics


def _select_people(listing: pd.DataFrame, attribute: str, people: int | None) -> pd.DataFrame:
    """Keep the first ``people`` identities, half of each class (an identity's majority label)."""
    if people is None:
        return listing
    has_it = listing.groupby("identity")[attribute].mean() > 0
    kept = [has_it.index[has_it == label][: people // 2] for label in (False, True)]
    return listing[listing["identity"].isin(kept[0].union(kept[1]))].reset_index(drop=True)


def _rows(listing: pd.DataFrame, attributes: list[str], folder: Path) -> Iterator[Row]:
    """Yield the table's rows; complain about all unreadable images after the last one."""
    problems: list[str] = []
    for values in listing.itertuples(index=False, name=None):
        record = dict(zip(listing.columns, values, strict=True))
        content = (folder / record["source_path"]).read_bytes()
        try:
            check_image(content, str(folder / record["source_path"]))
        except SanError as error:
            problems.append(str(error))
            continue
        labels = {name: int(record[name] == 1) for name in attributes}
        partition = None if pd.isna(record["partition"]) else int(record["partition"])
        yield {**record, **labels, "partition": partition, "image": content}
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise SanError("; ".join(problems[:NAMED]) + more)
