"""From the typed query to SQL: one SELECT for the answer, and one for the keys of the rows behind it.

``base.py`` finds the events; this module says what is asked of them. SQLite's dialect; a hospital with
another engine needs another compiler only.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.query.base import Context, Shape, base, picked, several_quantities
from agent.query.domains import Tables, binding
from agent.query.extent import is_as_large
from agent.query.literals import literal
from agent.query.model import (
    Balance,
    Bucket,
    Change,
    ClinicalQuery,
    Condition,
    Count,
    Elapsed,
    Events,
    Exists,
    Extent,
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
from agent.query.reference import analyte_of, in_unit
from knowledge.errors import QueryRejected

PROVENANCE_CAP = 5000
SHOWN = ("subject_id", "hadm_id", "time", "end_time", "name", "value", "unit")
BUCKETS: dict[Bucket, str] = {
    "hour": "STRFTIME('%Y-%m-%d %H:00', time)",
    "day": "STRFTIME('%Y-%m-%d', time)",
    "week": "DATE(time, 'weekday 0', '-6 days')",
    "month": "STRFTIME('%Y-%m', time)",
    "quarter": "STRFTIME('%Y', time) || '-Q' || ((CAST(STRFTIME('%m', time) AS INTEGER) + 2) / 3)",
    "year": "STRFTIME('%Y', time)",
}
PER = {
    "patient": "subject_id",
    "admission": "hadm_id",
    "day": BUCKETS["day"],
    "month": BUCKETS["month"],
    "year": BUCKETS["year"],
}
DAYS_IN = {
    "minutes": 1440.0,
    "hours": 24.0,
    "days": 1.0,
    "weeks": 1 / 7,
    "months": 1 / 30.436875,
    "years": 1 / 365.2425,
}
FIGURES = {
    "events": "COUNT(*)",
    "count": "COUNT(*)",
    "patients": "COUNT(DISTINCT subject_id)",
    "admissions": "COUNT(DISTINCT hadm_id)",
    "mean": "AVG({0})",
    "min": "MIN({0})",
    "max": "MAX({0})",
    "sum": "SUM({0})",
}
UNIT = "LOWER(COALESCE(unit, ''))"
MEASURED = frozenset({"reported", "low", "high", "flag"})  # differ with each measurement
CULTURES = "COUNT(DISTINCT subject_id || '|' || COALESCE(time, '') || '|' || COALESCE(specimen, ''))"


@dataclass(frozen=True, slots=True)
class Provenance:
    """How to find the rows behind the result.

    ``sql`` gives, for each row: the cells that tell which result row it belongs to, its key, then ``shown``.

    Attributes:
        table: the table whose keys these are.
        key: its key column, ``row_id`` or ``note_id``.
        shown: names of the columns for display.
        role: which part of a computation: ``earlier``, ``later``, ``input``, ``output``, or nothing.
        match: result columns that the leading cells equal; none: the whole result rests on each row.
        ordinal: the leading cell is the number of the result row instead.
        apart: so many leading cells tell apart what is said separately, all of it behind the whole result.
    """

    table: str
    key: str
    sql: str
    shown: tuple[str, ...]
    role: str = ""
    match: tuple[int, ...] = ()
    ordinal: bool = False
    apart: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query as SQL.

    Attributes:
        sql: one SELECT whose columns are exactly what was asked for.
        columns: their names.
        provenance: SELECTs of the rows behind it.
        assumptions: keys of ``assumptions`` in the phrase files.
        passed_over: finds whether a result without any number was passed over; ``None``: none could be.
    """

    sql: str
    columns: tuple[str, ...]
    provenance: tuple[Provenance, ...]
    assumptions: tuple[str, ...]
    passed_over: str | None = None


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
    return _COMPILERS[type(query.ask)](query.ask, query.of, context)


def _compiled(sql: str, columns: tuple[str, ...], context: Context, *provenance: Provenance) -> Compiled:
    return Compiled(sql, columns, provenance, tuple(context.assumptions))


def _behind(
    events: Events,
    context: Context,
    sql: str,
    *,
    cells: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
    role: str = "",
    match: tuple[int, ...] = (),
    ordinal: bool = False,
    apart: int = 0,
) -> Provenance:
    """The provenance of ``sql``, a SELECT of events; newest first where they are said one by one."""
    at = binding(events.domain, context.tables)
    shown = tuple(dict.fromkeys((*SHOWN, *context.recorded, *extra)))
    columns = ", ".join([*(f"{cell} AS g{i}" for i, cell in enumerate(cells)), "row_id", *shown])
    order = "time DESC, row_id" if apart else "time, row_id"
    text = f"WITH base AS ({sql}) SELECT {columns} FROM base ORDER BY {order} LIMIT {PROVENANCE_CAP + 1}"
    return Provenance(at.table, at.key, text, shown, role, match, ordinal, apart)


