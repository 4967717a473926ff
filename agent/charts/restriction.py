"""What a query leaves out, in a few words each, so that a chart of some patients never looks like one of all."""

from collections.abc import Iterable

from agent.answer import Language
from agent.charts.words import field_word, word
from agent.query.model import Concept, Condition, Events
from agent.query.numerals import number
from agent.query.phrases import subject, value_word


def restrictions(events: Events, language: Language) -> Iterable[str]:
    """The conditions, partners, stay and time that the events are restricted to; concepts are the title's."""
    yield from conditions(events.where, language)
    for related in events.related:
        window = related.events.window
        what = window.said if window is not None and window.said else subject(related.events, language)
        yield word(language, f"restricted.{'without' if related.negated else 'with'}", what=what)
    if events.status is not None:
        yield word(language, f"restricted.{events.status}")
    if events.encounter is not None:
        yield word(language, f"restricted.{events.encounter.kind}")
    if events.window is not None:
        yield events.window.said or " – ".join(
            text[:16] for text in (events.window.start, events.window.end) if text
        )


def conditions(tests: Iterable[Condition | Concept], language: Language) -> Iterable[str]:
    """Conditions in a few words each."""
    for test in tests:
        yield test.said or ", ".join(test.values) if isinstance(test, Concept) else _condition(test, language)


def _condition(condition: Condition, language: Language) -> str:
    field = field_word(language, condition.field)
    if condition.op in ("known", "unknown"):
        return word(language, f"restricted.{condition.op}", field=field)
    value = value_word(condition.field, number(condition.value), language)
    if condition.op == "=":
        return word(language, "restricted.equal", field=field, value=value)
    value = f"{value}–{number(condition.upper)}" if condition.upper is not None else value
    value = f"{value} {condition.unit}" if condition.unit else value
    return word(language, "restricted.compared", field=field, op=condition.op, value=value)
