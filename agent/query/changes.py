"""A change between two values, as SQL: by how much, in which direction, or whether by so much."""

from agent.query.base import Context, Shape, base, picked
from agent.query.extent import is_as_large
from agent.query.model import Change, Events, Extent
from agent.query.provenance import Compiled, behind, compiled
from agent.query.reference import analyte_of, in_unit


def change(ask: Change, of: Events, context: Context) -> Compiled:
    """The later value and the earlier one, compared."""
    before, extent = ask.earlier_of or of, ask.at_least
    later = _first_tied(picked(_measured(of, extent, context), ask.later, context))
    earlier = _first_tied(picked(_measured(before, extent, context), ask.earlier, context))
    cohort = context.patient is None
    cells, match = (("subject_id",), (0,)) if cohort else ((), ())
    sources = [
        behind(before, context, earlier, cells=cells, match=match, role="earlier"),
        behind(of, context, later, cells=cells, match=match, role="later"),
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
        sources.append(behind(of, context, furthest, cells=cells, match=match, role="furthest"))
        between = _furthest(extent, of, "SELECT * FROM earlier", context)
        joined += f" LEFT JOIN ({between}) AS f ON f.subject_id = l.subject_id"
        figure = f"({figure} OR {is_as_large(extent, 'f', 'e', _analyte(of))} IS 1)"
    chosen = f"{figure} AS {columns[0]}"
    if cohort and extent is not None:
        chosen, columns, joined = "l.subject_id", ("subject_id",), f"{joined} WHERE {figure}"
    elif cohort:
        chosen, columns = f"l.subject_id, {chosen}", ("subject_id", *columns)
    text = f"WITH later AS ({later}), earlier AS ({earlier}) SELECT {chosen} {joined} ORDER BY l.subject_id"
    return compiled(text, columns, context, *sources)


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
