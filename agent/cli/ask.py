"""``chartroom ask`` and ``chartroom chat``: one question, or a conversation."""

import secrets
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from agent.cli.chart import chart_form, save_chart
from agent.cli.render import render_stream
from agent.cli.stores import store_or_demo
from agent.cli.terminal import JsonOption, NowOption, PatientOption, RiskOption, StoreOption, err, out
from knowledge.errors import ChartroomError

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent

_HELP = "/patient N opens a record, /patient closes it, /sql shows or hides the SQL, /quit ends."


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("ask")(ask_command)
    app.command("chat")(chat_command)


def ask_command(
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    store: StoreOption = None,
    patient: PatientOption = None,
    now: NowOption = None,
    risk: RiskOption = 0.0,
    sql: Annotated[bool, typer.Option("--sql", help="Also show the SQL.")] = False,
    as_json: JsonOption = False,
    chart: Annotated[
        Path | None,
        typer.Option("--chart", help="Save the chart of the answer: FILE.svg, .png, .html or .json."),
    ] = None,
) -> None:
    """Ask one question. With --patient it is about that record, without about all patients."""
    from agent.agent import ClinicalAgent  # only here: LangGraph takes a second to import

    if chart is not None:
        chart_form(chart)
    with ClinicalAgent.open(store_or_demo(store), now=now) as agent:
        if as_json:
            answer = agent.ask(question, patient=patient, risk=risk)
            typer.echo(answer.model_dump_json(indent=2))
        else:
            answer = render_stream(agent.stream(question, patient=patient, risk=risk), out(), err(), sql=sql)
    if chart is not None:
        save_chart(answer, chart)


def chat_command(
    store: StoreOption = None,
    patient: PatientOption = None,
    now: NowOption = None,
    risk: RiskOption = 0.0,
) -> None:
    """Ask question after question; each can refer to those before it. Ctrl-C stops an answer, Ctrl-D ends."""
    from agent.agent import ClinicalAgent  # only here: LangGraph takes a second to import

    with ClinicalAgent.open(store_or_demo(store), now=now) as agent:
        _Chat(agent, patient, risk).run()


class _Chat:
    """A conversation on the terminal."""

    def __init__(self, agent: "ClinicalAgent", patient: int | None, risk: float) -> None:
        self._agent = agent
        self._patient = patient
        self._risk = risk
        self._sql = False
        self._conversation = f"chat-{secrets.token_hex(8)}"

    def run(self) -> None:
        """Until the user ends it."""
        err().print(_HELP, style="dim", markup=False)
        while True:
            prompt = "> " if self._patient is None else f"[patient {self._patient}] > "
            try:
                line = input(prompt).strip()
            except (EOFError, KeyboardInterrupt):
                err().print()
                return
            if line in ("/quit", "/exit"):
                return
            if line.startswith("/"):
                self._command(line)
            elif line:
                self._answer(line)

    def _command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "/sql":
            self._sql = not self._sql
        elif word == "/patient" and (not rest.strip() or rest.strip().isdecimal()):
            self._patient = int(rest) if rest.strip() else None
        else:
            err().print(_HELP, style="dim", markup=False)

    def _answer(self, question: str) -> None:
        stream = self._agent.stream(
            question, patient=self._patient, conversation=self._conversation, risk=self._risk
        )
        try:
            with closing(stream):  # type: ignore[type-var]  # a generator, which closing stops
                render_stream(stream, out(), err(), sql=self._sql)
        except KeyboardInterrupt:
            err().print("Stopped.", style="dim")
        except ChartroomError as error:
            err().print(Text(str(error), style="red"))
