"""From the typed query to SQL: one SELECT for the answer, and one for the keys of the rows behind it.

``base.py`` finds the events; this module says what is asked of them, ``changes.py``, ``groups.py`` and ``flows.py``
what takes more. SQLite's dialect; a hospital with another engine needs another compiler only.
"""

from collections.abc import Callable
from dataclasses import replace

from agent.query.among import looks_among, side_of
from agent.query.base import Context, Shape, base, several_quantities
from agent.query.changes import change
from agent.query.domains import Tables, binding
from agent.query.figures import DAYS_IN, FIGURES, PER, UNIT, column, measure
from agent.query.flows import balance, readmission
from agent.query.groups import group, survival, top
from agent.query.literals import literal
from agent.query.model import (
    Balance,
    Change,
    ClinicalQuery,
    Count,
    Elapsed,
    Events,
    Exists,
    Group,
    Percentile,
    Pick,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)
from agent.query.provenance import Compiled, behind, compiled, described

MEASURED = frozenset({"reported", "low", "high", "flag"})  # differ with each measurement


def compile(query: ClinicalQuery, tables: Tables, now: str) -> Compiled:
    """Compile a query for a store.

    Args:
        query: the query.
        tables: ``RecordStore.tables`` of the store.
        now: ``YYYY-MM-DD HH:MM:SS``.

    Raises:
        NotInSchema: the store has no table or column for a part of it.
        QueryRejected: its parts do not fit together.
    """
    context = Context(tables, query.patient, now)
    binding(query.of.domain, tables)
    if looks_among(query):
        query = query.model_copy(update={"ask": Exists(among=True)})
    return _COMPILERS[type(query.ask)](query.ask, query.of, context)


def _rows(ask: Rows, of: Events, context: Context) -> Compiled:
    at = binding(of.domain, context.tables)
    held = tuple(
        name for name in ask.also if name in at.fields and at.has(at.fields[name].column, context.tables)
    )
    asked = tuple(dict.fromkeys((*ask.fields, *held)))
    fields = tuple(column(field) for field in asked)
    sql = base(of, context, Shape(fields=fields, reported="value" in fields))
    order = {"time": "time", "time_desc": "time DESC", "value": "value", "value_desc": "value DESC"}[
        ask.order
    ]
    listed = ", ".join(fields)
    if ask.distinct:
        name, *direction = order.split()
        best = f"{'MAX' if direction else 'MIN'}({name})"
        order = " ".join([best, *direction])
        tail = f"GROUP BY {listed} ORDER BY {order}"
    else:
        tail = f"ORDER BY {order}, row_id"
    limit = "" if ask.limit is None else f" LIMIT {ask.limit}"
    detailed, extra = described(of, context, Shape(fields, reported="value" in fields), fields=fields)
    sources = behind(of, context, detailed, cells=fields, extra=extra, match=tuple(range(len(fields))))
    found = compiled(f"WITH base AS ({sql}) SELECT {listed} FROM base {tail}{limit}", asked, context, sources)
    return replace(found, passed_over=_passed_over(of, context, sql))


def _passed_over(of: Events, context: Context, picked_sql: str) -> str | None:
    """Whether a text without a digit is as new (or, for the first, as old) as what was picked instead."""
    if "numeric_only" not in context.assumptions or of.pick is None:
        return None
    everything = base(of.model_copy(update={"pick": None}), context, Shape(detail=True))
    same = "p.subject_id = s.subject_id" + " AND p.name = s.name" * (of.pick.each == "name")
    beyond = "p.time >= s.time" if of.pick.which == "first" else "p.time <= s.time"
    return (
        f"SELECT 1 FROM ({everything}) AS s WHERE s.value IS NULL AND s.reported NOT GLOB '*[0-9]*' "
        f"AND EXISTS (SELECT 1 FROM ({picked_sql}) AS p WHERE {same} AND {beyond}) LIMIT 1"
    )


def _count(ask: Count, of: Events, context: Context) -> Compiled:
    sql = base(of, context)
    what = {**FIGURES, "names": "COUNT(DISTINCT name)"}[ask.of]
    return compiled(
        f"WITH base AS ({sql}) SELECT {what} AS count FROM base",
        ("count",),
        context,
        behind(of, context, sql),
    )


def _exists(ask: Exists, of: Events, context: Context) -> Compiled:
    sql = base(of, context)
    detailed, extra = described(of, context, Shape())
    apart = ("subject_id", "name", *(name for name in extra if name not in MEASURED))
    test = "COUNT(*) = 0" if ask.none else "COUNT(*) > 0"
    sources = [behind(of, context, detailed, cells=apart, extra=extra, apart=len(apart))]
    if ask.among:
        where = tuple(condition for condition in of.where if condition.field != "value")
        looked_at = of.model_copy(update={"where": where})
        side = "min" if side_of(of) == "low" else "max"
        furthest = looked_at.model_copy(update={"pick": Pick(which=side, then="last")})
        sources += [
            behind(looked_at, context, base(events, context, Shape(numeric=True)), role=role)
            for events, role in ((looked_at, "looked_at"), (furthest, "furthest"))
        ]
    text = f"WITH base AS ({sql}) SELECT {test} AS found FROM base"
    return compiled(text, ("exists",), context, *sources)


