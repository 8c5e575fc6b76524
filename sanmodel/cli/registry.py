"""Commands around the registered model: what there is, what is in use, and how that changes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sanmodel.cli.common import HERE, Root

app = typer.Typer()
registry = typer.Typer(help="The registered model: which version is in use, and how that changes.")
app.add_typer(registry, name="registry")

REFUSED = 3
"""Exit status when the gate refuses a version: an answer, not an error."""

Which = Annotated[str, typer.Argument(help="Number or alias of the version.")]


@registry.command("list")
def list_versions(root: Root = HERE) -> None:
    """Show all versions: aliases, commit, figures, and what the gate said."""
    from sanmodel.tracking import show_versions

    show_versions(root.resolve(), Console(highlight=False))


@registry.command("show")
def show_version(which: Which = "champion", root: Root = HERE) -> None:
    """Show a version's card, and whether its files are what the pipeline left."""
    from sanmodel.tracking import show_version as show

    show(root.resolve(), which, Console(highlight=False, markup=False, soft_wrap=True))


@registry.command()
def assess(root: Root = HERE) -> None:
    """Evaluate challenger and champion on the present test faces and networks; train nothing."""
    from sanmodel.progress import TerminalObserver
    from sanmodel.tracking import assess_registered

    with TerminalObserver() as terminal:
        text = assess_registered(root.resolve(), terminal)
    typer.echo(text)


@registry.command()
def gate(which: Which = "challenger", root: Root = HERE) -> None:
    """Judge a version by mlflow/promotion.yaml; exit status 3 if it is refused."""
    _answer(which, root, promote=False)


@registry.command()
def promote(which: Which = "challenger", root: Root = HERE) -> None:
    """Judge a version, and make it the champion if it is accepted; exit status 3 if not."""
    _answer(which, root, promote=True)


@registry.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept with the version.")] = "no reason given",
    root: Root = HERE,
) -> None:
    """Make the champion before the present one the champion again, at once."""
    from sanmodel.tracking import roll_back

    typer.echo(roll_back(root.resolve(), reason))


def _answer(which: str, root: Root, promote: bool) -> None:
    """Judge a version and say what came of it."""
    from sanmodel.progress import TerminalObserver
    from sanmodel.tracking import judge

    with TerminalObserver() as terminal:
        judged = judge(root.resolve(), which, promote, terminal)
    typer.echo(judged.text)
    if not judged.decision.accepted:
        raise typer.Exit(REFUSED)


@app.command()
def pull(
    uri: Annotated[str, typer.Argument(help="models:/san-male@champion, or models:/san-male/3.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write to.", file_okay=False)],
    root: Root = HERE,
) -> None:
    """Write a registered model to a folder that runs without the training half of this package."""
    from sanmodel.tracking import pull as write

    typer.echo(write(uri, folder, root.resolve()))
