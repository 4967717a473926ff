"""Widens a query for a chart: a chart is asked for, so a series is meant where the words name a single value.

"Plot her creatinine" reads like a question for the latest creatinine; drawn is its course. A list drawn as a
distribution counts every row, also those that are equal. What is widened is said. The most frequent are as many as
were asked for.
"""

from agent.charts.mark import AskedChart
from agent.query.domains import bindings
from agent.query.model import (
    Balance,
    Bucket,
    ClinicalQuery,
    Group,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)

_MEASURED = frozenset({"lab", "vital"})
_SPREAD: frozenset[AskedChart] = frozenset({"histogram", "box"})
_NUMBERS = frozenset({"value", "age", "duration", "cost", "rate", "dose", "rank", "unit"})
_TIMES = frozenset({"time", "end", "admittime", "dischtime", "deathtime", "dob", "dod"})
_BUCKETS: dict[str, Bucket] = {"day": "day", "month": "month", "year": "year"}


def drawable(query: ClinicalQuery, asked: AskedChart) -> tuple[ClinicalQuery, str | None]:
    """The query whose result is drawn, and the key of what to say where it is wider than the one given.

    Args:
        query: as planned.
        asked: the mark, which decides whether values are listed in time or as a distribution.
    """
    ask, of = query.ask, query.of
    if isinstance(ask, Rows) and "value" in ask.fields and of.domain in _MEASURED:
        whole = query.model_copy(update={"of": of.model_copy(update={"pick": None})})
        said = "series" if of.pick is not None else None
        if query.patient is None or asked in _SPREAD:
            fields = tuple(dict.fromkeys((*ask.fields, "unit")))
            listed = ask.model_copy(update={"fields": fields, "distinct": False, "limit": None})
            return whole.model_copy(update={"ask": listed}), said
        return whole.model_copy(update={"ask": Trend()}), said
    if isinstance(ask, Rows):
        return query.model_copy(update={"ask": _of_rows(ask, asked)}), None
    if isinstance(ask, Statistic):
        return _of_statistic(query, ask)
    if isinstance(ask, Balance) and ask.per is None:
        return query.model_copy(update={"ask": ask.model_copy(update={"per": "day"})}), "buckets"
    if isinstance(ask, Readmission) and ask.bucket is None:
        return query.model_copy(update={"ask": ask.model_copy(update={"bucket": "month"})}), "buckets"
    if isinstance(ask, Top):  # "the 8 most common" are 8 bars
        return query.model_copy(
            update={"ask": ask.model_copy(update={"show_count": True, "cut": "values"})}
        ), None
    shown = {Group: "show_group", Survival: "show_rate"}.get(type(ask))
    if shown is not None:
        return query.model_copy(update={"ask": ask.model_copy(update={shown: True})}), None
    return query, None


def _of_rows(ask: Rows, asked: AskedChart) -> Rows | Group:
    """How many there are of each, where a list has nothing but names; else every line of it."""
    names = [field for field in ask.fields if field not in _NUMBERS | _TIMES]
    plain = not _NUMBERS & {*ask.fields} and (not _TIMES & {*ask.fields} or asked in ("arc", "bar"))
    if len(names) == 1 and plain:
        return Group(by=names[0])
    return ask.model_copy(update={"distinct": False})


def _of_statistic(query: ClinicalQuery, ask: Statistic) -> tuple[ClinicalQuery, str | None]:
    """The figures that a statistic sums up: by day, month or year, or the single values."""
    if ask.per in _BUCKETS:
        figure = "events" if ask.inner == "count" else ask.inner
        by = Group(bucket=_BUCKETS[ask.per], figure=figure, field=ask.field)
        return query.model_copy(update={"ask": by}), "buckets"
    if ask.per is not None:
        return query, None
    if ask.field == "value" and query.patient is not None and bindings()[query.of.domain].value is not None:
        return query.model_copy(update={"ask": Trend()}), "series"
    fields = (ask.field, "unit") if ask.field == "value" else (ask.field,)
    return query.model_copy(update={"ask": Rows(fields=fields, distinct=False)}), "series"
