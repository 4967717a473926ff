"""Turns events and answers into HTML. All text is escaped; nothing from a record is ever a template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.answer import Answer, Language, Step
from agent.events import AnswerReady, Event, StepFinished, StepStarted
from agent.ui.chart import figure
from agent.ui.escape import escape
from agent.ui.strings import examples, strings

_CITATION = re.compile(r"\[(\d+)\]")
_CITATIONS = re.compile(rf"\s*(?:{_CITATION.pattern})+")
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
            return replace(self, running=event.tool)
        if isinstance(event, StepFinished):
            return replace(self, steps=(*self.steps, event.step), running="")
        if isinstance(event, AnswerReady):
            return replace(self, answer=event.answer, running="")
        return self

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come."""
        return self.answer is not None or self.error is not None


def conversation(turns: Sequence[TurnView], language: Language, *, many: bool = False) -> str:
    """The whole conversation; before the first question, examples to click.

    Args:
        turns: oldest first.
        language: of the page's words.
        many: whether the questions are about all patients, for the examples.
    """
    words = strings(language)
    if not turns:
        offered = "".join(_question_button(text) for text in examples(language, many=many))
        return f'<div class="cr-empty"><p>{escape(words["examples"])}</p>{offered}</div>'
    return (
        '<div class="cr-turns" role="log" aria-live="polite">'
        + "".join(_turn(number, turn, words) for number, turn in enumerate(turns))
        + "</div>"
    )


def hint(language: Language) -> str:
    """What the evidence panel says while no evidence is open."""
    words = strings(language)
    return f'<div class="cr-hint"><h2>{escape(words["evidence"])}</h2><p>{escape(words["evidence_hint"])}</p></div>'


def _question_button(text: str) -> str:
    return f'<button type="button" class="cr-example" data-question="{escape(text)}">{escape(text)}</button>'


def _turn(number: int, turn: TurnView, words: dict[str, str]) -> str:
    parts = [
        f'<div class="cr-turn"><div class="cr-question" lang="{turn.language}">{escape(turn.question)}</div>'
    ]
    if turn.answer is not None:
        parts.append(_answer(number, turn.answer, words))
    elif turn.error is not None:
        parts.append(
            f'<div class="cr-answer cr-refused" role="alert"><div class="cr-badge">{escape(words["refused"])}</div>'
            f'<div class="cr-text">{escape(turn.error)}</div>{_steps(turn.steps, words)}</div>'
        )
    else:
        doing = words.get(f"step_{turn.running}", turn.running) or words["working"]
        done = "".join(f"<li>{_step(step, words)}</li>" for step in turn.steps)
        parts.append(
            f'<div class="cr-answer cr-running"><ol class="cr-steps">{done}'
            f'<li class="cr-now">{escape(doing)}…</li></ol></div>'
        )
    return "".join(parts) + "</div>"


def _answer(number: int, answer: Answer, words: dict[str, str]) -> str:
    kind = {"answered": "", "clarify": " cr-clarify", "refused": " cr-refused"}[answer.status]
    parts = [f'<div class="cr-answer{kind}" lang="{answer.language}">']
    if answer.status != "answered":
        reason = words[f"reason_{answer.reason}"] if answer.reason else None
        badge = " · ".join(part for part in (words[answer.status], reason) if part)
        parts.append(f'<div class="cr-badge" title="{escape(answer.reason or "")}">{escape(badge)}</div>')
    parts.append(f'<div class="cr-text">{_cited(number, answer, words)}</div>')
    if answer.chart is not None:
        parts.append(figure(answer.chart["spec"]))
    if answer.options:
        parts.append("".join(_question_button(option) for option in answer.options))
    if answer.result is not None and len(answer.result.rows) > 1:
        title = f"{words['result']} ({len(answer.result.rows)})"
        parts.append(_details(title, _table(answer, words)))
    if answer.assumptions:
        items = "".join(f"<li>{escape(a)}</li>" for a in answer.assumptions)
        parts.append(_details(words["assumptions"], f"<ul>{items}</ul>"))
    parts.append(_steps(answer.steps, words, answer.sql))
    figures = [f"{answer.ms['total']} ms"] if "total" in answer.ms else []
    if answer.confidence is not None:
        figures.append(f"{escape(words['confidence'])} {answer.confidence:.2f}")
    parts.append(f'<div class="cr-foot">{" · ".join(figures)}</div></div>')
    return "".join(parts)


def _cited(number: int, answer: Answer, words: dict[str, str]) -> str:
    known = {evidence.id for evidence in answer.evidence}
    general = {evidence.id for evidence in answer.evidence if evidence.kind in ("graph", "passage")}

    def chip(match: re.Match[str]) -> str:
        evidence = int(match.group(1))
        if evidence not in known:
            return match.group()
        name = escape(f"{words['evidence']} {evidence}")
        kind = ""
        if evidence in general:
            kind, name = " cr-general", f"{name}: {escape(words['general'])}"
        return (
            f'<button type="button" class="cr-cite{kind}" data-turn="{number}" data-evidence="{evidence}" '
            f'aria-label="{name}">{evidence}</button>'
        )

    def chips(match: re.Match[str]) -> str:
        return f'<span class="cr-cites">{_CITATION.sub(chip, match.group())}</span>'

    lines = [_CITATIONS.sub(chips, escape(line)) for line in answer.text.split("\n")]
    return "<br>".join(lines)


def _details(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _steps(steps: Sequence[Step], words: dict[str, str], sql: str | None = None) -> str:
    if not steps:
        return ""
    items = "".join(f"<li>{_step(step, words)}</li>" for step in steps)
    query = f"<pre>{escape(sql)}</pre>" if sql else ""
    return _details(f"{words['steps']} ({len(steps)})", f'<ol class="cr-steps">{items}</ol>{query}')


def _step(step: Step, words: dict[str, str]) -> str:
    name = words.get(f"step_{step.tool}", step.tool)
    return f'<b>{escape(name)}</b> {escape(step.summary)} <code class="cr-ms">{escape(step.tool)} · {step.ms} ms</code>'


def _table(answer: Answer, words: dict[str, str]) -> str:
    assert answer.result is not None
    head = "".join(f"<th>{escape(words.get(f'column_{c}', c))}</th>" for c in answer.result.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else escape(cell)}</td>" for cell in row) + "</tr>"
        for row in answer.result.rows[:MOST_ROWS]
    )
    cut = answer.result.truncated or len(answer.result.rows) > MOST_ROWS
    note = f'<div class="cr-foot">{escape(words["truncated"])}</div>' if cut else ""
    return (
        f'<div class="cr-wide"><table class="cr-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{note}"
    )
