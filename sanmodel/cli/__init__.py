"""The console command ``san``: one subcommand per stage, more around them; commands hold no logic.

A module here holds the commands of one kind.
"""

import os
import sys
from typing import NoReturn

import typer
from rich.console import Console

from sanmodel.cli import benchmarks, data, model, registry, serve, stages, tracking
from sanmodel.errors import SanError
from sanmodel.extras import need

app = typer.Typer(
    name="san",
    help="Face images that keep the identity and hide an attribute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for commands in (stages, model, serve, data, tracking, registry, benchmarks):
    app.add_typer(commands.app)

EXTRAS = {"pull": "registry", "serve": "serve"}
"""Commands that need less than the pipeline, and the extra that they need."""


def main() -> None:
    """Run the command line; a user's error is one sentence and exit status 1.

    So is a library that the base install goes without.
    """
    # Large pages for torch's large tensors, which are made anew at every step of a training: with
    # small ones a third of its time goes to the system. Read when torch is loaded.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        app()
    except SanError as error:
        _fail(str(error))
    except PermissionError as error:
        _fail(f"no permission for {error.filename}: change its mode or owner")
    except ModuleNotFoundError as error:
        command = "".join(sys.argv[1:2])
        sentence = need(f"`san {command}`", error, EXTRAS.get(command, "pipeline"))
        if sentence is None:
            raise
        _fail(sentence)


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {message}", markup=False)
    sys.exit(1)
