"""What of a question the query of its chart leaves out: a time, a number, a value, a group, a word that restricts.

A chart shows no sentence that would give the omission away: a curve of all months looks like the curve of one. So
whatever a question names has to be in the query, or the chart is refused.
"""

import re
from collections.abc import Iterator

from agent.answer import Language
from agent.charts.mark import Mark
from agent.planning.chart_parts import field_of, parts_of, patterns, restricting
from agent.planning.link import Linked, TimeLink
from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Condition, Events, Group, Readmission

_WIDE: frozenset[Mark | None] = frozenset({"histogram", "box"})
_COUNTS = frozenset({"events", "patients", "admissions"})
_AGAINST = re.compile(r"\b(?:against|versus|vs)\b|关系|相关")
_STAYS = frozenset({"admission", "icu_stay"})


def dropped(
    rest: str, language: Language, linked: Linked, query: ClinicalQuery, mark: Mark | None
) -> str | None:
    """Words of a question that its query does not honour; ``None`` where there are none.

    Where the query is about all patients and restricts them in no way, that is also whatever none of the words
    for charts explains ("emergency", "deaths").

    Args:
        rest: the question with its chart words blanked.
        language: of the question.
        linked: what it names, without the chart words.
        query: that is to be drawn.
        mark: the mark that was asked for.
    """
    if contradicted(query):
        return half_width(rest).strip()
    against = _AGAINST.search(half_width(rest)) if mark == "point" else None
    if against is not None and any(len(concept.values) > 1 for concept in query.of.concepts):
        return against[0]  # one quantity against another is no course of both
    held = query.model_dump_json()
    for kind, name, pattern in patterns(language):
        match = pattern.search(half_width(rest)) if kind in ("groups", "buckets") else None
        field = field_of(name) if kind == "groups" else name
        if match is not None and f'"{field}"' not in held and name not in query.of.domain:
            return match[0]
    if isinstance(query.ask, Readmission):
        return None
    missed = next(_missed(linked, query, held, mark), None)
    if missed is not None:
        return missed
    found = parts_of(rest, language, linked)
    parts, left = [(part.kind, part.name) for part in found.parts], found.left
    of = query.of
    if not (of.where or of.related or of.pick or of.repeated):  # else that is what the words are
        narrowing = restricting(language).search(left)
        if narrowing is not None:
            return narrowing[0].strip()
    if query.patient is not None or of.concepts or of.where or of.related or of.pick or of.status:
        return None
    values = [linked.values[int(name)].text for kind, name in parts if kind == "value"]
    return " ".join((*values, *left.split())) or None


def contradicted(query: ClinicalQuery) -> bool:
    """Whether no event can fit a query, since one field would have to be two things at once."""
    fields: dict[str, set[object]] = {}
    for condition in query.of.where:
        if condition.op == "=" and not isinstance(condition.value, float):
            fields.setdefault(condition.field, set()).add(_folded(condition))
    return any(len(values) > 1 for values in fields.values())


def _folded(condition: Condition) -> str:
    return str(condition.value).casefold()


def _missed(linked: Linked, query: ClinicalQuery, held: str, mark: Mark | None) -> Iterator[str]:
    for time in linked.times:
        if not _is_timed(time, query, held):
            yield time.text
    for *_, number, _unit in linked.numbers:
        if not re.search(rf"(?<![\d.]){re.escape(f'{number:g}')}(?:\.0)?(?![\d.]*\d)", held):
            yield f"{number:g}"
    low = held.casefold()
    for link in linked.values:
        if query.patient is not None and link.candidates[0].domain == "diagnosis":
            continue  # "for this MI" tells what for; the planner says that it is not used
        if not any(f'"{c.value.casefold()}"' in low or c.domain == "note" for c in link.candidates):
            yield link.text
    measured = any(c.domain in ("lab", "vital") for link in linked.values for c in link.candidates[:1])
    if mark in _WIDE and measured and isinstance(query.ask, Group) and query.ask.figure in _COUNTS:
        yield next(link.text for link in linked.values)


def _is_timed(time: TimeLink, query: ClinicalQuery, held: str) -> bool:
    """Whether a time of the question is in a query: its bounds, or its stay."""
    if time.window is not None:
        bounds = [bound for bound in (time.window.start, time.window.end) if bound is not None]
        return not bounds or any(bound in held for bound in bounds)
    stay = time.encounter
    if stay is None:
        return True
    if stay.to_hours is not None or stay.from_hours is not None:
        return any(
            each.encounter is not None and each.encounter.to_hours == stay.to_hours for each in _events(query)
        )
    of = query.of
    return '"encounter":{' in held or (of.domain in _STAYS and of.pick is not None)


def _events(query: ClinicalQuery) -> Iterator[Events]:
    yield query.of
    for related in query.of.related:
        yield related.events
