"""Reads the patient graph of one store: problems, drugs, results, allergies, findings, timelines, cohorts."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from knowledge.errors import IndexFault
from knowledge.patients.model import DrugOrder, Measured, NoteRef, Problem, Relation, RowRef, Statement
from knowledge.patients.write import DATABASE, generations
from knowledge.store.store import RecordStore

_STATEMENT = (
    "SELECT e.subject_id, e.hadm_id, e.relation, n.kind, n.concept, n.name, e.start, e.end, e.closed, e.assertion, "
    "e.experiencer, e.code, e.said_time, e.tbl, e.row_id, e.note_id, e.span_start, e.span_end "
    "FROM edges e JOIN nodes n USING (node_id) WHERE "
)
_ORDER = " ORDER BY e.start IS NULL, e.start, e.edge_id"
_VALUES = {  # where a table has the number and the text of a result
    "labevents": ("valuenum", "value"),
    "chartevents": ("valuenum", "value"),
    "outputevents": ("value", ""),
}
_MARKS = 500  # values bound in one statement


@dataclass(frozen=True, slots=True)
class Member:
    """A patient of a cohort, with what makes them one."""

    subject_id: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class _Wording:
    """What a row writes of an order."""

    drug: str
    route: str | None = None
    dose: str | None = None
    frequency: str | None = None

    @classmethod
    def of(
        cls,
        drug: str | None,
        route: str | None,
        dose: str | float | None,
        unit: str | None,
        frequency: str | None,
    ) -> "_Wording":
        """From the cells of a row; a dose of which there is only the unit is none."""
        value = f"{dose:g}" if isinstance(dose, int | float) else (dose or "").strip()
        return cls(drug or "", route, f"{value} {unit or ''}".rstrip() if value else None, frequency or None)


class PatientGraph:
    """An opened patient graph; safe to use from several threads.

    It does not know who asks: a caller passes only patients that its user may see, and gives ``permitted`` where a
    question is about many.

    Args:
        database: the file of a generation.
        store: whose graph it is; results are read there.
    """

    def __init__(self, database: Path, store: RecordStore) -> None:
        self._store = store
        self._connection = sqlite3.connect(
            f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )

    @classmethod
    def open(cls, store: RecordStore, folder: Path) -> "PatientGraph":
        """Open the patient graph in the index folder of a store; every byte is checked.

        Raises:
            IndexFault: missing, truncated, altered or of another store.
        """
        places = generations(store, folder)
        generation, manifest = places.open()
        if manifest.store != store.identity():
            raise IndexFault(
                f"The index {places.folder} was built from another store. Build it anew with: {places.repair}"
            )
        return cls(generation / DATABASE, store)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def counts(self) -> dict[str, int]:
        """Nodes by kind and edges by relation."""
        nodes = self._connection.execute("SELECT kind, count(*) FROM nodes GROUP BY kind ORDER BY kind")
        edges = self._connection.execute("SELECT relation, count(*) FROM edges GROUP BY 1 ORDER BY 1")
        return dict([*nodes.fetchall(), *edges.fetchall()])

    def statements(
        self,
        subject_id: int,
        *,
        relations: Collection[Relation] | None = None,
        concepts: Collection[str] | None = None,
    ) -> tuple[Statement, ...]:
        """All that is said of a patient, earliest first; ``None``: of whatever relation or concept."""
        where, values = ["e.subject_id = ?"], [subject_id]
        for column, chosen in (("e.relation", relations), ("n.concept", concepts)):
            if chosen is not None:
                where.append(f"{column} IN ({', '.join('?' * len(chosen))})")
                values += [*chosen]
        return tuple(self._read(" AND ".join(where), values))

    def problems(self, subject_id: int, at: str | None = None) -> tuple[Problem, ...]:
        """The problems of a patient, each once whatever its codes and wording, those said last first.

        Args:
            subject_id: the patient.
            at: only what had begun by then and had not ended.
        """
        return self._things(subject_id, "has_problem", at)

    def findings(self, subject_id: int, at: str | None = None) -> tuple[Problem, ...]:
        """The findings of a patient that notes assert, those said last first; see ``problems``."""
        return self._things(subject_id, "has_finding", at)

    def denied(self, subject_id: int, concepts: Collection[str] | None = None) -> tuple[Statement, ...]:
        """What the record says that the patient does not have."""
        said = self.statements(subject_id, relations=("noted",), concepts=concepts)
        return tuple(s for s in said if s.assertion == "negated" and s.experiencer == "patient")

    def drugs(self, subject_id: int, at: str) -> tuple[DrugOrder, ...]:
        """The orders and infusions that run at a time: begun, and not ended by then; newest first.

        An order that its own status says is over counts only up to a recorded end.
        """
        running = [
            said
            for said in self.statements(subject_id, relations=("takes",))
            if (said.start is None or said.start <= at)
            and (said.end > at if said.end is not None else not said.closed)
        ]
        rows: dict[RowRef, list[Statement]] = {}
        for said in running:
            assert isinstance(said.evidence, RowRef), "orders come from rows"
            rows.setdefault(said.evidence, []).append(said)
        wordings = self._wordings(rows)
        orders = [
            DrugOrder(
                subject_id=subject_id,
                concepts=tuple(s.concept for s in said if s.concept is not None),
                wording=wordings[row].drug,
                start=said[0].start,
                end=said[0].end,
                row=row,
                route=wordings[row].route,
                dose=wordings[row].dose,
                frequency=wordings[row].frequency,
            )
            for row, said in rows.items()
        ]
        return tuple(sorted(orders, key=lambda order: order.start or "", reverse=True))

    def allergies(self, subject_id: int) -> tuple[Statement, ...]:
        """The allergies on record that are neither refuted nor over."""
        said = self.statements(subject_id, relations=("allergic_to",))
        return tuple(s for s in said if s.assertion == "present" and not s.closed)

    def results(
        self, subject_id: int, concept: str, limit: int = 1, until: str | None = None
    ) -> tuple[Measured, ...]:
        """The results of an analyte or vital sign, newest first, read from the store.

        Args:
            subject_id: the patient.
            concept: ``lab:creatinine``.
            limit: at most so many.
            until: none that is later.
        """
        found: list[Measured] = []
        with closing(self._store.connect()) as connection:
            for table in _VALUES:
                itemids = [i for of, i in self._items.get(concept, ()) if of == table]
                if itemids:
                    found += self._measured(connection, subject_id, concept, table, itemids, limit, until)
        found.sort(key=lambda result: result.time or "", reverse=True)
        return tuple(found[:limit])

    def measurable(self, concept: str) -> bool:
        """Whether the store has an item that measures a concept."""
        return concept in self._items

    def timeline(self, subject_id: int, concepts: Collection[str]) -> tuple[Statement, ...]:
        """All that the record says of some concepts, of whatever relation and assertion, earliest first."""
        return self.statements(subject_id, concepts=concepts)

    def cohort(
        self,
        concepts: Iterable[str],
        codes: Iterable[str] = (),
        permitted: Collection[int] | None = None,
        relations: Collection[Relation] = ("has_problem", "has_finding"),
    ) -> tuple[Member, ...]:
        """The patients that have, or have had, one of some concepts; what is negated, possible or the family's is out.

        Args:
            concepts: a concept with all that are below it.
            codes: beginnings of codes as recorded (``icd10|I50``), for codes that lead to another concept too.
            permitted: the patients that may be seen; ``None`` for all.
            relations: what counts as having one.
        """
        having = f"e.relation IN ({', '.join('?' * len(relations))})"
        found: dict[tuple[object, ...], Statement] = {}
        for some in _batches(concepts):
            where = f"n.concept IN ({', '.join('?' * len(some))}) AND {having}"
            found |= {_key(s): s for s in self._read(where, [*some, *relations])}
        for some in _batches(codes):
            ranges = " OR ".join("e.code >= ? AND e.code < ?" for _ in some)
            values = [value for code in some for value in (code, f"{code}\U0010ffff")]
            found |= {_key(s): s for s in self._read(f"({ranges}) AND {having}", [*values, *relations])}
        said = sorted(
            (s for s in found.values() if permitted is None or s.subject_id in permitted),
            key=lambda s: (s.subject_id, s.start or ""),
        )
        return tuple(
            Member(subject_id, tuple(of)) for subject_id, of in groupby(said, key=lambda s: s.subject_id)
        )

    def frequencies(
        self, concepts: Iterable[str], permitted: Collection[int] | None = None
    ) -> dict[str, int]:
        """How many patients have, or have had, each of some concepts as such; ``permitted`` as for a cohort."""
        found: dict[str, int] = {}
        for some in _batches(concepts):
            marks = ", ".join("?" * len(some))
            rows = self._connection.execute(
                "SELECT DISTINCT n.concept, e.subject_id FROM edges e JOIN nodes n USING (node_id) "
                f"WHERE n.concept IN ({marks}) AND e.relation IN ('has_problem', 'has_finding')",
                some,
            )
            for concept, subject_id in rows:
                if permitted is None or subject_id in permitted:
                    found[concept] = found.get(concept, 0) + 1
        return found

    @cached_property
    def _items(self) -> dict[str, tuple[tuple[str, int], ...]]:
        items: dict[str, list[tuple[str, int]]] = {}
        for concept, table, itemid in self._connection.execute("SELECT concept, tbl, itemid FROM items"):
            items.setdefault(concept, []).append((table, itemid))
        return {concept: tuple(places) for concept, places in items.items()}

    def _things(self, subject_id: int, relation: Relation, at: str | None) -> tuple[Problem, ...]:
        grouped: dict[tuple[str | None, str], list[Statement]] = {}
        for said in self.statements(subject_id, relations=(relation,)):
            if at is None or (
                (said.start is None or said.start <= at) and (said.end is None or said.end > at)
            ):
                grouped.setdefault((said.concept, said.name), []).append(said)
        things = [
            Problem(
                subject_id=subject_id,
                concept=concept,
                name=name,
                kind=said[0].kind,
                codes=tuple(dict.fromkeys(s.code for s in said if s.code is not None)),
                first=said[0].start,
                last=said[-1].start,
                historical=all(s.assertion == "historical" for s in said),
                statements=tuple(said),
            )
            for (concept, name), said in grouped.items()
        ]
        return tuple(sorted(things, key=lambda thing: thing.last or "", reverse=True))

    def _read(self, where: str, values: Sequence[object]) -> Iterator[Statement]:
        for row in self._connection.execute(_STATEMENT + where + _ORDER, values).fetchall():
            subject_id, hadm_id, relation, kind, concept, name, start, end, closed, *rest = row
            assertion, experiencer, code, said_time, table, row_id, note_id, first, last = rest
            yield Statement(
                subject_id=subject_id,
                hadm_id=hadm_id,
                relation=relation,
                kind=kind,
                concept=concept,
                name=name,
                start=start,
                end=end,
                closed=bool(closed),
                assertion=assertion,
                experiencer=experiencer,
                code=code,
                said_time=said_time,
                evidence=RowRef(table, row_id) if table is not None else NoteRef(note_id, first, last),
            )

    def _wordings(self, rows: Iterable[RowRef]) -> dict[RowRef, "_Wording"]:
        """What each row writes of its drug; an infusion has no columns for route and frequency, its rate is no dose."""
        has = self._store.tables["prescriptions"]
        columns = ("route", "dose_val_rx", "dose_unit_rx", "frequency")
        read = ", ".join(column if column in has else "NULL" for column in columns)
        queries = {
            "prescriptions": f"SELECT drug, {read} FROM prescriptions WHERE row_id = ?",
            "inputevents": "SELECT label, NULL, NULL, NULL, NULL FROM inputevents JOIN d_items USING (itemid) "
            "WHERE inputevents.row_id = ?",
        }
        with closing(self._store.connect()) as connection:
            found = {row: connection.execute(queries[row.table], (row.row_id,)).fetchone() for row in rows}
        return {row: _Wording.of(*said) if said else _Wording("") for row, said in found.items()}

    def _measured(
        self,
        connection: sqlite3.Connection,
        subject_id: int,
        concept: str,
        table: str,
        itemids: Sequence[int],
        limit: int,
        until: str | None,
    ) -> Iterator[Measured]:
        has = self._store.tables[table]
        number, text = _VALUES[table]
        columns = [number, "valueuom", text, "charttime", "flag", "ref_range_lower", "ref_range_upper"]
        read = ", ".join(f"e.{column}" if column in has else "NULL" for column in columns)
        names = "d_labitems" if table == "labevents" else "d_items"
        before = "AND e.charttime <= ?" if until is not None else ""
        rows = connection.execute(
            f"SELECT d.label, {read}, e.row_id FROM {table} e JOIN {names} d USING (itemid) "
            f"WHERE e.subject_id = ? AND e.itemid IN ({', '.join('?' * len(itemids))}) {before} "
            "ORDER BY e.charttime DESC, e.row_id DESC LIMIT ?",
            (subject_id, *itemids, *((until,) if until is not None else ()), limit),
        )
        for label, value, unit, text, time, flag, low, high, row_id in rows:
            yield Measured(concept, label, value, unit, text, time, flag, low, high, RowRef(table, row_id))


def _key(said: Statement) -> tuple[object, ...]:
    return (said.concept, said.name, said.evidence)


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    every = list(dict.fromkeys(values))
    for start in range(0, len(every), _MARKS):
        yield every[start : start + _MARKS]