def _described(
    events: Events, context: Context, shape: Shape, *, fields: tuple[str, ...] = ()
) -> tuple[str, tuple[str, ...]]:
    """The events again with what the domain never shows them without, and what that is called."""
    details = tuple(binding(events.domain, context.tables).details(context.tables))
    sql = base(events, context, replace(shape, detail=True))
    return sql, tuple(dict.fromkeys((*fields, *details)))


def _column(field: str) -> str:
    return "end_time" if field == "end" else field


def _rows(ask: Rows, of: Events, context: Context) -> Compiled:
    at = binding(of.domain, context.tables)
    held = tuple(
        name for name in ask.also if name in at.fields and at.has(at.fields[name].column, context.tables)
    )
    asked = tuple(dict.fromkeys((*ask.fields, *held)))
    fields = tuple(_column(field) for field in asked)
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
    described, extra = _described(of, context, Shape(fields, reported="value" in fields), fields=fields)
    behind = _behind(of, context, described, cells=fields, extra=extra, match=tuple(range(len(fields))))
    compiled = _compiled(
        f"WITH base AS ({sql}) SELECT {listed} FROM base {tail}{limit}", asked, context, behind
    )
    return replace(compiled, passed_over=_passed_over(of, context, sql))


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
    return _compiled(
        f"WITH base AS ({sql}) SELECT {what} AS count FROM base",
        ("count",),
        context,
        _behind(of, context, sql),
    )


def _exists(ask: Exists, of: Events, context: Context) -> Compiled:
    sql = base(of, context)
    described, extra = _described(of, context, Shape())
    apart = ("subject_id", "name", *(name for name in extra if name not in MEASURED))
    test = "COUNT(*) = 0" if ask.none else "COUNT(*) > 0"
    behind = [_behind(of, context, described, cells=apart, extra=extra, apart=len(apart))]
    if ask.among:
        where = tuple(condition for condition in of.where if condition.field != "value")
        looked_at = of.model_copy(update={"where": where})
        side = "min" if Condition(field="value", value="low") in of.where else "max"
        furthest = looked_at.model_copy(update={"pick": Pick(which=side, then="last")})
        behind += [
            _behind(looked_at, context, base(events, context, Shape(numeric=True)), role=role)
            for events, role in ((looked_at, "looked_at"), (furthest, "furthest"))
        ]
    text = f"WITH base AS ({sql}) SELECT {test} AS found FROM base"
    return _compiled(text, ("exists",), context, *behind)


def _statistic(ask: Statistic, of: Events, context: Context) -> Compiled:
    counted = ask.per is not None and ask.inner in ("count", "patients", "admissions")
    field, shape = _measure(ask.field, counted)
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
    behind = _behind(of, context, sql, cells=(ordinal,), extra=shape.fields, ordinal=True)
    return _compiled(text, (ask.function,), context, behind)


def _scale(of: Events, context: Context) -> str:
    """What figures are told apart by: the unit, and the item where several measure different things."""
    return f"LOWER(name) || ' ' || {UNIT}" if several_quantities(of, context.tables) else UNIT


def _measure(field: str, counted: bool) -> tuple[str, Shape]:
    """The column of a numeric field and what the base must bring for it."""
    if counted:
        return "value", Shape()
    return (
        (field, Shape(numeric=True))
        if field == "value"
        else (_column(field), Shape(fields=(_column(field),)))
    )


