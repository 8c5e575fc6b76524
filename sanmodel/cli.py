"""The console command ``san``: one subcommand per stage; commands hold no logic."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from sanmodel.errors import SanError

if TYPE_CHECKING:
    from sanmodel.observer import Observer

app = typer.Typer(
    name="san",
    help="Face images that keep the identity and hide an attribute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Root = Annotated[
    Path, typer.Option(help="Work tree: the folder of dvc.yaml and params.yaml.", file_okay=False)
]
HERE = Path()

benchmark = typer.Typer(help="Measure how well and how fast parts of the pipeline work.")
app.add_typer(benchmark, name="benchmark")
dpm = typer.Typer(help="The deformable part model, the face detector of `san preprocess`.")
app.add_typer(dpm, name="dpm")

Raw = Annotated[Path, typer.Option(help="Raw table, as `san fetch` writes it.", file_okay=False)]
Share = Annotated[
    float, typer.Option(help="Share of the people to learn from; the others judge.", min=0, max=1)
]
RAW, SHARE = Path("data/raw"), 0.6


def main() -> None:
    """Run the command line; a user's error is one sentence and exit status 1."""
    # Large pages for torch's large tensors, which are made anew at every step of a training: with
    # small ones a third of its time goes to the system. Read when torch is loaded.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        app()
    except SanError as error:
        _fail(str(error))
    except PermissionError as error:
        _fail(f"no permission for {error.filename}: change its mode or owner")


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {message}", markup=False)
    sys.exit(1)


@app.command()
def fetch(root: Root = HERE) -> None:
    """1. Turn a data source into one table of raw images."""
    _run_stage("fetch", root)


@app.command()
def preprocess(root: Root = HERE) -> None:
    """2. Detect the faces, crop them to 224x224, decide the train/test split."""
    _run_stage("preprocess", root)


@app.command()
def validate(root: Root = HERE) -> None:
    """3. Check all tables with Great Expectations; write a page for the owner of the data."""
    _run_stage("validate", root)


@app.command()
def prototypes(root: Root = HERE) -> None:
    """4. Average the training images of each class."""
    _run_stage("prototypes", root)


@app.command()
def train_classifier(root: Root = HERE) -> None:
    """5. Train the auxiliary attribute classifier."""
    _run_stage("train_classifier", root)


@app.command()
def train_matcher(root: Root = HERE) -> None:
    """6. Convert VGG-Face, or train the face descriptor that stands in for it."""
    _run_stage("train_matcher", root)


@app.command()
def pretrain(root: Root = HERE) -> None:
    """7. Pre-train the autoencoder to reconstruct faces (J_D)."""
    _run_stage("pretrain", root)


