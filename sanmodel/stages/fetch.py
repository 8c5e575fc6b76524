"""Stage 1: a data source becomes one table of raw images."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.sources import SOURCES, Source, default_folder
from sanmodel.sources.checks import BOX, attribute_names, check_listing
from sanmodel.tables import RAW_COLUMNS, Row, TableWriter, require_attribute


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.raw``.

    Returns:
        Number of images and people, and the share of images that have the attribute.

    Raises:
        SanError: If the source is not as it should be or a listed file is missing; an earlier
            table stays as it was. Whether a file is an image is for ``preprocess`` to find out.
    """
    source, folder = SOURCES.get(settings.fetch.source), paths.root / settings.fetch.folder
    if not folder.is_dir():
        raise SanError(
            f"{folder} is missing: set fetch.folder to where the files of {settings.fetch.source}"
            f" lie; {_how_to_get(settings.fetch.source, source)}"
        )
    listing = source.list_images(folder)
    attributes = attribute_names(listing)
    require_attribute(attributes, settings.attribute, folder)
    listing = _select_people(listing, settings.attribute, settings.fetch.people)
    check_listing(listing, folder)
    with (
        atomic_folder(paths.raw) as target,
        TableWriter(target, RAW_COLUMNS, attributes, settings.fetch.shard_rows) as writer,
    ):
        rows = _rows(listing, attributes, folder, source)
        for row in observed(rows, "fetch", len(listing), observer):
            writer.add(row)
    metrics: Metrics = {
        "images": len(listing),
        "people": int(listing["identity"].nunique()),
        "class_1_share": float((listing[settings.attribute] == 1).mean()),
    }
    write_json(paths.metrics("fetch"), metrics)
    return metrics


def _how_to_get(name: str, source: Source) -> str:
    if source.items:
        return f"`san download {name}` puts them into {default_folder(name)}"
    return f"`san sources {name}` says how they must look"


def _select_people(listing: pd.DataFrame, attribute: str, people: int | None) -> pd.DataFrame:
    """Keep the first ``people`` identities, half of each class (an identity's majority label)."""
    if people is None:
        return listing
    has_it = (listing[attribute] == 1).groupby(listing["identity"]).mean() > 0.5
    kept = [has_it.index[has_it == label][: people // 2] for label in (False, True)]
    return listing[listing["identity"].isin(kept[0].union(kept[1]))].reset_index(drop=True)


def _rows(
    listing: pd.DataFrame, attributes: list[str], folder: Path, source: Source
) -> Iterator[Row]:
    """Yield the table's rows; what a source leaves out of a column becomes null."""
    types = {"partition": "Int8", "occluded": "boolean", **dict.fromkeys(BOX, "float64")}
    typed = listing.astype({name: kind for name, kind in types.items() if name in listing})
    known = typed.astype(object).where(listing.notna(), None)
    for values in known.itertuples(index=False, name=None):
        record = dict(zip(listing.columns, values, strict=True))
        labels = {name: int(record[name] == 1) for name in attributes}
        yield {**record, **labels, "image": source.read(folder / record["source_path"])}
