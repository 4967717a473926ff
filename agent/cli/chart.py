"""``chartroom ask --chart FILE``: saves the chart of an answer."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from agent.answer import Answer
from agent.cli.terminal import err

if TYPE_CHECKING:
    from agent.charts.render import Format

_FORMS = ("svg", "png", "html", "json")


def chart_form(file: Path) -> "Format":
    """The form that the name of a file asks for.

    Raises:
        typer.BadParameter: there is no such form.
    """
    form = file.suffix.lower().removeprefix(".")
    if form not in _FORMS:
        raise typer.BadParameter(
            f"{file.name!r} does not say which form the chart has; end it in .{', .'.join(_FORMS)}.",
            param_hint="--chart",
        )
    return cast("Format", form)


def save_chart(answer: Answer, file: Path) -> None:
    """Write the chart of an answer, or say that it has none; an existing file is replaced."""
    if answer.chart is None:
        err().print("The answer has no chart, so no file was written.", style="yellow")
        return
    from agent.charts.render import rendered  # only here: the renderer takes a moment to load

    file.write_bytes(rendered(answer.chart["spec"], chart_form(file)))
    err().print(f"Chart written to {file}.", style="dim", markup=False, soft_wrap=True)
