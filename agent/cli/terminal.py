"""What all commands share: the two consoles, progress bars, printing JSON, common options."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from knowledge.store import TIME_FORMAT


def printable(text: str) -> str:
    """The text without control characters, which could move the cursor; line breaks and tabs stay."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf"))


class _Plain(Console):
    """Shows every string as it is, also in the cells of a table: names, titles and ids come from files of others."""

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]  # handed through
        """The string without control characters, read neither as markup nor for emoji."""
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})


def out() -> Console:
    """Standard output: results."""
    return _Plain(highlight=False)


def err() -> Console:
    """Standard error: progress, hints, errors."""
    return _Plain(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output, readable and in UTF-8."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


@contextmanager
def staged_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage, on standard error; gives the function that moves them."""
    columns = (
        TextColumn("{task.description:<12}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err()) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    for pattern in (TIME_FORMAT, "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).strftime(TIME_FORMAT)
        except ValueError:
            continue
    raise typer.BadParameter(f"{text!r} is no time; write it as 'YYYY-MM-DD HH:MM:SS'.")


StoreOption = Annotated[
    Path | None,
    typer.Option("--store", "-s", help="The record store (default: the demo hospital, made on first need)."),
]
NowOption = Annotated[
    str | None,
    typer.Option(
        "--now",
        callback=_time,
        help="What counts as now, 'YYYY-MM-DD HH:MM:SS' (default: the store's own, else the clock).",
    ),
]
PatientOption = Annotated[
    int | None, typer.Option("--patient", "-p", help="subject_id of the patient whose record is open.")
]
RiskOption = Annotated[
    float,
    typer.Option(
        "--risk",
        min=0.0,
        help="Cost of a wrong answer relative to the gain of a right one; 0 always answers.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
