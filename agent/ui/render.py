"""Turns events and answers into HTML. All text is escaped here; nothing from a record is ever a template."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.answer import Answer, Language, Step
from agent.events import AnswerReady, Event, StepFinished, StepStarted
from agent.ui.strings import strings

_CITATION = re.compile(r"\[(\d+)\]")
_TEMPLATE_SIGNS = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;"})
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class TurnView:
    """What the page shows of one question; grows with each event."""

    question: str
    language: Language
    running: str = ""
    steps: tuple[Step, ...] = field(default=())
    answer: Answer | None = None
    error: str | None = None

    def after(self, event: Event) -> "TurnView":
        """The view once ``event`` has happened."""
        if isinstance(event, StepStarted):
            return replace(self, running=event.summary)
        if isinstance(event, StepFinished):
            return replace(self, steps=(*self.steps, event.step), running="")
        if isinstance(event, AnswerReady):
            return replace(self, answer=event.answer, running="")
        return self


def escape(text: object) -> str:
    """Escape for HTML and for the browser's template engine, to which ``${…}`` and ``{{…}}`` are code."""
    return html.escape(str(text)).translate(_TEMPLATE_SIGNS)


def conversation(turns: Sequence[TurnView], language: Language) -> str:
    """The whole conversation."""
    words = strings(language)
    if not turns:
        return f'<div class="cr-empty">{escape(words["evidence_hint"])}</div>'
    return (
        '<div class="cr-turns" role="log" aria-live="polite">'
        + "".join(_turn(number, turn, words) for number, turn in enumerate(turns))
        + "</div>"
    )


def _turn(number: int, turn: TurnView, words: dict[str, str]) -> str:
    parts = [f'<div class="cr-question">{escape(turn.question)}</div>']
    if turn.answer is not None:
        parts.append(_answer(number, turn.answer, words))
    elif turn.error is not None:
        parts.append(f'<div class="cr-answer cr-refused" role="alert">{escape(turn.error)}</div>')
    else:
        parts.append(f'<div class="cr-answer cr-running">{escape(turn.running or words["working"])}</div>')
    if turn.answer is None and turn.steps:
        parts.append(_steps(turn.steps, words, is_open=True))
    return "".join(parts)


def _answer(number: int, answer: Answer, words: dict[str, str]) -> str:
    kind = {"answered": "", "clarify": " cr-clarify", "refused": " cr-refused"}[answer.status]
    parts = [f'<div class="cr-answer{kind}" lang="{answer.language}">']
    if answer.status != "answered":
        parts.append(
            f'<div class="cr-badge">{escape(words[answer.status])}'
            + (f" · {escape(answer.reason)}" if answer.reason else "")
            + "</div>"
        )
    parts.append(f'<div class="cr-text">{_cited(number, answer)}</div>')
    if answer.options:
        options = "".join(f"<li>{escape(option)}</li>" for option in answer.options)
        parts.append(f'<ul class="cr-options">{options}</ul>')
    if answer.result is not None and len(answer.result.rows) > 1:
        parts.append(_details(words["result"], _table(answer, words)))
    if answer.assumptions:
        items = "".join(f"<li>{escape(a)}</li>" for a in answer.assumptions)
        parts.append(_details(words["assumptions"], f"<ul>{items}</ul>"))
    if answer.sql:
        parts.append(_details(words["sql"], f"<pre>{escape(answer.sql)}</pre>"))
    if answer.steps:
        parts.append(_steps(answer.steps, words))
    figures = [f"{answer.ms['total']} ms"] if "total" in answer.ms else []
    if answer.confidence is not None:
        figures.append(f"{escape(words['confidence'])} {answer.confidence:.2f}")
    parts.append(f'<div class="cr-foot">{" · ".join(figures)}</div></div>')
    return "".join(parts)


def _cited(number: int, answer: Answer) -> str:
    known = {evidence.id for evidence in answer.evidence}

    def chip(match: re.Match[str]) -> str:
        evidence = int(match.group(1))
        if evidence not in known:
            return match.group()
        return (
            f'<button type="button" class="cr-cite" data-turn="{number}" data-evidence="{evidence}" '
            f'aria-label="evidence {evidence}">{evidence}</button>'
        )

    lines = [_CITATION.sub(chip, escape(line)) for line in answer.text.split("\n")]
    return "<br>".join(lines)


def _details(title: str, body: str, *, is_open: bool = False) -> str:
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>{body}</details>"


def _steps(steps: Sequence[Step], words: dict[str, str], *, is_open: bool = False) -> str:
    items = "".join(
        f"<li><code>{escape(s.tool)}</code> {escape(s.summary)} <span class='cr-ms'>{s.ms} ms</span></li>"
        for s in steps
    )
    return _details(f"{words['steps']} ({len(steps)})", f"<ol>{items}</ol>", is_open=is_open)


def _table(answer: Answer, words: dict[str, str]) -> str:
    assert answer.result is not None
    head = "".join(f"<th>{escape(c)}</th>" for c in answer.result.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else escape(cell)}</td>" for cell in row) + "</tr>"
        for row in answer.result.rows[:MOST_ROWS]
    )
    cut = answer.result.truncated or len(answer.result.rows) > MOST_ROWS
    note = f'<div class="cr-foot">{escape(words["truncated"])}</div>' if cut else ""
    return f'<table class="cr-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}'