def _change(ask: Change, of: Events, context: Context) -> Compiled:
    before, extent = ask.earlier_of or of, ask.at_least
    later = _first_tied(picked(_measured(of, extent, context), ask.later, context))
    earlier = _first_tied(picked(_measured(before, extent, context), ask.earlier, context))
    cohort = context.patient is None
    cells, match = (("subject_id",), (0,)) if cohort else ((), ())
    behind = [
        _behind(before, context, earlier, cells=cells, match=match, role="earlier"),
        _behind(of, context, later, cells=cells, match=match, role="later"),
    ]
    joined = f"FROM later AS l JOIN earlier AS e ON e.subject_id = l.subject_id AND {_same_unit('l', 'e')}"
    if extent is None:
        figure = f"l.value {ask.as_comparison or '-'} e.value"
        columns = ("comparison" if ask.as_comparison else "change",)
    else:
        figure, columns = is_as_large(extent, "l", "e", _analyte(of)), ("reached",)
    if extent is not None and ask.looks_between:
        context.assume("change_of_ends")
        furthest = _furthest(extent, of, earlier, context)
        behind.append(_behind(of, context, furthest, cells=cells, match=match, role="furthest"))
        between = _furthest(extent, of, "SELECT * FROM earlier", context)
        joined += f" LEFT JOIN ({between}) AS f ON f.subject_id = l.subject_id"
        figure = f"({figure} OR {is_as_large(extent, 'f', 'e', _analyte(of))} IS 1)"
    chosen = f"{figure} AS {columns[0]}"
    if cohort and extent is not None:
        chosen, columns, joined = "l.subject_id", ("subject_id",), f"{joined} WHERE {figure}"
    elif cohort:
        chosen, columns = f"l.subject_id, {chosen}", ("subject_id", *columns)
    text = f"WITH later AS ({later}), earlier AS ({earlier}) SELECT {chosen} {joined} ORDER BY l.subject_id"
    return _compiled(text, columns, context, *behind)


def _measured(events: Events, extent: Extent | None, context: Context) -> str:
    """The numbers whose change is asked about; those that convert to its unit, where it is given in one."""
    sql = base(events, context, Shape(numeric=True))
    if extent is None or extent.unit is None:
        return sql
    context.assume("other_units_left_out")
    return (
        f"SELECT * FROM ({sql}) WHERE {in_unit('value', 'unit', _analyte(events), extent.unit)} IS NOT NULL"
    )


def _analyte(events: Events) -> str | None:
    return analyte_of(value for concept in events.concepts for value in concept.values)


def _first_tied(picked_sql: str) -> str:
    """One row for each patient, where several were picked."""
    first = (
        f"SELECT *, ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY row_id) AS nth FROM ({picked_sql})"
    )
    return f"SELECT * FROM ({first}) WHERE nth = 1"


def _same_unit(one: str, other: str) -> str:
    """SQL: two rows are not in different units."""
    first, second = f"{one}.unit", f"{other}.unit"
    return f"LOWER(COALESCE({first}, {second}, '')) = LOWER(COALESCE({second}, {first}, ''))"


def _furthest(extent: Extent, of: Events, earlier: str, context: Context) -> str:
    """The highest value after the earlier one, or the lowest where a fall is asked about."""
    order = f"b.value {'DESC' if extent.direction == 'rise' else 'ASC'}, b.time, b.row_id"
    after = (
        f"SELECT b.*, ROW_NUMBER() OVER (PARTITION BY b.subject_id ORDER BY {order}) AS far "
        f"FROM ({_measured(of, extent, context)}) AS b JOIN ({earlier}) AS e "
        f"ON e.subject_id = b.subject_id AND b.time > e.time AND {_same_unit('b', 'e')}"
    )
    return f"SELECT * FROM ({after}) WHERE far = 1"


def _trend(ask: Trend, of: Events, context: Context) -> Compiled:
    sql = base(of, context, Shape(numeric=True))
    one_name = sum(len(c.values) for c in of.concepts if c.field == "name") == 1
    columns = ("time", "value", "unit") if one_name else ("name", "time", "value", "unit")
    if context.patient is None:
        columns = ("subject_id", *columns)
    described, extra = _described(of, context, Shape(numeric=True))
    behind = _behind(of, context, described, cells=columns, extra=extra, match=tuple(range(len(columns))))
    order = "time, row_id" if one_name else "name, time, row_id"
    text = f"WITH base AS ({sql}) SELECT {', '.join(columns)} FROM base ORDER BY {order}"
    return _compiled(text, columns, context, behind)


def _top(ask: Top, of: Events, context: Context) -> Compiled:
    context.assume("ties_included")
    key = _column(ask.field)
    fields = (key, "cost") if ask.by == "cost" else (key,)
    figure = "SUM(cost)" if ask.by == "cost" else FIGURES[ask.by]
    if of.domain == "microbiology" and key == "organism" and ask.by == "events":
        figure, fields = CULTURES, (*fields, "specimen")  # a culture has a row for each antibiotic tested
        context.assume("cultures_counted")
    sql = base(of, context, Shape(fields=fields))
    kind = "concept" if key == "name" else key
    groups = (
        f"SELECT {kind} AS kind, {key} AS label, {figure} AS figure, "
        f"DENSE_RANK() OVER (ORDER BY {figure} DESC) AS place FROM base WHERE {key} IS NOT NULL GROUP BY {kind}"
    )
    text, kept = _best(sql, groups, ask.n, kind, ask.show_count)
    columns = (ask.field, ask.by) if ask.show_count else (ask.field,)
    behind = _behind(of, context, kept, cells=("nth",), extra=fields, ordinal=True)
    return _compiled(text, columns, context, behind)