@app.command()
def train(root: Root = HERE) -> None:
    """8. Train the autoencoder semi-adversarially (J_total)."""
    _run_stage("train", root)


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
        _run_stage("evaluate", root)
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
def export(root: Root = HERE) -> None:
    """10. Write the ONNX file, the TensorRT engine and their manifest."""
    _run_stage("export", root)


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
        typer.Option(help="models/ of a work tree; the built-in model otherwise.", file_okay=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Hide an attribute of the face in each photo, with a model that is built in."""
    from sanmodel.perturb import face_perturber, perturb_photos

    told = None if has_attribute is None else has_attribute == "yes"
    perturber, failed = face_perturber(attribute, told, mode, model), False
    for outcome in perturb_photos(photos, out, perturber, force):
        text = outcome.message if outcome.written else f"error: {outcome.message}"
        typer.echo(text, err=not outcome.written)
        failed |= not outcome.written
    if failed:
        raise typer.Exit(1)


@app.command("make-builtin")
def make_builtin(
    trained: Annotated[
        Path, typer.Option("--from", help="models/ of a work tree.", file_okay=False)
    ] = Path("models"),
    to: Annotated[Path, typer.Option(help="Folder to write to.", file_okay=False)] = Path(
        "sanmodel/builtin"
    ),
    attribute: Annotated[str, typer.Option(help="The attribute it hides.")] = "Male",
) -> None:
    """For maintainers: make a trained model the built-in one; shows its rows of the model card."""
    from sanmodel.builtin.making import card_row
    from sanmodel.builtin.making import make_builtin as make
    from sanmodel.perturber import ModelFiles

    made = make(ModelFiles.trained(trained), attribute, to)
    for path in (made.autoencoder, made.prototypes):
        typer.echo(card_row(path))


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


@app.command()
def track(root: Root = HERE) -> None:
    """Record the last `dvc repro` in MLflow: one run, a child run per stage."""
    from sanmodel.tracking import file_pipeline, tracking_uri, without_password

    run_id = file_pipeline(root.resolve())
    typer.echo(f"MLflow run {run_id} at {without_password(tracking_uri(root.resolve()))}")


@app.command()
def register(root: Root = HERE) -> None:
    """Record the pipeline and register its model as the challenger in MLflow."""
    from sanmodel.paths import Paths
    from sanmodel.settings import load_settings
    from sanmodel.tracking import register as register_model

    name = f"san-{load_settings(Paths(root).params).attribute.lower()}"
    typer.echo(f"registered: {name}, version {register_model(root.resolve())}, alias challenger")


@app.command()
def results(root: Root = HERE) -> None:
    """Show the evaluation as a table, and where to look further."""
    from sanmodel.paths import Paths
    from sanmodel.results import show_results
    from sanmodel.settings import load_settings

    paths = Paths(root)
    show_results(load_settings(paths.params), paths, Console(highlight=False))


@app.command()
def compare(
    a: Annotated[
        str, typer.Argument(help="metrics.json of an evaluation, its folder, or a run of MLflow.")
    ],
    b: Annotated[str, typer.Argument(help="Another.")],
    root: Root = HERE,
) -> None:
    """Show two evaluations side by side, and which differences exceed their intervals."""
    from sanmodel.evaluation.comparison import read_metrics, show_comparison
    from sanmodel.tracking import evaluation_of

    def read(name: str) -> Mapping[str, Any]:
        if Path(name).exists() or len(Path(name).parts) > 1 or Path(name).suffix:
            return read_metrics(Path(name))
        with evaluation_of(name, root) as path:
            return read_metrics(path)

    console = Console(highlight=False, markup=False)
    show_comparison((a, read(a)), (b, read(b)), console)


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
    from sanmodel.detection.teaching import teach
    from sanmodel.progress import TerminalObserver

    with TerminalObserver() as terminal:
        teach(raw, out, Recipe(), people_share, photos, workers, terminal)


@benchmark.command("detection")
def benchmark_detection(
    raw: Raw = RAW,
    people_share: Share = SHARE,
    sheet: Annotated[
        Path | None, typer.Option(help="Contact sheet of the faces found, to judge by eye.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    root: Root = HERE,
) -> None:
    """Measure the face detector on people that it did not learn from, and its CPU time."""
    from sanmodel.benchmarks.detection import report
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings

    settings = load_settings(Paths(root).params).preprocess
    with TerminalObserver() as terminal:
        lines = report(root / raw, people_share, settings, sheet, out, terminal)
    typer.echo(lines)


@benchmark.command("preprocessing")
def benchmark_preprocessing(
    images: Annotated[int, typer.Option(min=4, help="Rows of the largest run.")] = 2000,
    photos: Annotated[
        Path | None, typer.Option(help="Photos to repeat; the embedded sample's otherwise.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=2, help="Worker processes; one per CPU otherwise.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures: JSON and CSV.")] = None,
    root: Root = HERE,
) -> None:
    """Memory of a worker and images per second of `san preprocess`, with params.yaml's detector."""
    from sanmodel.benchmarks import preprocessing
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings

    settings, folder = load_settings(Paths(root).params), photos or root / "data/sample/photos"
    with TerminalObserver() as terminal:
        figures = preprocessing.run_benchmark(settings, folder, images, workers, terminal)
    preprocessing.show(figures, Console(highlight=False, soft_wrap=True))
    if out:
        preprocessing.save(figures, out)


@benchmark.command("loading")
def benchmark_loading(
    crops: Annotated[int, typer.Option(min=2000, help="Made-up crops, 50 kB each.")] = 6000,
    folder: Annotated[
        Path | None, typer.Option(help="Existing folder on the disk to measure.", exists=True)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Crops per second that become batches, and how long a training step waits for them."""
    from sanmodel.benchmarks import loading

    _report(loading, lambda observer: loading.run_benchmark(crops, folder, observer), out)


@benchmark.command("training")
def benchmark_training(
    steps: Annotated[int, typer.Option(min=1, help="Timed steps of each kind.")] = 5,
    batch: Annotated[int, typer.Option(min=2, help="Images per step.")] = 8,
    accelerator: Annotated[Literal["cpu", "cuda"], typer.Option(help="Where.")] = "cpu",
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Ours with torch.compile, too (a C++ compiler).")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Images per second of the training step as the paper reads, and of ours."""
    from sanmodel.benchmarks import training

    def measure(observer: "Observer") -> dict[str, Any]:
        return training.run_benchmark(steps, batch, accelerator, observer, compiled)

    _report(training, measure, out)


@benchmark.command("evaluation")
def benchmark_evaluation(
    images: Annotated[int, typer.Option(min=2, help="Faces to evaluate.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    root: Root = HERE,
) -> None:
    """Time and memory of an evaluation with the built-in model, classifier and matcher."""
    from sanmodel.benchmarks import evaluation
    from sanmodel.paths import Paths

    paths = Paths(root.resolve())
    _report(evaluation, lambda observer: evaluation.run_benchmark(paths, images, observer), out)


@benchmark.command("tradeoff")
def benchmark_tradeoff(
    weight: Annotated[list[float], typer.Option(help="Weight of J_G; may be given again.", min=0)],
    start: Annotated[
        Path | None, typer.Option(help="Autoencoder to go on from.", dir_okay=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Chart of them: PNG, SVG or PDF.")] = None,
    beside: Annotated[
        list[Path] | None, typer.Option(help="JSON file of another run to draw with it.")
    ] = None,
    root: Root = HERE,
) -> None:
    """Train and evaluate with several weights of J_G: what is hidden against what it costs."""
    from sanmodel.benchmarks import tradeoff
    from sanmodel.files import read_json, write_json
    from sanmodel.paths import Paths
    from sanmodel.settings import load_settings

    paths = Paths(root)
    settings, figures = load_settings(paths.params), {}

    def measure(observer: "Observer") -> dict[str, Any]:
        for so_far in tradeoff.run_benchmark(settings, paths, weight, start, observer):
            figures.update(so_far)
            if out:
                write_json(out, figures)
        return figures

    _report(tradeoff, measure, out)
    if chart:
        others = {path.stem: read_json(path) for path in beside or []}
        tradeoff.draw({out.stem if out else "these": figures, **others}, chart)


def _report(module: Any, measure: Callable[["Observer"], dict[str, Any]], out: Path | None) -> None:
    """Measure with a progress bar, show the figures as a benchmark's module does, keep them."""
    from sanmodel.files import write_json
    from sanmodel.progress import TerminalObserver

    with TerminalObserver() as terminal:
        figures = measure(terminal)
    module.show(figures, Console(highlight=False, soft_wrap=True))
    if out:
        write_json(out, figures)


def _run_stage(stage: str, root: Path) -> None:
    """Run one stage with a progress bar; a training also reports to MLflow while it runs."""
    from sanmodel.files import writing_nothing
    from sanmodel.observer import Observers
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings
    from sanmodel.tracking import tracked
    from sanmodel.training.processes import is_first_process

    paths = Paths(root.resolve())
    settings = load_settings(paths.params)
    module = importlib.import_module(f"sanmodel.stages.{stage}")
    if not is_first_process():
        with writing_nothing():
            module.run(settings, paths)
        return
    try:
        with TerminalObserver() as terminal, tracked(stage, settings, paths, terminal) as live:
            module.run(settings, paths, Observers([terminal, live]))
    except KeyboardInterrupt:  # further up Typer would end without a word
        typer.echo("interrupted: the same command goes on from what is finished", err=True)
        raise typer.Exit(130) from None


if __name__ == "__main__":
    main()
