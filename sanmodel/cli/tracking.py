"""Commands that record what the pipeline did, and show it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sanmodel.cli.common import HERE, Root

app = typer.Typer()


@app.command()
def track(
    resume: Annotated[
        bool, typer.Option("--resume", help="Only deliver what waits since MLflow was away.")
    ] = False,
    root: Root = HERE,
) -> None:
    """Record the last `dvc repro` in MLflow: one run, a child run per stage."""
    from sanmodel.progress import TerminalObserver
    from sanmodel.tracking import file_pipeline, tracking_uri, without_password
    from sanmodel.tracking import resume as deliver

    place = without_password(tracking_uri(root.resolve()))
    if resume:
        with TerminalObserver() as terminal:
            count = deliver(root.resolve(), terminal)
        typer.echo(f"delivered {count} items to {place}" if count else "nothing waits")
        return
    typer.echo(f"MLflow run {file_pipeline(root.resolve())} at {place}")


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


@app.command()
def reproduce(
    uri: Annotated[str, typer.Argument(help="models:/san-male@champion, or models:/san-male/3.")],
    run: Annotated[bool, typer.Option("--run", help="Make it again; every stage anew.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="Folder to rebuild in; one in .san otherwise.")
    ] = None,
    root: Root = HERE,
) -> None:
    """Show what a registered version was made of: commit, parameters, data, packages."""
    from sanmodel.paths import Paths
    from sanmodel.progress import TerminalObserver
    from sanmodel.tracking import reproduce as again

    place = re.sub(r"\W+", "-", uri.removeprefix("models:/"))
    folder = (to or Paths(root.resolve()).scratch / "reproduce" / place).resolve() if run else None
    with TerminalObserver() as terminal:
        told = again(uri, root.resolve(), folder, terminal)
    typer.echo(told)


Database = Annotated[
    str,
    typer.Option(help="URI of MLflow's database; the work tree's, mlflow/mlflow.db, otherwise."),
]
Artifacts = Annotated[
    Path | None,
    typer.Option(help="Folder of its artifacts; mlflow/artifacts otherwise.", file_okay=False),
]
Archive = Annotated[Path, typer.Argument(help="The .tar file.", dir_okay=False)]


@app.command()
def backup(
    archive: Archive, database: Database = "", artifacts: Artifacts = None, root: Root = HERE
) -> None:
    """Write all that MLflow keeps, database and artifacts, to one file."""
    from sanmodel.tracking import backup as backups
    from sanmodel.tracking.location import kept_at

    place = backups.Place(*kept_at(root.resolve(), database, artifacts))
    typer.echo(f"{archive}: {backups.back_up(place, archive):,} bytes")


@app.command()
def restore(
    archive: Archive,
    database: Database = "",
    artifacts: Artifacts = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    root: Root = HERE,
) -> None:
    """Put MLflow's database and artifacts of a backup in place, while nobody writes."""
    from sanmodel.tracking import backup as backups
    from sanmodel.tracking.location import kept_at

    place = backups.Place(*kept_at(root.resolve(), database, artifacts))
    backups.restore(archive, place, force)
    typer.echo(f"restored {place.artifacts} and its database from {archive}")