def _best(sql: str, groups: str, n: int, kind: str, show_figure: bool) -> tuple[str, str]:
    """The groups in the first ``n`` places, and the events of ``sql`` in them, numbered likewise (``nth``)."""
    order = "place, label, kind"
    chosen = f"FROM ({groups}) WHERE place <= {n}"
    text = f"WITH base AS ({sql}) SELECT label{', figure' * show_figure} {chosen} ORDER BY {order}"
    numbered = f"WITH base AS ({sql}) SELECT kind, ROW_NUMBER() OVER (ORDER BY {order}) - 1 AS nth {chosen}"
    return text, f"SELECT b.*, k.nth FROM ({sql}) AS b JOIN ({numbered}) AS k ON k.kind = b.{kind}"


def _survival(ask: Survival, of: Events, context: Context) -> Compiled:
    context.assume("survival_definition")
    lived = f"AVG(CASE WHEN JULIANDAY(dod) - JULIANDAY(time) < {ask.days} THEN 0.0 ELSE 1.0 END)"
    long_ago = f"JULIANDAY({literal(context.now)}) - JULIANDAY(time) >= {ask.days}"
    whose = "subject_id" if ask.by is None else "subject_id, concept"
    turn = f"ROW_NUMBER() OVER (PARTITION BY {whose} ORDER BY time, row_id) AS turn"
    each = f"SELECT *, {turn} FROM ({base(of, context, Shape(fields=('dod',)))}) WHERE time IS NOT NULL"
    sql = f"SELECT * FROM ({each}) WHERE turn = 1 AND {long_ago}"
    if ask.by is None:
        text = f"WITH base AS ({sql}) SELECT {lived} AS survival FROM base"
        return _compiled(text, ("survival",), context, _behind(of, context, sql, extra=("dod",)))
    groups = (
        f"SELECT concept AS kind, name AS label, {lived} AS figure, "
        f"DENSE_RANK() OVER (ORDER BY {lived}) AS place FROM base GROUP BY concept"
    )
    text, kept = _best(sql, groups, ask.n, "concept", ask.show_rate)
    columns = ("name", "survival") if ask.show_rate else ("name",)
    behind = _behind(of, context, kept, cells=("nth",), extra=("dod",), ordinal=True)
    return _compiled(text, columns, context, behind)


def _percentile(ask: Percentile, of: Events, context: Context) -> Compiled:
    sql = base(of, context, Shape(numeric=True))
    ranked = "SELECT value, PERCENT_RANK() OVER (ORDER BY value) AS percentile FROM base"
    text = (
        f"WITH base AS ({sql}) SELECT DISTINCT percentile FROM ({ranked}) WHERE value = {literal(ask.value)}"
    )
    return _compiled(text, ("percentile",), context, _behind(of, context, sql))


def _group(ask: Group, of: Events, context: Context) -> Compiled:
    counted = ask.figure in ("events", "patients", "admissions")
    field, shape = _measure(ask.field, counted)
    key = BUCKETS[ask.bucket] if ask.bucket else _column(ask.by or "name")
    series = _column(ask.series) if ask.series else None
    keys = {"bucket": key} | ({"series": series} if series else {})
    named = (None if ask.bucket else key, series)
    fields = tuple(dict.fromkeys((*shape.fields, *(name for name in named if name))))
    sql = base(of, context, Shape(fields, shape.numeric))
    figure = FIGURES[ask.figure].format(field)
    unit = UNIT if field == "value" and not counted else "''"
    share = f", 1.0 * {figure} / SUM({figure}) OVER () AS share" if ask.share else ""
    where = "time IS NOT NULL" if ask.bucket else f"{key} IS NOT NULL"
    where += f" AND {series} IS NOT NULL" if series else ""
    group = ", ".join((*keys.values(), unit))
    grouped = (
        f"SELECT {', '.join(f'{column} AS {name}' for name, column in keys.items())}, {unit} AS scale, "
        f"{figure} AS figure{share} FROM base WHERE {where} GROUP BY {group}"
    )
    shown = (*(keys if ask.show_group else ()), "figure", *(("share",) if ask.share else ()))
    order = ", ".join((*keys, "scale"))
    text = f"WITH base AS ({sql}) SELECT {', '.join(shown)} FROM ({grouped}) ORDER BY {order}"
    columns = (ask.bucket or ask.by or "name", *((ask.series,) if ask.series else ()))
    columns = (*(columns if ask.show_group else ()), ask.figure, *(("share",) if ask.share else ()))
    kept = f"SELECT * FROM ({sql}) WHERE {where}"
    ordinal = f"DENSE_RANK() OVER (ORDER BY {group}) - 1"
    behind = _behind(of, context, kept, cells=(ordinal,), extra=fields, ordinal=True)
    return _compiled(text, columns, context, behind)


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
    behind = _behind(of, context, sql, cells=(figure,), match=(0,))
    return _compiled(text, columns, context, behind)


