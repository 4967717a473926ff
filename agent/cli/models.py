"""``chartroom models``: which models are recommended, here and in use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.cli.terminal import JsonOption, err, out, print_json
from agent.models.registry import registry
from agent.models.store import Installed, installed, pull, use


def register(app: typer.Typer) -> None:
    """Add the group of commands to the program."""
    group = typer.Typer(help="Recommended and installed language models.", no_args_is_help=True)
    group.command("list")(list_command)
    group.command("use")(use_command)
    group.command("pull")(pull_command)
    app.add_typer(group, name="models")


def list_command(as_json: JsonOption = False) -> None:
    """List recommended models and those that are installed."""
    here = installed()
    if as_json:
        print_json(
            {
                "recommended": [entry.model_dump(mode="json") for entry in registry()],
                "installed": [_as_dict(model) for model in here],
            }
        )
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Recommended", "For", "Memory", "Download", "Licence", "Languages"):
        table.add_column(name)
    for entry in registry():
        table.add_row(
            entry.name,
            entry.machine,
            f"{entry.memory_gb:g} GB",
            f"{entry.bytes / 1e9:.1f} GB",
            entry.licence,
            ", ".join(entry.languages),
        )
    out().print(table)
    if not here:
        out().print(
            "None is installed: chartroom models pull NAME, or chartroom models use FILE.", style="dim"
        )
    for model in here:
        state = model.problem or ("in use" if model.active else "installed")
        out().print(f"{model.path}: {state}", markup=False, soft_wrap=True)


def use_command(file: Annotated[Path, typer.Argument(help="A GGUF file; it stays where it is.")]) -> None:
    """Check a GGUF file, record its SHA-256 and use it."""
    with _bytes_progress("checking") as report:
        model = use(file, report)
    out().print(f"In use: {model.path} (SHA-256 {model.sha256})", markup=False, soft_wrap=True)


def pull_command(
    name: Annotated[str, typer.Argument(help="A recommended model; see: chartroom models list")],
    hub: Annotated[
        str | None, typer.Option("--hub", help="Address of a mirror (default: $CHARTROOM_HUB, else the hub).")
    ] = None,
) -> None:
    """Fetch a recommended model. This is the only command that opens a connection."""
    with _bytes_progress(name) as report:
        model = pull(name, report, hub=hub)
    out().print(f"{model.path} (SHA-256 {model.sha256})", markup=False, soft_wrap=True)


@contextmanager
def _bytes_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that counts bytes, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err()) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _as_dict(model: Installed) -> dict[str, object]:
    return {
        "path": str(model.path),
        "sha256": model.sha256,
        "size": model.size,
        "active": model.active,
        "problem": model.problem,
    }
