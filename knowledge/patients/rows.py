"""From rows of the store to statements: diagnoses, procedures, orders, infusions, cultures, allergies, stays."""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass

from knowledge.patients.contexts import context_of
from knowledge.patients.model import Relation, RowRef, Statement
from knowledge.patients.naming import Named, Naming
from knowledge.store.store import RecordStore


@dataclass(frozen=True, slots=True)
class _Row:
    row_id: int
    subject_id: int
    hadm_id: int | None
    wording: str | None
    code: str | None
    start: str | None
    end: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is read: its joins, and an expression for each field with the columns of the table it needs."""

    relation: Relation
    joins: str
    wording: str
    start: str
    code: str = "NULL"
    end: tuple[tuple[str, str], ...] = ()  # (columns needed, expression), the first that can be had
    status: str = "NULL"
    where: str = "1"


_TITLE = "LEFT JOIN {0} d ON d.icd_code = e.icd_code"
_STAY = "LEFT JOIN admissions a ON a.hadm_id = e.hadm_id"
TABLES: dict[str, _Table] = {
    "admissions": _Table("stayed", "", "admission_type", "e.admittime", end=(("dischtime", "e.dischtime"),)),
    "diagnoses_icd": _Table(
        "has_problem",
        _TITLE.format("d_icd_diagnoses"),
        "d.long_title",
        "e.charttime",
        "icd_code",
        (("endtime", "e.endtime"),),
        "status",
    ),
    "procedures_icd": _Table(
        "underwent",
        _TITLE.format("d_icd_procedures"),
        "d.long_title",
        "e.charttime",
        "icd_code",
        (("endtime", "e.endtime"),),
    ),
    "prescriptions": _Table(
        "takes",
        _STAY,
        "drug",
        "e.starttime",
        "code",
        (  # an open-ended order ends with its admission, unless its own status says how it stands
            (
                "stoptime status",
                "coalesce(e.stoptime, CASE WHEN e.status IS NULL THEN a.dischtime END)",
            ),
            ("stoptime", "coalesce(e.stoptime, a.dischtime)"),
        ),
        "status",
    ),
    "inputevents": _Table(
        "takes",
        "JOIN d_items d ON d.itemid = e.itemid",
        "d.label",
        "e.starttime",
        end=(("endtime", "coalesce(e.endtime, e.starttime)"), ("starttime", "e.starttime")),
    ),
    "microbiologyevents": _Table(
        "grew", "", "org_name", "e.charttime", status="org_name", where="e.org_name <> ''"
    ),
    "allergies": _Table("allergic_to", "", "substance", "e.charttime", "code", status="status"),
}
"""The tables that become statements. Results are read where they are (see ``schema.sql``)."""


def digests(store: RecordStore, table: str) -> dict[int, str]:
    """For each patient a digest of the rows of a table, whatever their order: it tells whose have changed."""
    sums: dict[int, int] = {}
    with closing(store.connect()) as connection:
        for row in _read(connection, store, table):
            said = hashlib.blake2b(repr(row).encode(), digest_size=8).digest()
            sums[row.subject_id] = (sums.get(row.subject_id, 0) + int.from_bytes(said, "big")) % 2**64
    return {subject_id: f"{total:016x}" for subject_id, total in sums.items()}


def row_statements(
    store: RecordStore, table: str, subjects: Collection[int], naming: Naming
) -> Iterator[Statement]:
    """What the rows of a table say of some patients."""
    with closing(store.connect()) as connection:
        for row in _read(connection, store, table):
            if row.subject_id in subjects:
                yield from _statements(table, row, naming)


def _read(connection: sqlite3.Connection, store: RecordStore, table: str) -> Iterator[_Row]:
    has = store.tables.get(table)
    if has is None:
        return
    spec = TABLES[table]

    def field(name: str) -> str:
        return name if "." in name or name == "NULL" else f"e.{name}" if name in has else "NULL"

    end = next((said for needed, said in spec.end if set(needed.split()) <= set(has)), "NULL")
    found = connection.execute(
        f"SELECT e.row_id, e.subject_id, {field('hadm_id')}, {field(spec.wording)}, {field(spec.code)}, {spec.start},"
        f" {end}, {field(spec.status)} FROM {table} e {spec.joins} WHERE {spec.where} ORDER BY e.row_id"
    )
    for row in found:
        yield _Row(*row)


def _statements(table: str, row: _Row, naming: Naming) -> Iterator[Statement]:
    context = context_of(table, row.code, row.status)
    own = context.assertion in ("present", "historical") and context.experiencer == "patient"
    for named in _NAMED[table](naming, row):
        yield Statement(
            subject_id=row.subject_id,
            hadm_id=row.hadm_id,
            relation=TABLES[table].relation if own else "noted",
            kind=named.kind,
            concept=named.concept,
            name=named.name,
            start=row.start,
            end=row.end,
            closed=context.closed,
            assertion=context.assertion,
            experiencer=context.experiencer,
            code=row.code,
            said_time=None,
            evidence=RowRef(table, row.row_id),
        )


_NAMED: dict[str, Callable[[Naming, _Row], tuple[Named, ...]]] = {
    "admissions": lambda naming, row: (Named(None, row.wording or "admission", "encounter"),),
    "diagnoses_icd": lambda naming, row: naming.coded("diagnoses_icd", row.code or "", row.wording),
    "procedures_icd": lambda naming, row: naming.coded("procedures_icd", row.code or "", row.wording),
    "prescriptions": lambda naming, row: naming.drug(row.wording or "", row.code),
    "inputevents": lambda naming, row: naming.drug(row.wording or ""),
    "microbiologyevents": lambda naming, row: naming.organism(row.wording or ""),
    "allergies": lambda naming, row: naming.allergen(row.wording or "", row.code),
}


def items(store: RecordStore, naming: Naming) -> Iterator[tuple[str, str, int]]:
    """(concept, table, itemid) of every item that measures a known concept.

    Where a store does not say which fluid an item is of, several items share one label ("glucose" of blood and of
    urine): only the one that is measured most stands for the concept.
    """
    with closing(store.connect()) as connection:
        yield from _lab_items(connection, store, naming)
        code = "code" if "code" in store.tables["d_items"] else "NULL"
        charted = connection.execute(
            f"SELECT itemid, label, {code}, linksto FROM d_items "
            "WHERE linksto IN ('chartevents', 'outputevents') ORDER BY itemid"
        )
        for itemid, label, coded, table in charted.fetchall():
            concept = naming.item(label or "", None, coded, ("vital", "lab"))
            if concept is not None:
                yield concept, table, itemid


def _lab_items(
    connection: sqlite3.Connection, store: RecordStore, naming: Naming
) -> Iterator[tuple[str, str, int]]:
    has = store.tables["d_labitems"]
    fluid, code = ("fluid" if "fluid" in has else "NULL"), ("code" if "code" in has else "NULL")
    counted = dict(connection.execute("SELECT itemid, count(*) FROM labevents GROUP BY itemid").fetchall())
    best: dict[tuple[str, str], int] = {}
    for itemid, label, of, coded in connection.execute(
        f"SELECT itemid, label, {fluid}, {code} FROM d_labitems ORDER BY itemid"
    ).fetchall():
        concept = naming.item(label or "", of, coded, ("lab", "vital")) if itemid in counted else None
        if concept is None:
            continue
        if of is not None:
            yield concept, "labevents", itemid
            continue
        key = (concept, (label or "").lower())
        if key not in best or counted[itemid] > counted[best[key]]:
            best[key] = itemid
    for (concept, _), itemid in best.items():
        yield concept, "labevents", itemid
