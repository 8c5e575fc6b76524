"""Downloads: puts the files of a registered source in place, checked and extracted."""

from pathlib import Path

from sanmodel.download.place import Place
from sanmodel.download.transfer import Patience
from sanmodel.errors import SanError
from sanmodel.files import full_disk_explained
from sanmodel.observer import SILENT, Observer
from sanmodel.sources import Item, Source
from sanmodel.sources.checks import check_listing

PATIENCE = Patience()


def download(
    source: Source,
    folder: Path,
    mirror: str = "",
    variant: str = "",
    patience: Patience = PATIENCE,
    observer: Observer = SILENT,
) -> tuple[int, int]:
    """Put a source's files in place; what is there already is only checked.

    Args:
        source: The source.
        folder: Where its files belong.
        mirror: Base URL that has the files under their names; empty asks their makers' servers.
        variant: Which of the source's variants; empty takes the usual one.
        patience: How long a download is tried.
        observer: Hears of the progress.

    Returns:
        Numbers of images and people that are there in the end.

    Raises:
        SanError: If a file cannot be had or is not what it should be, the message then says which
            file of which size goes where; or if the source does not list its images or not all.
    """
    items = items_of(source, variant)
    place = Place(folder, mirror, patience, observer)
    place.ask_for_missing(items)
    with full_disk_explained(folder):
        for item in items:
            place.put(item)
    listing = source.list_images(folder)
    check_listing(listing, folder)
    if source.images is not None and len(listing) != source.images:
        raise SanError(
            f"{folder} lists {len(listing):,} images, {source.title} has {source.images:,}: remove"
            " what does not belong to it and run the command again"
        )
    return len(listing), int(listing["identity"].nunique())


def items_of(source: Source, variant: str = "") -> tuple[Item, ...]:
    """Return what is put in place for a variant of a source.

    Raises:
        SanError: If there is no such variant; the message names those that there are.
    """
    if not variant:
        return source.items + next(iter(source.variants.values()), ())
    if variant not in source.variants:
        known = ", ".join(source.variants) or "none"
        raise SanError(f"{source.title} has no variant {variant!r}: choose one of {known}")
    return source.items + source.variants[variant]