def _statistic(ask: Statistic, of: Events, context: Context) -> Compiled:
    counted = ask.per is not None and ask.inner in ("count", "patients", "admissions")
    field, shape = measure(ask.field, counted)
    sql = base(of, context, shape)
    unit = _scale(of, context) if field == "value" and not counted else "''"
    if ask.per is None:
        source = f"SELECT {field} AS figure, {unit} AS scale FROM base WHERE {field} IS NOT NULL"
    else:
        inner = FIGURES[ask.inner].format(field)
        by = PER[ask.per]
        source = (
            f"SELECT {inner} AS figure, {unit} AS scale FROM base "
            f"WHERE {by} IS NOT NULL GROUP BY {by}, {unit}"
        )
    if ask.function == "median":
        source = (
            "SELECT figure, scale, ROW_NUMBER() OVER (PARTITION BY scale ORDER BY figure) AS place, "
            f"COUNT(*) OVER (PARTITION BY scale) AS size FROM ({source})"
        )
        figure, where = "AVG(figure)", " WHERE place IN ((size + 1) / 2, (size + 2) / 2)"
    else:
        figure, where = FIGURES[ask.function].format("figure"), ""
    text = (
        f"WITH base AS ({sql}) SELECT {figure} AS figure FROM ({source}){where} GROUP BY scale ORDER BY scale"
    )
    ordinal = f"DENSE_RANK() OVER (ORDER BY {unit}) - 1"
    sources = behind(of, context, sql, cells=(ordinal,), extra=shape.fields, ordinal=True)
    return compiled(text, (ask.function,), context, sources)


def _scale(of: Events, context: Context) -> str:
    """What figures are told apart by: the unit, and the item where several measure different things."""
    return f"LOWER(name) || ' ' || {UNIT}" if several_quantities(of, context.tables) else UNIT


def _trend(ask: Trend, of: Events, context: Context) -> Compiled:
    sql = base(of, context, Shape(numeric=True))
    one_name = sum(len(c.values) for c in of.concepts if c.field == "name") == 1
    columns = ("time", "value", "unit") if one_name else ("name", "time", "value", "unit")
    if context.patient is None:
        columns = ("subject_id", *columns)
    detailed, extra = described(of, context, Shape(numeric=True))
    sources = behind(of, context, detailed, cells=columns, extra=extra, match=tuple(range(len(columns))))
    order = "time, row_id" if one_name else "name, time, row_id"
    text = f"WITH base AS ({sql}) SELECT {', '.join(columns)} FROM base ORDER BY {order}"
    return compiled(text, columns, context, sources)


def _percentile(ask: Percentile, of: Events, context: Context) -> Compiled:
    sql = base(of, context, Shape(numeric=True))
    ranked = "SELECT value, PERCENT_RANK() OVER (ORDER BY value) AS percentile FROM base"
    text = (
        f"WITH base AS ({sql}) SELECT DISTINCT percentile FROM ({ranked}) WHERE value = {literal(ask.value)}"
    )
    return compiled(text, ("percentile",), context, behind(of, context, sql))


def _elapsed(ask: Elapsed, of: Events, context: Context) -> Compiled:
    now, factor = literal(context.now), DAYS_IN[ask.unit]
    if ask.what == "since":
        sql = base(of, context)
        span = f"JULIANDAY({now}) - JULIANDAY(time)"
    else:
        context.assume("open_until_now")
        sql = base(of, context, Shape(fields=("end_time",)))
        span = f"JULIANDAY(COALESCE(end_time, {now})) - JULIANDAY(time)"
    figure = f"{factor!r} * ({span})"
    columns = (f"{ask.what}_{ask.unit}",)
    text = (
        f"WITH base AS ({sql}) SELECT {figure} AS elapsed FROM base WHERE time IS NOT NULL "
        "GROUP BY 1 ORDER BY MIN(time)"
    )
    sources = behind(of, context, sql, cells=(figure,), match=(0,))
    return compiled(text, columns, context, sources)


_COMPILERS: dict[type, Callable[..., Compiled]] = {
    Rows: _rows,
    Count: _count,
    Exists: _exists,
    Statistic: _statistic,
    Change: change,
    Trend: _trend,
    Top: top,
    Group: group,
    Elapsed: _elapsed,
    Balance: balance,
    Readmission: readmission,
    Survival: survival,
    Percentile: _percentile,
}
