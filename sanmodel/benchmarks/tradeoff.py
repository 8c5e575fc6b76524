"""What protection costs (``san benchmark tradeoff``): the weight of J_G against both figures.

The same training, with one weight of J_G after the other, from the same pre-trained autoencoder and
against the same frozen networks. Each result is measured by the pipeline's own evaluation.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from sanmodel.files import atomic_file
from sanmodel.observer import SILENT, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.trials import run_trial


def run_benchmark(
    settings: Settings,
    paths: Paths,
    weights: Sequence[float],
    start: Path | None = None,
    observer: Observer = SILENT,
) -> Iterator[dict[str, Any]]:
    """Train and evaluate once for each weight, in work trees of their own; nothing else changes.

    A point takes minutes to hours, so the figures so far are there after each, and a training that
    was stopped goes on from its checkpoint.

    Args:
        settings: All settings; ``train.lambda_G`` is replaced.
        paths: The work tree with crops, prototypes, frozen networks and pre-trained autoencoder.
        weights: Values of lambda_G.
        start: An autoencoder to go on from, instead of the pre-trained one.
        observer: Hears about progress.

    Yields:
        For each weight so far the attribute error and true match rate of originals and X'_OP, PSNR
        and SSIM, as ``points``; the ``autoencoder`` and ``train`` section that they share.

    Raises:
        SanError: If an input is missing or damaged, a training diverges, or the test side is too
            small or of an attribute that no classifier reads.
    """
    shared = settings.train.model_dump(exclude={"lambda_G"})
    points: list[dict[str, float]] = []
    for weight in weights:
        points.append(_point(settings, paths, weight, start or paths.pretrained, observer))
        yield {"autoencoder": settings.autoencoder, "train": shared, "points": points}


def _point(
    settings: Settings, paths: Paths, weight: float, start: Path, observer: Observer
) -> dict[str, float]:
    """Train with one weight from a start, evaluate, and return the figures."""
    chosen = settings.train.model_copy(update={"lambda_G": weight})
    changed = settings.model_copy(update={"train": chosen})
    figures = run_trial(changed, paths, paths.of_weight(weight), start, observer)
    return {"lambda_G": weight, **figures}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    table = Table("weight of J_G", "error, OP", "true match rate, original", "OP", "PSNR", "SSIM")
    for point in figures["points"]:
        cells = [point[name] for name in ("error_OP", "rate_original", "rate_OP")]
        shares = [f"{100 * cell:.1f} %" for cell in cells]
        quality = f"{point['psnr']:.1f} dB", f"{point['ssim']:.3f}"
        table.add_row(f"{point['lambda_G']:g}", *shares, *quality)
    console.print(table)


def draw(curves: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw what is hidden against what is lost, a line for each set of figures.

    Args:
        curves: What :func:`run_benchmark` returned, by the name that the line gets.
        path: Picture to write; its ending names the format.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, figures in curves.items():
        points = figures["points"]
        lost = [100 * (point["rate_original"] - point["rate_OP"]) for point in points]
        hidden = [100 * point["error_OP"] for point in points]
        axes.plot(lost, hidden, marker="o", label=name)
        for point, x, y in zip(points, lost, hidden, strict=True):
            axes.annotate(f"{point['lambda_G']:g}", (x, y), (4, 4), textcoords="offset points")
    axes.set_xlabel("matches lost: fall of the true match rate, in points")
    axes.set_ylabel("attribute error of the opposite output, %")
    axes.legend()
    with atomic_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:])
