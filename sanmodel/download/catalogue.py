"""What ``san sources`` shows: every source with its terms, and the files of one."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from sanmodel.download import drive
from sanmodel.download.verify import described
from sanmodel.sources import SOURCES, Archive, Item, Source, SourceFile, default_folder


def show_sources(console: Console) -> None:
    """Print a table of all sources."""
    table = Table(box=box.HORIZONTALS, show_lines=True)
    for column in ("source", "what it is", "terms", "citation", "how to get it"):
        table.add_column(column, overflow="fold")
    for name in SOURCES.names():
        source = SOURCES.get(name)
        got = how_to_get(name, source)
        table.add_row(name, source.title, source.terms, source.citation, got)
    console.print(table)
    console.print("`san sources NAME` says which file of which size goes where.")


def how_to_get(name: str, source: Source) -> str:
    """Say in a few words whether a source is downloaded or placed by hand."""
    if not source.items:
        return f"lies in {source.folder}" if source.folder else "place it by hand"
    by_hand = [file.name for file in _files(_all_items(source)) if not _downloadable(file)]
    return f"san download {name}" + (f"; {', '.join(by_hand)} by hand" if by_hand else "")


def show_source(name: str, root: Path, console: Console) -> None:
    """Print all that is known of one source.

    Raises:
        SanError: If there is no such source.
    """
    source = SOURCES.get(name)
    folder = root / default_folder(name)
    for title, text in (
        (source.title, ""),
        ("terms", source.terms),
        ("cite", source.citation),
        ("homepage", source.homepage),
        ("gives", source.columns),
        ("get it", how_to_get(name, source)),
    ):
        if title == source.title or text:
            console.print(f"{title}{': ' if text else ''}{text}", markup=False, soft_wrap=True)
    console.print(f"\nthe folder ({folder}, or what fetch.folder names):", markup=False)
    for line in source.layout:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    for variant, items in (("", source.items), *source.variants.items()):
        if items:
            _show_files(variant, items, folder, console)


def _show_files(variant: str, items: tuple[Item, ...], folder: Path, console: Console) -> None:
    """Print for every file what it is, where it is found and where it goes."""
    console.print(f"\nfiles{f' of --variant {variant}' if variant else ''}:")
    for item in items:
        for file in item.parts if isinstance(item, Archive) else (item,):
            rows = f", {file.rows:,} rows" if file.rows else ""
            console.print(f"  {described(file)}{rows}", markup=False, soft_wrap=True)
            console.print(f"    from {' or '.join(_places(file))}", markup=False, soft_wrap=True)
            console.print(f"    to   {folder / file.path}", markup=False, soft_wrap=True)
        if isinstance(item, Archive):
            count = f" ({item.images:,} images)" if item.images else ""
            console.print(f"  extracted to {folder / item.into}{count}", markup=False)


def _places(file: SourceFile) -> list[str]:
    places = [drive.page(file.drive_id)] if file.drive_id else []
    places += file.urls
    return places or [f"{file.page} (by hand)"]


def _downloadable(file: SourceFile) -> bool:
    return bool(file.drive_id or file.urls)


def _all_items(source: Source) -> tuple[Item, ...]:
    return source.items + sum(source.variants.values(), ())


def _files(items: tuple[Item, ...]) -> list[SourceFile]:
    """Return every file, those that are parts of archives too."""
    parts = (item.parts if isinstance(item, Archive) else (item,) for item in items)
    return [file for files in parts for file in files]
