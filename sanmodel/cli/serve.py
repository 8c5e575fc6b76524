"""The command that serves a model over HTTP."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()


@app.command()
def serve(
    model: Annotated[
        Path | None,
        typer.Option(help="Export folder; the built-in model otherwise.", file_okay=False),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8080,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File of the key that clients must send.", dir_okay=False),
    ] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Largest upload.", min=1)] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Largest photo.", min=1)] = None,
    max_faces: Annotated[int | None, typer.Option(help="Most faces of a photo.", min=1)] = None,
    min_face: Annotated[
        float | None, typer.Option(help="Width of the smallest face, in pixels.", min=1)
    ] = None,
    least_confidence: Annotated[
        float | None,
        typer.Option(help="Below it a face gets the neutral prototype.", min=0.5, max=1),
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for a request.", min=0.001)] = None,
    max_waiting: Annotated[
        int | None, typer.Option(help="Requests in work or waiting.", min=1)
    ] = None,
    max_batch: Annotated[
        int | None, typer.Option(help="Most crops for the model at a time.", min=1)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads that find faces; one for each core.", min=1)
    ] = None,
    detector: Annotated[str | None, typer.Option(help="What finds the faces.")] = None,
    match: Annotated[bool, typer.Option(help="Let the page compare faces with a matcher.")] = True,
) -> None:
    """Serve a model over HTTP, with a page to try it on; stops on Ctrl-C."""
    from sanmodel.builtin import builtin_model
    from sanmodel.serving.server import serve as run
    from sanmodel.serving.settings import ServeSettings, read_api_key
    from sanmodel.strict import parse

    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "api_key": read_api_key(api_key_file) if api_key_file else None,
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "max_faces": max_faces,
        "min_face": min_face,
        "least_confidence": least_confidence,
        "timeout": timeout,
        "max_waiting": max_waiting,
        "max_batch": max_batch,
        "workers": workers,
        "detector": detector,
        "match": match,
    }
    told = {name: value for name, value in given.items() if value is not None}
    run(parse(ServeSettings, told, "san serve"), model or builtin_model("Male"))
