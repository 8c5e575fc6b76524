"""The table that a pipeline run ends with, and where to look further."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from sanmodel.evaluation.measures import false_match_rate, true_match_rates
from sanmodel.files import read_json
from sanmodel.observer import Metrics
from sanmodel.paths import Paths
from sanmodel.settings import Settings

VARIANTS = ("original", "SM", "NT", "OP")
"""The paper's outputs: with the same-, neutral- and opposite-class prototype."""


def show_results(settings: Settings, paths: Paths, console: Console) -> None:
    """Print the evaluation as a table and the paths and commands to look further.

    Raises:
        SanError: If the pipeline has not been run.
    """
    metrics = read_json(paths.metrics("evaluate"))
    title = f"{settings.attribute}: {metrics['images']} test images of {metrics['people']} people"
    table = Table("", *VARIANTS, title=title, title_justify="left")
    for name, values in _rows(metrics):
        table.add_row(name, *values)
    console.print(table)
    for note in _notes(settings, paths, metrics):
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    for what, where in _further(settings.attribute, paths):
        console.print(f"  {what:<18} {where}", markup=False, soft_wrap=True)


def _notes(settings: Settings, paths: Paths, metrics: Metrics) -> Iterator[str]:
    """Yield what a reader of the table must know."""
    yield from metrics["gaps"]
    if settings.fetch.source == "sample":
        yield "synthetic faces show that the pipeline works; they say nothing about real ones"
    if not read_json(paths.metrics("train_matcher"))["vgg_face"]:
        yield "a compact network stood in for VGG-Face (train_matcher.vgg_face)"


def _rows(metrics: Metrics) -> Iterator[tuple[str, list[str]]]:
    for name, by_variant in metrics["classifiers"].items():
        yield f"attribute error ({name})", _percent(by_variant, "error_rate")
    for name, by_variant in metrics["matchers"].items():
        for key in true_match_rates({name: by_variant}):
            rate = f"{false_match_rate(key):.1%}"
            yield f"true match rate at {rate} FMR ({name})", _percent(by_variant, key)
    yield "PSNR, dB", _plain(metrics["quality"], "psnr", 1)
    yield "SSIM", _plain(metrics["quality"], "ssim", 3)


def _percent(by_variant: Metrics, key: str) -> list[str]:
    values = [by_variant[variant][key] for variant in VARIANTS]
    return ["-" if value is None else f"{value:.1%}" for value in values]


def _plain(by_variant: Metrics, key: str, digits: int) -> list[str]:
    values = [by_variant.get(variant, {}).get(key) for variant in VARIANTS]
    return ["-" if value is None else f"{value:.{digits}f}" for value in values]


def _further(attribute: str, paths: Paths) -> list[tuple[str, object]]:
    """Return what else there is to see, each with its path or command."""
    return [
        ("report", paths.evaluation / "index.html"),
        ("prototypes", paths.picture("prototypes")),
        ("data checks", paths.data_docs / "index.html"),
        ("deployable model", paths.export),
        ("curves", "dvc plots show"),
        ("runs and models", "make server"),
        ("hide it in a photo", "san perturb PHOTO -o hidden --model models (docs/inference.md)"),
        ("try it in a browser", "san serve --model models"),
        ("use the model", f"models:/san-{attribute.lower()}@challenger (README, Use the model)"),
        ("promote it", "san registry promote (docs/promotion.md)"),
        ("all commands", "san --help"),
    ]
