"""Writes the patient graph of a store, from nothing or from the one before it.

A new generation is written beside the one in use and takes its place when it is complete, so that a reader sees
the old or the new and never a half. Only patients and notes that changed since are read.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from knowledge.errors import IndexFault
from knowledge.generations import Generations
from knowledge.graph import KnowledgeGraph
from knowledge.graph.build import CORE
from knowledge.manifest import Manifest, is_outdated
from knowledge.mentions import MentionFinder
from knowledge.patients.model import NoteRef, RowRef, Statement
from knowledge.patients.naming import Naming
from knowledge.patients.notes import note_statements
from knowledge.patients.rows import TABLES, digests, items, row_statements
from knowledge.store.store import RecordStore

DATABASE = "patients.sqlite"
Report = Callable[[str, int, int], None]
_REPORTED_NOTES = 20  # notes between two reports
_RULES = (
    "patients",
    "mentions",
    "mentions/rules",
    "terminology",
    "terminology/tables",
    "facts/tables/is_a.tsv",
)
"""Of the package: the files and folders that decide what a text or row says. Other facts do not."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a writing of the patient graph did.

    Attributes:
        work: ``current`` where nothing had changed; then nothing was read.
        patients_read, notes_read: those that were new or had changed.
    """

    work: Literal["built", "updated", "current"]
    nodes: int = 0
    edges: int = 0
    patients_read: int = 0
    notes_read: int = 0


def generations(store: RecordStore, folder: Path) -> Generations:
    """Where the patient graph of a store lives within its index folder."""
    return Generations(folder / "patients", f"chartroom index --rebuild --store {store.path}")


def update(
    store: RecordStore,
    folder: Path,
    graph: KnowledgeGraph,
    finder: MentionFinder,
    report: Report,
    *,
    anew: bool = False,
) -> Written:
    """Bring the patient graph of a store up to date, or build it.

    Args:
        store: read only; a foreign database has no notes, which leaves its rows.
        folder: the store's index folder.
        graph: names concepts; another version of it reads everything anew.
        finder: finds them in notes.
        report: told how far it is, with the stages 'patient rows' and 'patient notes'.
        anew: build from nothing, whatever is there.

    Raises:
        IndexFault: the graph that is there was altered (and not ``anew``), or another writing is at work.
    """
    rules, state = rules_of(graph), _state(store)
    places = generations(store, folder)
    previous = None
    if not anew and _is_there(places):
        generation, manifest = places.open()
        if manifest.details.get("rules") == rules and manifest.store == store.identity():
            if manifest.details.get("state") == state:
                return Written("current")
            previous = generation / DATABASE
    with places.stage() as staging:
        written, last_change = _write(
            staging.folder / DATABASE, store, graph, finder, report, previous=previous
        )
        staging.manifest = Manifest(
            store=store.identity(),
            last_change=last_change,
            details={"rules": rules, "state": state, "nodes": written.nodes, "edges": written.edges},
        )
    return written


def rules_of(graph: KnowledgeGraph) -> str:
    """Names all that the statements depend on beside the store: names, codes, kinds, and the rules for reading."""
    digest = hashlib.sha256()
    for source in graph.sources():
        if source.id != CORE:  # of the core pack only some files matter; they follow
            digest.update(f"{source.id} {source.sha256}\n".encode())
    for place in _RULES:
        path = Path(str(files("knowledge"))) / place
        for file in sorted(path.glob("*.*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{place} {file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _write(
    path: Path,
    store: RecordStore,
    graph: KnowledgeGraph,
    finder: MentionFinder,
    report: Report,
    *,
    previous: Path | None,
) -> tuple[Written, int]:
    if previous is not None:
        shutil.copyfile(previous, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # a killed writing is thrown away whole
        connection.execute("PRAGMA synchronous = OFF")  # made durable when it is sealed
        if previous is None:
            connection.executescript(
                files("knowledge.patients").joinpath("schema.sql").read_text(encoding="utf-8")
            )
        writer = _Writer(connection)
        patients = _rows(writer, store, Naming(graph), report)
        read, last_change = _notes(writer, store, graph, finder, report)
        connection.execute("DELETE FROM nodes WHERE node_id NOT IN (SELECT node_id FROM edges)")
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('last_change', ?)", (str(last_change),))
        connection.commit()
        nodes, edges = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("nodes", "edges")
        )
    return Written("updated" if previous else "built", nodes, edges, patients, read), last_change


class _Writer:
    """Adds statements; a node is made once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._nodes: dict[tuple[str | None, str, str], int] = {}

    def add(self, statements: Iterable[Statement]) -> None:
        """Add statements as edges."""
        self.connection.executemany(
            "INSERT INTO edges VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._edge(statement) for statement in statements),
        )

    def _edge(self, said: Statement) -> tuple[object, ...]:
        row = said.evidence if isinstance(said.evidence, RowRef) else None
        note = said.evidence if isinstance(said.evidence, NoteRef) else None
        return (
            *(said.subject_id, said.hadm_id, said.relation, self._node(said), said.start, said.end),
            *(int(said.closed), said.assertion, said.experiencer, said.code, said.said_time),
            *((row.table, row.row_id) if row else (None, None)),
            *((note.note_id, note.start, note.end) if note else (None, None, None)),
        )

    def _node(self, said: Statement) -> int:
        key = (said.concept, "" if said.concept else said.kind, "" if said.concept else said.name)
        if key not in self._nodes:
            self._nodes[key] = self._known(said) or self._new(said)
        return self._nodes[key]

    def _known(self, said: Statement) -> int | None:
        if said.concept is not None:
            query, values = "SELECT node_id FROM nodes WHERE concept = ?", (said.concept,)
        else:
            query = "SELECT node_id FROM nodes WHERE concept IS NULL AND kind = ? AND name = ?"
            values = (said.kind, said.name)
        found = self.connection.execute(query, values).fetchone()
        return found[0] if found else None

    def _new(self, said: Statement) -> int:
        node_id = self.connection.execute(
            "INSERT INTO nodes (kind, concept, name) VALUES (?, ?, ?)", (said.kind, said.concept, said.name)
        ).lastrowid
        assert node_id is not None, "an inserted row has a number"
        return node_id


