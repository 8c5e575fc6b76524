"""Commands around a trained model: to use it, and to bring in others'."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sanmodel.cli.common import HERE, Root

app = typer.Typer()


@app.command()
def perturb(
    photos: Annotated[list[Path], typer.Argument(help="Image files, a face in each.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder for the faces, grey 224x224 PNG files.", file_okay=False
        ),
    ],
    has_attribute: Annotated[
        Literal["yes", "no"] | None,
        typer.Option(help="Whether they have the attribute; with Male: yes for men."),
    ] = None,
    mode: Annotated[
        Literal["same", "neutral", "opposite"],
        typer.Option(help="Prototype to perturb with; opposite hides best."),
    ] = "opposite",
    attribute: Annotated[str, typer.Option(help="The attribute to hide.")] = "Male",
    model: Annotated[
        Path | None,
        typer.Option(
            help="Export folder, or models/ of a work tree; the built-in model otherwise.",
            file_okay=False,
        ),
    ] = None,
    detector: Annotated[
        Literal["dpm", "dlib"] | None,
        typer.Option(help="What finds the faces; dpm if the pipeline is installed, else dlib."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Hide an attribute of the face in each photo, with an exported model or the built-in one."""
    from sanmodel.perturb import face_perturber, perturb_photos

    told = None if has_attribute is None else has_attribute == "yes"
    perturber, failed = face_perturber(attribute, told, mode, model, detector), False
    for outcome in perturb_photos(photos, out, perturber, force):
        text = outcome.message if outcome.written else f"error: {outcome.message}"
        typer.echo(text, err=not outcome.written)
        failed |= not outcome.written
    if failed:
        raise typer.Exit(1)


@app.command("make-builtin")
def make_builtin(
    source: Annotated[
        Path,
        typer.Option("--from", help="Export folder, or models/ of a work tree.", file_okay=False),
    ] = Path("models"),
    to: Annotated[Path, typer.Option(help="Folder to write to.", file_okay=False)] = Path(
        "sanmodel/builtin"
    ),
    attribute: Annotated[str, typer.Option(help="The attribute it hides.")] = "Male",
) -> None:
    """For maintainers: make an exported model the built-in one; shows its rows of the card."""
    from sanmodel.builtin.making import card_row
    from sanmodel.builtin.making import make_builtin as make

    for path in sorted(make(source, attribute, to).iterdir()):
        typer.echo(card_row(path))


@app.command("import-authors")
def import_authors(
    file: Annotated[Path, typer.Argument(help="conv-autoencoder-e20.pkl of their repository.")],
    out: Annotated[
        Path, typer.Option(help="Weights file to write in the work tree.", dir_okay=False)
    ] = Path("models/authors.safetensors"),
    root: Root = HERE,
) -> None:
    """Make the authors' released model ours; it expects prototypes aligned to each face."""
    from sanmodel.foreign.authors import import_authors as convert

    source = convert(file, root / out)
    typer.echo(f"{root / out}: the authors' autoencoder from {file}, SHA-256 {source}")
