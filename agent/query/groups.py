"""Groups of events as SQL: a figure for each, the most frequent, the share that lived."""

from agent.query.base import Context, Shape, base
from agent.query.figures import COUNTED, CULTURE, CULTURES, FIGURES, RATE_OF, UNIT, bucketed, column, measure
from agent.query.literals import literal
from agent.query.model import Events, Group, Survival, Top
from agent.query.provenance import Compiled, behind, compiled


def top(ask: Top, of: Events, context: Context) -> Compiled:
    """The most frequent values of a field."""
    context.assume("ties_included")
    key = column(ask.field)
    fields = (key, "cost") if ask.by == "cost" else (key,)
    figure = "SUM(cost)" if ask.by == "cost" else FIGURES[ask.by]
    if of.domain == "microbiology" and key == "organism" and ask.by == "events":
        figure, fields = CULTURES, (*fields, "specimen")  # a culture has a row for each antibiotic tested
        context.assume("cultures_counted")
    sql = base(of, context, Shape(fields=fields))
    kind = "concept" if key == "name" else key
    rank = "DENSE_RANK" if ask.cut == "ranks" else "RANK"
    groups = (
        f"SELECT {kind} AS kind, {key} AS label, {figure} AS figure, "
        f"{rank}() OVER (ORDER BY {figure} DESC) AS place FROM base WHERE {key} IS NOT NULL GROUP BY {kind}"
    )
    text, kept = _best(sql, groups, ask.n, kind, ask.show_count)
    columns = (ask.field, ask.by) if ask.show_count else (ask.field,)
    sources = behind(of, context, kept, cells=("nth",), extra=fields, ordinal=True)
    return compiled(text, columns, context, sources)


def _best(sql: str, groups: str, n: int, kind: str, show_figure: bool) -> tuple[str, str]:
    """The groups in the first ``n`` places, and the events of ``sql`` in them, numbered likewise (``nth``)."""
    order = "place, label, kind"
    chosen = f"FROM ({groups}) WHERE place <= {n}"
    text = f"WITH base AS ({sql}) SELECT label{', figure' * show_figure} {chosen} ORDER BY {order}"
    numbered = f"WITH base AS ({sql}) SELECT kind, ROW_NUMBER() OVER (ORDER BY {order}) - 1 AS nth {chosen}"
    return text, f"SELECT b.*, k.nth FROM ({sql}) AS b JOIN ({numbered}) AS k ON k.kind = b.{kind}"


def survival(ask: Survival, of: Events, context: Context) -> Compiled:
    """The share of patients who lived so long after an event."""
    context.assume("survival_definition")
    lived = f"AVG(CASE WHEN JULIANDAY(dod) - JULIANDAY(time) < {ask.days} THEN 0.0 ELSE 1.0 END)"
    long_ago = f"JULIANDAY({literal(context.now)}) - JULIANDAY(time) >= {ask.days}"
    whose = "subject_id" if ask.by is None else "subject_id, concept"
    turn = f"ROW_NUMBER() OVER (PARTITION BY {whose} ORDER BY time, row_id) AS turn"
    each = f"SELECT *, {turn} FROM ({base(of, context, Shape(fields=('dod',)))}) WHERE time IS NOT NULL"
    sql = f"SELECT * FROM ({each}) WHERE turn = 1 AND {long_ago}"
    if ask.by is None:
        text = f"WITH base AS ({sql}) SELECT {lived} AS survival FROM base"
        return compiled(text, ("survival",), context, behind(of, context, sql, extra=("dod",)))
    groups = (
        f"SELECT concept AS kind, name AS label, {lived} AS figure, "
        f"DENSE_RANK() OVER (ORDER BY {lived}) AS place FROM base GROUP BY concept"
    )
    text, kept = _best(sql, groups, ask.n, "concept", ask.show_rate)
    columns = ("name", "survival") if ask.show_rate else ("name",)
    sources = behind(of, context, kept, cells=("nth",), extra=("dod",), ordinal=True)
    return compiled(text, columns, context, sources)


def group(ask: Group, of: Events, context: Context) -> Compiled:
    """One figure for each group."""
    counted = ask.figure in COUNTED
    field, shape = measure(ask.field, counted)
    key = bucketed(ask.bucket, ask.on) if ask.bucket else column(ask.by or "name")
    series = column(ask.series) if ask.series else None
    keys = {"bucket": key} | ({"series": series} if series else {})
    named = (None if ask.bucket else key, series)
    more = ("specimen",) if ask.figure == "cultures" or ask.field == "culture" else ()
    if more:
        context.assume("cultures_counted")  # a culture has a row for each antibiotic tested
    fields = tuple(dict.fromkeys((*shape.fields, *more, *(name for name in named if name))))
    sql = base(of, context, Shape(fields, shape.numeric, met=ask.met))
    figure = FIGURES[ask.figure].format(field)
    if ask.figure == "rate" and ask.field in ("subject_id", "hadm_id", "culture"):
        figure = RATE_OF.format(CULTURE if ask.field == "culture" else ask.field)
    unit = UNIT if field == "value" and not counted else "''"
    share = f", 1.0 * {figure} / SUM({figure}) OVER () AS share" if ask.share else ""
    where = f"{column(ask.on) if ask.bucket else key} IS NOT NULL"
    where += f" AND {series} IS NOT NULL" if series else ""
    group = ", ".join((*keys.values(), unit))
    source = _ranked(field, group, where) if ask.figure == "median" else f"base WHERE {where}"
    grouped = (
        f"SELECT {', '.join(f'{column} AS {name}' for name, column in keys.items())}, {unit} AS scale, "
        f"{figure} AS figure{share} FROM {source} GROUP BY {group}"
    )
    shown = (*(keys if ask.show_group else ()), "figure", *(("share",) if ask.share else ()))
    order = ", ".join((*keys, "scale"))
    text = f"WITH base AS ({sql}) SELECT {', '.join(shown)} FROM ({grouped}) ORDER BY {order}"
    columns = (ask.bucket or ask.by or "name", *((ask.series,) if ask.series else ()))
    columns = (*(columns if ask.show_group else ()), ask.figure, *(("share",) if ask.share else ()))
    kept = f"SELECT * FROM ({sql}) WHERE {where}"
    ordinal = f"DENSE_RANK() OVER (ORDER BY {group}) - 1"
    sources = behind(of, context, kept, cells=(ordinal,), extra=fields, ordinal=True)
    return compiled(text, columns, context, sources)


def _ranked(field: str, group: str, where: str) -> str:
    """The values of each group with their place and how many they are, of which a median is made."""
    place = f"ROW_NUMBER() OVER (PARTITION BY {group} ORDER BY {field}) AS place"
    size = f"COUNT(*) OVER (PARTITION BY {group}) AS size"
    return f"(SELECT *, {place}, {size} FROM base WHERE {where} AND {field} IS NOT NULL)"
