"""Runs a typed query on a store: the result, and for each of its rows the evidence behind it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from agent.answer import Cell
from agent.query.among import LOOKED_AT
from agent.query.compile import compile
from agent.query.model import ClinicalQuery, Survival, Top
from agent.query.provenance import PROVENANCE_CAP, Compiled, Provenance
from agent.scope import Scope
from agent.sql.guard import run_guarded
from knowledge.errors import QueryRejected
from knowledge.store.store import RecordStore

ROWS_CAP = 1000
KEYS_CAP = 200
GROUPS_CAP = 300


@dataclass(frozen=True, slots=True)
class EvidenceRows:
    """Rows of one table that stand behind one row of the result, or behind all of it.

    Attributes:
        table: the table.
        row_ids: its keys (``note_id`` for notes), at most ``KEYS_CAP``.
        count: how many rows there are.
        truncated: there are more than ``row_ids`` names.
        values: what the first of them says, for display: name, time, value, unit and the fields asked for.
        numbers: the values of the rows in ``row_ids``, so that a computation can be done again.
        role: ``earlier``, ``later``, ``input``, ``output``, or nothing.
        result_row: index of the result row, or ``None`` where it is behind the whole result.
    """

    table: str
    row_ids: tuple[int, ...]
    count: int
    truncated: bool
    values: Mapping[str, Cell]
    numbers: tuple[Cell, ...]
    role: str
    result_row: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a query gave.

    Attributes:
        query: the query.
        columns, rows: exactly what was asked for.
        truncated: there are more rows than the cap.
        sql: the statement that gave the rows.
        evidence: the rows behind it, by result row.
        assumptions: keys of ``assumptions`` in the phrase files.
        now: the "now" that it was computed with.
    """

    query: ClinicalQuery
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool
    sql: str
    evidence: tuple[EvidenceRows, ...]
    assumptions: tuple[str, ...]
    now: str

    @property
    def empty(self) -> bool:
        """Whether no row of the records stands behind the result."""
        return not self.evidence

    def behind(self, row: int) -> tuple[int, ...]:
        """Indices of the evidence of one result row."""
        return tuple(i for i, e in enumerate(self.evidence) if e.result_row in (row, None))


def run(
    query: ClinicalQuery,
    store: RecordStore,
    scope: Scope,
    *,
    cap: int = ROWS_CAP,
    groups: int = GROUPS_CAP,
    seconds: float = 2.0,
) -> Outcome:
    """Compile a query and run it under the guard.

    Args:
        query: the query.
        store: the records.
        scope: gives "now" and the permission.
        cap: result rows at most.
        groups: pieces of evidence at most.
        seconds: time at most for each statement.

    Raises:
        NotInSchema: the store cannot hold what is asked.
        QueryRejected: the patient is not permitted, the parts do not fit, or the guard stopped it.
    """
    if query.patient is not None and not scope.may_see(query.patient):
        raise QueryRejected("The query is about a patient that this user may not see.")
    compiled = compile(query, store.tables, scope.now)
    table = run_guarded(compiled.sql, store, scope, cap=cap, seconds=seconds)
    evidence: list[EvidenceRows] = []
    for provenance in compiled.provenance:
        # What was looked at is behind a "no" alone.
        if provenance.role not in LOOKED_AT or all(found.role for found in evidence):
            evidence += _evidence(provenance, table.rows, store, scope, seconds)
    passed_over = compiled.passed_over is not None and bool(
        run_guarded(compiled.passed_over, store, scope, cap=1, seconds=seconds).rows
    )
    evidence.sort(key=lambda found: -1 if found.result_row is None else found.result_row)
    return Outcome(
        query=query,
        columns=compiled.columns,
        rows=tuple(tuple(_rounded(cell) for cell in row) for row in table.rows),
        truncated=table.truncated,
        sql=compiled.sql,
        evidence=tuple(evidence[:groups]),
        assumptions=_true_assumptions(compiled, query, evidence, table.rows, passed_over),
        now=scope.now,
    )


def _evidence(
    provenance: Provenance,
    rows: tuple[tuple[Cell, ...], ...],
    store: RecordStore,
    scope: Scope,
    seconds: float,
) -> list[EvidenceRows]:
    found = run_guarded(provenance.sql, store, scope, cap=PROVENANCE_CAP, seconds=seconds)
    leading = provenance.apart or (1 if provenance.ordinal else len(provenance.match))
    places = {tuple(_key(row[i]) for i in provenance.match): index for index, row in enumerate(rows)}
    groups: defaultdict[object, list[tuple[Cell, ...]]] = defaultdict(list)
    for row in found.rows:
        if provenance.apart or not leading:
            groups[tuple(map(_key, row[:leading]))].append(row[leading:])
        elif provenance.ordinal:
            groups[int(row[0] or 0)].append(row[1:])
        elif (place := places.get(tuple(map(_key, row[:leading])))) is not None:
            groups[place].append(row[leading:])
    return [
        _group(provenance, members, place if isinstance(place, int) else None, found.truncated)
        for place, members in groups.items()
        if not isinstance(place, int) or place < len(rows)
    ]


def _group(
    provenance: Provenance, members: list[tuple[Cell, ...]], place: int | None, truncated: bool
) -> EvidenceRows:
    kept = members[:KEYS_CAP]
    value = 1 + provenance.shown.index("value")
    shown = dict(zip(provenance.shown, members[0][1:], strict=True))
    return EvidenceRows(
        table=provenance.table,
        row_ids=tuple(int(row[0] or 0) for row in kept),
        count=len(members),
        truncated=truncated or len(members) > len(kept),
        values={name: _rounded(cell) for name, cell in shown.items() if cell is not None},
        numbers=tuple(_rounded(row[value]) for row in kept),
        role=provenance.role,
        result_row=place,
    )


def _key(cell: Cell) -> Cell:
    """Cells that the database groups together, although their case differs, are one key."""
    return cell.casefold() if isinstance(cell, str) else cell


def _rounded(cell: Cell) -> Cell:
    """Without the tail of binary arithmetic (0.7 for 0.6999999999999997)."""
    return float(f"{cell:.12g}") if isinstance(cell, float) else cell


def _true_assumptions(
    compiled: Compiled,
    query: ClinicalQuery,
    evidence: list[EvidenceRows],
    rows: tuple[tuple[Cell, ...], ...],
    passed_over: bool,
) -> tuple[str, ...]:
    """Leaves out what was provided for but did not come to pass."""
    converted = any(
        e.values.get("unit_recorded") != e.values.get("unit") for e in evidence if "unit_recorded" in e.values
    )
    happened = {
        "units_converted": converted,
        "numeric_only": passed_over,
        "ties_included": _tied(query, evidence, rows),
    }
    return tuple(key for key in compiled.assumptions if happened.get(key, True))


def _tied(query: ClinicalQuery, evidence: list[EvidenceRows], rows: tuple[tuple[Cell, ...], ...]) -> bool:
    """Whether more came first than was asked for."""
    if isinstance(query.ask, Top) or (isinstance(query.ask, Survival) and query.ask.by is not None):
        return len(rows) > query.ask.n
    picked: Counter[tuple[Cell, ...]] = Counter()
    for piece in evidence if query.of.pick is not None else ():
        picked[(piece.role, piece.values.get("subject_id"), piece.values.get("name"))] += piece.count
    return any(count > 1 for count in picked.values())
