"""The command that serves a model over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from sanmodel.cli.common import Model, model_folder

app = typer.Typer()


@app.command()
def serve(
    model: Model = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8080,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File of the key that clients must send.", dir_okay=False)
    ] = None,
    limits: Annotated[
        Path | None, typer.Option(help="YAML file of limits, see docs/serving.md.", dir_okay=False)
    ] = None,
) -> None:
    """Serve a model over HTTP, with a page to try it on; stops on Ctrl-C."""
    from sanmodel.serving.server import serve as run
    from sanmodel.serving.settings import load_settings

    settings = load_settings(host, port, api_key_file, limits)
    run(settings, model_folder(model))
