"""Commands that bring data sources into place, and the detector that finds faces in them."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sanmodel.cli.common import HERE, RAW, SHARE, Raw, Root, Share

app = typer.Typer()
dpm = typer.Typer(help="The deformable part model, the face detector of `san preprocess`.")
app.add_typer(dpm, name="dpm")


@app.command()
def sources(
    name: Annotated[str, typer.Argument(help="Show everything about one source.")] = "",
    root: Root = HERE,
) -> None:
    """Show the data sources with licence and citation, and which files of one go where."""
    from sanmodel.download.catalogue import show_source, show_sources

    console = Console(highlight=False)
    if name:
        show_source(name, root, console)
    else:
        show_sources(console)


@app.command()
def download(
    source: Annotated[str, typer.Argument(help="A data source; `san sources` lists them.")],
    to: Annotated[
        str, typer.Option(help="Folder of its files in the work tree; data/sources/<source>.")
    ] = "",
    mirror: Annotated[
        str, typer.Option(help="Base URL of a server that has the files under their names.")
    ] = "",
    variant: Annotated[
        str, typer.Option(help="Which variant, where a source has several (celeba: aligned, wild).")
    ] = "",
    root: Root = HERE,
) -> None:
    """Put a data source's files in place: download, or find, then check and extract them."""
    from sanmodel.download import download as put_in_place
    from sanmodel.progress import TerminalObserver
    from sanmodel.sources import SOURCES, default_folder

    entry, folder = SOURCES.get(source), to or default_folder(source)
    with TerminalObserver() as terminal:
        images, people = put_in_place(entry, root / folder, mirror, variant, observer=terminal)
    typer.echo(
        f"{source}: {images:,} images of {people:,} people in {root / folder};"
        f" for the pipeline set fetch.source to {source} and fetch.folder to {folder}"
    )


@dpm.command("train")
def train_dpm(
    out: Annotated[Path, typer.Option(help="File to write.", dir_okay=False)],
    raw: Raw = RAW,
    people_share: Share = SHARE,
    photos: Annotated[int, typer.Option(help="Photos to learn from at most.", min=1)] = 3000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = os.cpu_count() or 1,
) -> None:
    """Train a face detector on the photos of a raw table."""
    from sanmodel.detection.dpm.learning.training import Recipe
    from sanmodel.detection.dpm.teaching import teach
    from sanmodel.progress import TerminalObserver

    with TerminalObserver() as terminal:
        teach(raw, out, Recipe(), people_share, photos, workers, terminal)