def _rows(writer: _Writer, store: RecordStore, naming: Naming, report: Report) -> int:
    """Read the rows of the patients whose rows changed; returns how many patients that were."""
    connection, touched = writer.connection, set[int]()
    steps = len(TABLES) + 1
    for done, table in enumerate(TABLES):
        report("patient rows", done, steps)
        old = dict(
            connection.execute(
                "SELECT subject_id, digest FROM row_digests WHERE tbl = ?", (table,)
            ).fetchall()
        )
        new = digests(store, table)
        gone = [s for s, digest in old.items() if new.get(s) != digest]
        fresh = {s for s, digest in new.items() if old.get(s) != digest}
        connection.executemany(
            "DELETE FROM edges WHERE tbl = ? AND subject_id = ?", ((table, subject) for subject in gone)
        )
        connection.executemany(
            "DELETE FROM row_digests WHERE tbl = ? AND subject_id = ?", ((table, subject) for subject in gone)
        )
        if fresh:
            writer.add(row_statements(store, table, fresh, naming))
        connection.executemany(
            "INSERT INTO row_digests VALUES (?, ?, ?)", ((table, s, new[s]) for s in sorted(fresh))
        )
        touched |= fresh | set(gone)
    report("patient rows", steps - 1, steps)
    connection.execute("DELETE FROM items")
    connection.executemany("INSERT OR IGNORE INTO items VALUES (?, ?, ?)", items(store, naming))
    report("patient rows", steps, steps)
    return len(touched)


def _notes(
    writer: _Writer, store: RecordStore, graph: KnowledgeGraph, finder: MentionFinder, report: Report
) -> tuple[int, int]:
    """Read the notes that changed; returns how many, and the newest change that is known now."""
    if "notes" not in store.tables:
        return 0, 0
    known = writer.connection.execute("SELECT value FROM meta WHERE key = 'last_change'").fetchone()
    changed, last_change = _changed(store, int(known[0]) if known else None)
    if changed is None:
        writer.connection.execute("DELETE FROM edges WHERE note_id IS NOT NULL")
    writer.connection.executemany(
        "DELETE FROM edges WHERE note_id = ?", ((note_id,) for note_id in changed or ())
    )
    total, read = (len(changed) if changed is not None else _count(store)), 0

    @cache
    def name_of(concept: str) -> str | None:
        found = graph.nodes((concept,))
        return found[0].en if found else None

    for note in store.notes(changed):
        if read % _REPORTED_NOTES == 0:
            report("patient notes", read, total)
        writer.add(note_statements(note, finder, name_of))
        read += 1
    report("patient notes", total, total)
    return read, last_change


def _changed(store: RecordStore, known: int | None) -> tuple[list[int] | None, int]:
    """The notes that changed since a change that is known (``None``: all notes), and the newest change."""
    with closing(store.connect()) as connection:
        newest = connection.execute("SELECT coalesce(max(change_id), 0) FROM note_changes").fetchone()[0]
        if known is None or known > newest:
            return None, newest
        changes = connection.execute(
            "SELECT DISTINCT note_id FROM note_changes WHERE change_id > ? AND change_id <= ? ORDER BY note_id",
            (known, newest),
        )
        return [note_id for (note_id,) in changes], newest


def _count(store: RecordStore) -> int:
    with closing(store.connect()) as connection:
        return connection.execute("SELECT count(*) FROM notes").fetchone()[0]


def _is_there(places: Generations) -> bool:
    """Whether there is a graph that this version reads; one of another version is built anew."""
    try:
        return not is_outdated(places.current())
    except IndexFault:  # never built, or its first build was killed
        return False


def _state(store: RecordStore) -> str:
    """Time and size of the store's file and its write-ahead log: equal means that nothing was written."""
    said = []
    for path in (store.path, store.path.with_name(store.path.name + "-wal")):
        found = path.stat() if path.exists() else None
        said.append(f"{found.st_mtime_ns} {found.st_size}" if found and found.st_size else "-")
    return ", ".join(said)
