"""Commands around a trained model: to use it, and to bring in others'."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sanmodel.cli.common import HERE, Model, Root, model_folder

app = typer.Typer()


@app.command()
def perturb(
    photos: Annotated[
        list[str],
        typer.Argument(help="Photos, folders, patterns, videos, or CSV files that list photos."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the results.", file_okay=False)
    ],
    attribute: Annotated[
        str,
        typer.Option(help="Class of the faces, male or female, yes or no; auto: it is read."),
    ] = "auto",
    mode: Annotated[
        str,
        typer.Option(help="same, neutral, opposite (hides best), or a number from 0 to 1."),
    ] = "opposite",
    write: Annotated[
        Literal["photo", "crops"],
        typer.Option(help="The photo with its faces put back, or grey 224x224 crops."),
    ] = "photo",
    model: Model = None,
    confidence: Annotated[
        float,
        typer.Option(help="A class that is less certain gets neutral only.", min=0.5, max=1),
    ] = 0.8,
    largest: Annotated[
        bool, typer.Option("--largest", help="Only the largest face of each photo.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Ask independent classifiers and matchers.")
    ] = False,
    detector: Annotated[
        Literal["dpm", "dlib", "none"] | None,
        typer.Option(help="What finds faces; dpm if the pipeline is installed, else dlib."),
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="One of `san runtimes`; the fastest otherwise.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, fp16, bf16 or int8; the fastest otherwise.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one for each core otherwise.", min=1)
    ] = None,
    keep_location: Annotated[
        bool, typer.Option("--keep-location", help="Keep where a photo was taken.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    replace_originals: Annotated[
        bool, typer.Option("--replace-originals", help="Let a result replace its own photo.")
    ] = False,
) -> None:
    """Hide an attribute of all faces in photos; a run that was interrupted goes on."""
    from sanmodel.cli.perturbing import perturb_all
    from sanmodel.photos.deciding import mode_of
    from sanmodel.photos.work import Order

    order = Order(
        model=model_folder(model),
        out=out,
        word=attribute,
        mode=mode_of(mode),
        least_confidence=confidence,
        kind=write,
        largest_only=largest,
        keep_location=keep_location,
        force=force,
        replace_originals=replace_originals,
        detector=detector,
        runtime=runtime,
        precision=precision,
    )
    if perturb_all(photos, order, workers, check):
        raise typer.Exit(1)


@app.command("runtimes")
def runtimes(
    model: Model = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure how fast each runs the model.")
    ] = False,
) -> None:
    """Show what can run a model here, and why the others cannot."""
    from sanmodel.cli.perturbing import runtime_lines

    for line in runtime_lines(model_folder(model), measure):
        typer.echo(line)


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
