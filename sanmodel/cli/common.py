"""What several commands share."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[
    Path, typer.Option(help="Work tree: the folder of dvc.yaml and params.yaml.", file_okay=False)
]
HERE = Path()

Raw = Annotated[Path, typer.Option(help="Raw table, as `san fetch` writes it.", file_okay=False)]
Share = Annotated[
    float, typer.Option(help="Share of the people to learn from; the others judge.", min=0, max=1)
]
RAW, SHARE = Path("data/raw"), 0.6

Model = Annotated[
    Path | None,
    typer.Option(
        help="Export folder, or models/ of a work tree; the built-in model otherwise.",
        file_okay=False,
    ),
]


def model_folder(model: Path | None) -> Path:
    """Return the export folder that a user means; without one the built-in model's."""
    from sanmodel.builtin import ATTRIBUTES, builtin_model
    from sanmodel.exported import find_export

    return find_export(model) if model else builtin_model(ATTRIBUTES[0])


def run_stage(stage: str, root: Path) -> None:
    """Run one stage with a progress bar; a training also reports to MLflow while it runs."""
    from sanmodel.files import writing_nothing
    from sanmodel.observer import Observers
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.settings import load_settings
    from sanmodel.tracking import tracked
    from sanmodel.training.processes import is_first_process

    # First: in the base install there is no stage, whatever params.yaml says.
    module = importlib.import_module(f"sanmodel.stages.{stage}")
    paths = Paths(root.resolve())
    settings = load_settings(paths.params)
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
