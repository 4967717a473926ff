"""``chartroom serve``: the page, on this machine."""

import ipaddress
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from agent import doctor
from agent.cli.render import render_stream
from agent.cli.stores import store_or_demo
from agent.cli.terminal import NowOption, StoreOption, err, out
from knowledge.errors import ConfigError
from knowledge.store import RecordStore

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent

_QUESTION = "What was the latest creatinine?"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("serve")(serve_command)


def serve_command(
    store: StoreOption = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = doctor.PORT,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    language: Annotated[str, typer.Option("--language", help="Of the page: en or zh.")] = "en",
    now: NowOption = None,
    example: Annotated[
        bool, typer.Option("--example", help="First answer one question here on the terminal.")
    ] = False,
) -> None:
    """Start the app. Ctrl-C stops it."""
    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is no language of the page; choose en or zh.")
    free = doctor.port_free(port, host)
    if not free.ok:
        raise ConfigError(free.remedy)
    if not _is_loopback(host):
        err().print(
            f"Listening on {host}: everyone who can reach this machine can read the records.", style="yellow"
        )
    from agent.agent import ClinicalAgent  # only here: these take seconds to import
    from agent.ui.launch import launch
    from agent.ui.page import build_page

    opened = store_or_demo(store)
    with ClinicalAgent.open(opened, now=now) as agent:
        if example:
            _show_example(agent, opened)
        page = build_page(agent, language=cast(Literal["en", "zh"], language))
        address = launch(page, host=host, port=port)
        out().print(f"Chartroom is at {address} (Ctrl-C stops it).")
        agent.rooms.warm_up()
        page.block_thread()


def _show_example(agent: "ClinicalAgent", store: RecordStore) -> None:
    patient = _patient_with_most_creatinines(store)
    if patient is not None:
        out().print(f"[patient {patient}] {_QUESTION}", style="bold", markup=False)
        render_stream(agent.stream(_QUESTION, patient=patient), out(), err())


def _patient_with_most_creatinines(store: RecordStore) -> int | None:
    with closing(store.connect()) as connection:
        row = connection.execute(
            "SELECT subject_id FROM labevents JOIN d_labitems USING (itemid) "
            "WHERE lower(label) = 'creatinine' GROUP BY subject_id ORDER BY count(*) DESC, subject_id LIMIT 1"
        ).fetchone()
    return row[0] if row else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
