"""``chartroom models``: which models are recommended, here and in use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, track
from rich.table import Table

from agent.cli.stores import store_or_demo
from agent.cli.terminal import JsonOption, NowOption, StoreOption, err, out, print_json, staged_progress
from agent.models.registry import registry
from agent.models.server_address import ASSUMED_CONTEXT, Server, server_address
from agent.models.store import Installed, active_server, installed, pull, use, use_none, use_server
from agent.now import resolve_now
from agent.paths import index_folder
from agent.planning.linker import Linker
from agent.planning.own_examples import forget, keep, read_pairs, understood
from agent.prepare import prepare_indexes
from indexes.values import ValueIndex
from knowledge.errors import ModelError
from knowledge.terminology import Terminology


def register(app: typer.Typer) -> None:
    """Add the group of commands to the program."""
    group = typer.Typer(help="Recommended and installed language models.", no_args_is_help=True)
    group.command("list")(list_command)
    group.command("use")(use_command)
    group.command("pull")(pull_command)
    group.command("examples")(examples_command)
    app.add_typer(group, name="models")


def list_command(as_json: JsonOption = False) -> None:
    """List recommended models and those that are installed."""
    here, server = installed(), active_server()
    if as_json:
        print_json(
            {
                "recommended": [entry.model_dump(mode="json") for entry in registry()],
                "installed": [_as_dict(model) for model in here],
                "server": None if server is None else server.model_dump(mode="json"),
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
    if server is not None:
        out().print(f"{server.model} at {server.url}: in use", markup=False, soft_wrap=True)
    if not here:
        out().print(
            "None is installed: chartroom models pull NAME, or chartroom models use FILE.", style="dim"
        )
    for model in here:
        state = model.problem or ("in use" if model.active else "installed")
        out().print(f"{model.path}: {state}", markup=False, soft_wrap=True)


def use_command(
    file: Annotated[Path | None, typer.Argument(help="A GGUF file; it stays where it is.")] = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Address of an OpenAI-compatible server, with its /v1.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The name under which the server serves it.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Allow a server outside the hospital: questions will leave it.")
    ] = False,
    context: Annotated[
        int | None, typer.Option("--context", min=512, help="The server's tokens, where it does not say.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1.0, help="Seconds to wait for one answer.")
    ] = 120.0,
    none: Annotated[bool, typer.Option("--none", help="Go back to what Chartroom brings itself.")] = False,
) -> None:
    """Use a GGUF file (checked, its SHA-256 recorded), or a model on a server of the hospital.

    A server's key, where it wants one, is read from $CHARTROOM_SERVER_KEY at each start and is never stored.
    """
    if [file is not None, server is not None, none].count(True) != 1:
        raise typer.BadParameter("Give either FILE, or --server and --model, or --none.")
    if (server is None) != (model is None):
        raise typer.BadParameter("--server and --model go together.")
    if none:
        use_none()
        out().print("No model of your own is in use.")
    elif server is not None and model is not None:
        chosen = _checked(server, model, public, context, timeout)
        use_server(chosen)
        out().print(
            f"In use: {chosen.model} at {chosen.url} (context {chosen.context})", markup=False, soft_wrap=True
        )
    elif file is not None:
        with _bytes_progress("checking") as report:
            found = use(file, report)
        out().print(f"In use: {found.path} (SHA-256 {found.sha256})", markup=False, soft_wrap=True)


def _checked(url: str, model: str, public: bool, context: int | None, timeout: float) -> Server:
    """The server, if it is where it should be and serves the model."""
    server = Server(
        url=server_address(url, public=public),
        model=model,
        public=public,
        context=context or ASSUMED_CONTEXT,
        timeout_s=timeout,
    )
    from agent.models.server import ServerModel  # only here: the library takes a second to import

    asked = ServerModel(server)
    try:
        served = asked.served()
    finally:
        asked.close()
    if model not in served:
        raise ModelError(
            f"The server {server.url!r} does not serve {model!r}. It serves {', '.join(sorted(served)) or 'nothing'}."
        )
    stated = served[model]
    return server if context is not None or stated is None else server.model_copy(update={"context": stated})


def pull_command(
    name: Annotated[str, typer.Argument(help="A recommended model; see: chartroom models list")],
    hub: Annotated[
        str | None, typer.Option("--hub", help="Address of a mirror (default: $CHARTROOM_HUB, else the hub).")
    ] = None,
) -> None:
    """Fetch a recommended model from the hub, or from a mirror."""
    with _bytes_progress(name) as report:
        model = pull(name, report, hub=hub)
    out().print(f"{model.path} (SHA-256 {model.sha256})", markup=False, soft_wrap=True)


def examples_command(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help='Lines of {"question", "query"} or {"question", "reason"}.'),
    ] = None,
    store: StoreOption = None,
    now: NowOption = None,
    clear: Annotated[bool, typer.Option("--clear", help="Keep no examples.")] = False,
) -> None:
    """Bring in the hospital's own questions with their queries, which models are then shown as examples.

    They replace those brought in before. A prompted model is shown those that are most like each question.
    """
    if (file is None) != clear:
        raise typer.BadParameter("Give either FILE or --clear.")
    if file is None:
        forget()
        out().print("No examples are kept.")
        return
    pairs, opened = read_pairs(file), store_or_demo(store)
    with staged_progress() as report:
        prepare_indexes(opened, report)
    values = ValueIndex.open(opened, index_folder(opened.path))
    try:
        linker = Linker(opened, values, Terminology.load())
        found = understood(pairs, linker, now or resolve_now(opened))
        kept = [one for one in track(found, "linking", total=len(pairs), console=err()) if one is not None]
    finally:
        values.close()
    keep(kept)
    out().print(f"{len(kept)} of {len(pairs)} examples are kept.")
    if len(kept) < len(pairs):
        out().print(
            "The others hold a value, time or number that was not found in their question.", style="dim"
        )


@contextmanager
def _bytes_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that counts bytes, on standard error."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
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
