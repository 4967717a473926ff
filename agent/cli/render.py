"""Shows events and answers on a terminal.

Record text is data here, too: it is never read as markup, and control characters, which could move the
cursor or rename the window, are not passed on.
"""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.answer import Answer, Evidence
from agent.cli.terminal import printable
from agent.events import AnswerReady, Event, StepFinished, Token

_SHOWN_ROWS = 30
_SHOWN_KEYS = 8
_REASONS = {
    "not_in_schema": "these records cannot hold it",
    "not_documented": "this record has no entry on it",
    "no_permission": "you may not see it",
    "no_such_patient": "there is no such patient",
    "action_request": "it asks to do something; Chartroom only reads",
    "out_of_scope": "it is not about records or medicine",
    "low_confidence": "no reading of the question was sure enough",
}


def render_stream(events: Iterable[Event], console: Console, steps: Console, *, sql: bool = False) -> Answer:
    """Show events as they come, then the answer's evidence; gives the answer.

    Args:
        events: of one question.
        console: where the answer goes.
        steps: where the steps go, dimmed.
        sql: also shows the SQL.
    """
    streamed = False
    for event in events:
        match event:
            case StepFinished(step):
                steps.print(Text(printable(f"· {step.tool}: {step.summary} ({step.ms} ms)"), style="dim"))
            case Token(text):
                console.print(Text(printable(text)), end="", soft_wrap=True)
                streamed = True
            case AnswerReady(answer):
                if streamed:
                    console.print()
                render_answer(answer, console, sql=sql, with_text=not streamed)
                return answer
            case _:
                pass
    raise AssertionError("the stream of events always ends with an answer")


def render_answer(answer: Answer, console: Console, *, sql: bool = False, with_text: bool = True) -> None:
    """Text with [n], then result, evidence, assumptions and, if asked for, the SQL."""
    if with_text:
        console.print(Text(printable(answer.text)), soft_wrap=True)
    if answer.status != "answered":
        why = f" ({_REASONS[answer.reason]})" if answer.reason else ""
        console.print(Text(f"{answer.status}{why}", style="yellow"))
    for number, option in enumerate(answer.options, start=1):
        console.print(Text(printable(f"  {number}. {option}")))
    if answer.result is not None and len(answer.result.rows) > 1:
        console.print(_result(answer))
    if answer.chart is not None:
        shown = str(answer.chart["spec"].get("description", ""))
        console.print(Text(printable(f"{shown} (--chart FILE saves it)"), style="dim"), soft_wrap=True)
    if answer.evidence:
        console.print(Text("Evidence", style="bold"))
    for evidence in answer.evidence:
        console.print(Text(f"  [{evidence.id}] ", style="cyan") + _evidence(evidence), soft_wrap=True)
    for assumption in answer.assumptions:
        console.print(Text(printable(f"Assumed: {assumption}"), style="dim"), soft_wrap=True)
    if sql and answer.sql:
        console.print(Text(answer.sql, style="dim"), soft_wrap=True)


def _result(answer: Answer) -> Table:
    assert answer.result is not None
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in answer.result.columns:
        table.add_column(Text(printable(column)))
    for row in answer.result.rows[:_SHOWN_ROWS]:
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    rest = len(answer.result.rows) - _SHOWN_ROWS
    if rest > 0 or answer.result.truncated:
        more = f"{rest} more rows" if rest > 0 else "more rows"
        table.caption = f"… {more}; --json shows all that were read"
    return table


def _evidence(evidence: Evidence) -> Text:
    match evidence.kind:
        case "row":
            keys = ", ".join(map(str, evidence.row_ids[:_SHOWN_KEYS]))
            if len(evidence.row_ids) > _SHOWN_KEYS or evidence.truncated:
                keys += ", …"
            values = ", ".join(
                f"{name} {value}" for name, value in evidence.values.items() if value is not None
            )
            return Text(f"{evidence.table} {keys}: ", style="dim") + Text(printable(values))
        case "note":
            about = [evidence.note_type, evidence.charttime, evidence.author]
            where = ", ".join(part for part in about if part)
            span = f"note {evidence.note_id} ({where}) {evidence.start}-{evidence.end}: "
            return Text(printable(span), style="dim") + Text(f"“{printable(evidence.quote).strip()}”")
        case "graph":
            path = "; ".join(" ".join(edge) for edge in evidence.edges)
            return Text(printable(path)) + Text(printable(f" ({evidence.source})"), style="dim")
        case "passage":
            span = f"{evidence.doc_id} {evidence.start}-{evidence.end}: "
            return Text(printable(span), style="dim") + Text(f"“{printable(evidence.quote).strip()}”")