def _balance(ask: Balance, of: Events, context: Context) -> Compiled:
    if of.domain != "input":
        raise QueryRejected("A fluid balance is asked of the domain 'input'.")
    context.assume("millilitres_only")
    out = of.model_copy(update={"domain": "output", "concepts": (), "where": ()})
    taken, lost = (
        f"SELECT * FROM ({base(events, context, Shape(numeric=True))}) WHERE LOWER(unit) = 'ml'"
        for events in (of, out)
    )
    both = f"SELECT time, value FROM ({taken}) UNION ALL SELECT time, -value AS value FROM ({lost})"
    if ask.per == "day":
        day = BUCKETS["day"]
        text = f"SELECT {day} AS day, SUM(value) AS balance FROM ({both}) GROUP BY {day} ORDER BY {day}"
        columns, cells, match = ("day", "balance"), (day,), (0,)
    else:
        text, columns, cells, match = f"SELECT SUM(value) AS balance FROM ({both})", ("balance",), (), ()
    return _compiled(
        text,
        columns,
        context,
        _behind(of, context, taken, cells=cells, match=match, role="input"),
        _behind(out, context, lost, cells=cells, match=match, role="output"),
    )


def _readmission(ask: Readmission, of: Events, context: Context) -> Compiled:
    if of.domain != "admission":
        raise QueryRejected("Readmissions are asked of the domain 'admission'.")
    context.assume("readmission_definition")
    sql = base(of, context)
    again = f"r.time >= b.end_time AND r.time <= DATETIME(b.end_time, '+{ask.days} days')"
    everyone = base(Events(domain="admission"), context)
    other = "r.subject_id = b.subject_id AND r.row_id <> b.row_id"
    back = f"EXISTS (SELECT 1 FROM ({everyone}) AS r WHERE {other} AND {again})"
    flagged = f"SELECT b.*, {back} AS back FROM ({sql}) AS b WHERE b.end_time IS NOT NULL"
    figures = "SUM(back) AS readmissions, COUNT(*) AS discharges"
    key = BUCKETS[ask.bucket].replace("time", "end_time") if ask.bucket else None
    head = f"{key} AS bucket, " if key else ""
    tail = f" GROUP BY {key} ORDER BY {key}" if key else ""
    columns = ((ask.bucket,) if ask.bucket else ()) + ("readmissions", "discharges")
    cells, match = ((key,), (0,)) if key else ((), ())
    behind = [
        _behind(of, context, f"SELECT * FROM ({flagged}) WHERE {test}", cells=cells, match=match, role=role)
        for test, role in (("back", "readmitted"), ("NOT back", "discharged"))
    ]
    group = key.replace("end_time", "b.end_time") if key else "''"
    returns = (
        f"SELECT r.*, {group} AS bucket FROM ({everyone}) AS r JOIN ({sql}) AS b ON {other} AND {again} "
        "GROUP BY r.row_id, bucket"
    )
    cells = ("bucket",) if key else ()
    behind.append(_behind(of, context, returns, cells=cells, match=match, role="return"))
    return _compiled(f"SELECT {head}{figures} FROM ({flagged}){tail}", columns, context, *behind)


_COMPILERS: dict[type, Callable[..., Compiled]] = {
    Rows: _rows,
    Count: _count,
    Exists: _exists,
    Statistic: _statistic,
    Change: _change,
    Trend: _trend,
    Top: _top,
    Group: _group,
    Elapsed: _elapsed,
    Balance: _balance,
    Readmission: _readmission,
    Survival: _survival,
    Percentile: _percentile,
}
