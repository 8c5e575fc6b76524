"""Commands that measure how well and how fast parts of the pipeline work."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from sanmodel.cli.common import HERE, RAW, SHARE, Model, Raw, Root, Share, model_folder

if TYPE_CHECKING:
    from sanmodel.observer import Observer

app = typer.Typer()
benchmark = typer.Typer(help="Measure how well and how fast parts of the pipeline work.")
app.add_typer(benchmark, name="benchmark")


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


@benchmark.command("inference")
def benchmark_inference(
    model: Annotated[
        Path | None,
        typer.Option(help="Export folder with weights; fresh ones otherwise.", file_okay=False),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each.")] = 2,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Every runtime and precision that works here, beside the literal PyTorch graph."""
    from sanmodel.benchmarks import inference

    show_figures(inference, lambda seen: inference.run_benchmark(model, rounds, threads, seen), out)


@benchmark.command("serving")
def benchmark_serving(
    model: Model = None,
    seconds: Annotated[int, typer.Option(min=1, help="How long the load lasts.")] = 60,
    clients: Annotated[int, typer.Option(min=1, help="How many send without a pause.")] = 8,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    root: Root = HERE,
) -> None:
    """Requests per second of `san serve` under full load, its memory, and its stop under load."""
    from sanmodel.benchmarks import serving

    folder, photos = model_folder(model), root / "data/sample/photos"
    show_figures(
        serving, lambda seen: serving.run_benchmark(folder, photos, seconds, clients, seen), out
    )


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

    show_figures(loading, lambda observer: loading.run_benchmark(crops, folder, observer), out)


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

    show_figures(training, measure, out)


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
    show_figures(
        evaluation, lambda observer: evaluation.run_benchmark(paths, images, observer), out
    )


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

    show_figures(tradeoff, measure, out)
    if chart:
        others = {path.stem: read_json(path) for path in beside or []}
        tradeoff.draw({out.stem if out else "these": figures, **others}, chart)


def show_figures(
    module: Any, measure: Callable[["Observer"], dict[str, Any]], out: Path | None
) -> None:
    """Measure with a progress bar, show the figures as a benchmark's module does, keep them."""
    from sanmodel.files import write_json
    from sanmodel.progress import TerminalObserver

    with TerminalObserver() as terminal:
        figures = measure(terminal)
    module.show(figures, Console(highlight=False, soft_wrap=True))
    if out:
        write_json(out, figures)
