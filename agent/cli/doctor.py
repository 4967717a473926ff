"""``chartroom doctor``: is everything there, and what to do if not."""

from pathlib import Path
from typing import Annotated

import typer

from agent import doctor
from agent.cli.terminal import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("doctor")(doctor_command)


def doctor_command(
    store: Annotated[
        Path | None, typer.Option("--store", "-s", help="Also check this store (default: the demo hospital).")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port of the app.")] = doctor.PORT,
    as_json: JsonOption = False,
) -> None:
    """Check Python, packages, models, the port, the folder, the store and its indexes.

    Says what to do about each problem; exit code 1 if something required is missing.
    """
    checks = doctor.all_checks(store, port)
    typer.echo(doctor.as_json(checks) if as_json else doctor.as_text(checks))
    if doctor.failed(checks):
        raise typer.Exit(1)
