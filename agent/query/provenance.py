"""A query as SQL, and how to find the rows behind its result."""

from dataclasses import dataclass, replace

from agent.query.base import Context, Shape, base
from agent.query.domains import binding
from agent.query.model import Events

PROVENANCE_CAP = 5000
SHOWN = ("subject_id", "hadm_id", "time", "end_time", "name", "value", "unit")


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


def compiled(sql: str, columns: tuple[str, ...], context: Context, *provenance: Provenance) -> Compiled:
    """A query as SQL with the assumptions that it rests on."""
    return Compiled(sql, columns, provenance, tuple(context.assumptions))


def behind(
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


def described(
    events: Events, context: Context, shape: Shape, *, fields: tuple[str, ...] = ()
) -> tuple[str, tuple[str, ...]]:
    """The events again with what the domain never shows them without, and what that is called."""
    details = tuple(binding(events.domain, context.tables).details(context.tables))
    sql = base(events, context, replace(shape, detail=True))
    return sql, tuple(dict.fromkeys((*fields, *details)))
