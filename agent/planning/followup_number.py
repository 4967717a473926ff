"""Another number in the place of the only one that the last query has: "make it 48", "改成10个", "and 90 days?"."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.planning.followup_words import Number
from agent.planning.numbers import lengths
from agent.planning.times import half_width
from agent.planning.units_of_time import UNITS, shift
from agent.query.model import (
    Change,
    ClinicalQuery,
    Condition,
    Percentile,
    Readmission,
    Rows,
    Survival,
    Top,
)
from knowledge.store.store import TIME_FORMAT

_SPAN = timedelta(seconds=1)  # a window that counts back ends just after "now"


def with_number(query: ClinicalQuery, said: Number) -> ClinicalQuery | None:
    """The query with another number; ``None`` where it has none, or more than one, that could be meant.

    Args:
        query: of the last question.
        said: the number and its unit; a unit of time means a span, any other a value.
    """
    found = list(_renumbered(query, said))
    return found[0] if len(found) == 1 else None


def _renumbered(query: ClinicalQuery, said: Number) -> Iterator[ClinicalQuery]:
    value, unit = said
    span = UNITS.get((unit or "").casefold())
    if span is None:
        yield from _counted(query, value, unit)
        yield from _compared(query, value, unit)
    elif span == "years":
        yield from _compared(query, value, unit, "age")
    elif span == "days":
        yield from _compared(query, value, unit, "duration")
    if unit is None or span is not None:
        yield from _timed(query, value, span)


def _counted(query: ClinicalQuery, value: float, unit: str | None) -> Iterator[ClinicalQuery]:
    ask, whole = query.ask, int(value)
    if isinstance(ask, Percentile):
        yield query.model_copy(update={"ask": ask.model_copy(update={"value": value})})
    if isinstance(ask, Change) and ask.at_least is not None:
        extent = ask.at_least.model_copy(update={"by": value})
        yield query.model_copy(update={"ask": ask.model_copy(update={"at_least": extent})})
    if unit is not None or whole != value or whole < 1:
        return
    if isinstance(ask, Rows) and ask.limit is not None:
        yield query.model_copy(update={"ask": ask.model_copy(update={"limit": whole})})
    if isinstance(ask, Top):
        yield query.model_copy(update={"ask": ask.model_copy(update={"n": whole})})
    if query.of.repeated is not None:
        often = query.of.repeated.model_copy(update={"at_least": whole})
        yield query.model_copy(update={"of": query.of.model_copy(update={"repeated": often})})


def _compared(
    query: ClinicalQuery, value: float, unit: str | None, field: str | None = None
) -> Iterator[ClinicalQuery]:
    where = query.of.where
    for place, condition in enumerate(where):
        if not isinstance(condition.value, float | int) or condition.upper is not None:
            continue
        if condition.field == "rank" or (field is not None and condition.field != field):
            continue
        other = condition.model_copy(update={"value": value, "unit": _unit(condition, unit, field)})
        changed = (*where[:place], other, *where[place + 1 :])
        yield query.model_copy(update={"of": query.of.model_copy(update={"where": changed})})


def _unit(condition: Condition, unit: str | None, field: str | None) -> str | None:
    return condition.unit if unit is None or field is not None else unit


def _timed(query: ClinicalQuery, value: float, span: str | None) -> Iterator[ClinicalQuery]:
    ask, of = query.ask, query.of
    if isinstance(ask, Readmission | Survival) and span in (None, "days") and value >= 1:
        yield query.model_copy(update={"ask": ask.model_copy(update={"days": int(value)})})
    stay = of.encounter
    if stay is not None and stay.from_hours == 0 and stay.to_hours is not None:
        in_days = span == "days" or (span is None and stay.to_hours % 24 == 0 and value < 24)
        hours = value * (24 if in_days else 1)
        if span in (None, "hours", "days"):
            narrowed = stay.model_copy(update={"to_hours": float(hours)})
            yield query.model_copy(update={"of": of.model_copy(update={"encounter": narrowed})})
    window = of.window
    if window is None or window.start is None or window.end is None:
        return
    named = lengths(half_width(window.said))
    if len(named) != 1:
        return
    first, last, amount, written = named[0]
    unit = UNITS[written]
    until = datetime.strptime(window.end, TIME_FORMAT) - _SPAN
    if shift(until, -amount, unit) != datetime.strptime(window.start, TIME_FORMAT):
        return  # of a span that does not count back from now, a number is no length
    start = shift(until, -value, span or unit)
    words = f"{window.said[:first]}{value:g} {span or unit}{window.said[last:]}"
    moved = window.model_copy(update={"start": start.strftime(TIME_FORMAT), "said": words})
    yield query.model_copy(update={"of": of.model_copy(update={"window": moved})})
