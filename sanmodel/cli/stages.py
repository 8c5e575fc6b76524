"""Commands of the pipeline: one per stage."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sanmodel.cli.common import HERE, Root, run_stage

app = typer.Typer()


@app.command()
def fetch(root: Root = HERE) -> None:
    """1. Turn a data source into one table of raw images."""
    run_stage("fetch", root)


@app.command()
def preprocess(root: Root = HERE) -> None:
    """2. Detect the faces, crop them to 224x224, decide the train/test split."""
    run_stage("preprocess", root)


@app.command()
def validate(root: Root = HERE) -> None:
    """3. Check all tables with Great Expectations; write a page for the owner of the data."""
    run_stage("validate", root)


@app.command()
def prototypes(root: Root = HERE) -> None:
    """4. Average the training images of each class."""
    run_stage("prototypes", root)


@app.command()
def train_classifier(root: Root = HERE) -> None:
    """5. Train the auxiliary attribute classifier."""
    run_stage("train_classifier", root)


@app.command()
def train_matcher(root: Root = HERE) -> None:
    """6. Convert VGG-Face, or train the face descriptor that stands in for it."""
    run_stage("train_matcher", root)


@app.command()
def pretrain(root: Root = HERE) -> None:
    """7. Pre-train the autoencoder to reconstruct faces (J_D)."""
    run_stage("pretrain", root)


@app.command()
def train(root: Root = HERE) -> None:
    """8. Train the autoencoder semi-adversarially (J_total)."""
    run_stage("train", root)


@app.command("crop-set")
def crop_set(
    name: Annotated[str, typer.Argument(help="Name of the set, a key of `sets` in params.yaml.")],
    root: Root = HERE,
) -> None:
    """Fetch and crop a further set of faces to evaluate on."""
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings
    from sanmodel.stages import crop_set as stage

    paths = Paths(root.resolve())
    with TerminalObserver() as terminal:
        stage.run(load_settings(paths.params), paths, name, terminal)


@app.command()
def seed(
    number: Annotated[int, typer.Argument(help="The seed.", min=0)],
    root: Root = HERE,
) -> None:
    """Repeat the last training with another seed, and evaluate it: how far do figures scatter?"""
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings
    from sanmodel.stages import seed as stage

    paths = Paths(root.resolve())
    with TerminalObserver() as terminal:
        stage.run(load_settings(paths.params), paths, number, terminal)


@app.command()
def evaluate(
    root: Root = HERE,
    export_images: Annotated[
        Path | None,
        typer.Option(
            help="Folder in the work tree: write the test images for a program that cannot run here"
            " into it, and stop.",
            file_okay=False,
        ),
    ] = None,
) -> None:
    """9. Measure protection and utility with classifiers and matchers that training never saw."""
    if export_images is None:
        run_stage("evaluate", root)
        return
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings
    from sanmodel.stages import evaluate as stage

    paths = Paths(root.resolve())
    folder = paths.root / export_images
    with TerminalObserver() as terminal:
        stage.export(load_settings(paths.params), paths, folder, terminal)
    typer.echo(f"{folder}: per set images, manifest.csv, pairs.csv (docs/evaluation.md)")


@app.command()
def export(
    root: Root = HERE,
    triton: Annotated[
        Path | None,
        typer.Option(
            help="Model repository of NVIDIA's Triton: add the model that is exported already to"
            " it, and stop.",
            file_okay=False,
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "bf16", "int8"], typer.Option(help="What Triton is to run.")
    ] = "fp32",
) -> None:
    """10. Write the ONNX files, the TensorRT engines and their manifest."""
    if triton is None:
        run_stage("export", root)
        return
    from sanmodel.export.triton import write_triton
    from sanmodel.paths import Paths

    made = write_triton(Paths(root.resolve()).export, triton, precision)
    typer.echo(f"{made}: tritonserver --model-repository {triton} runs it")
