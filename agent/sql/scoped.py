"""Layer 4 of the guard: a copy in memory that physically holds the permitted patients' rows only.

Views with an authorizer do not hold: a WITH name that equals the view's reads the base table. What is not
in the database cannot be read by any query.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.sql.connection import lock_down
from knowledge.store.store import RecordStore

KEPT_COPIES = 8


@dataclass(slots=True)
class _Copy:
    connection: sqlite3.Connection
    lock: threading.Lock = field(default_factory=threading.Lock)


class ScopedCopies:
    """The copies that were made lately, one for each store, its state and the patients that are permitted."""

    def __init__(self) -> None:
        self._copies: OrderedDict[tuple[object, ...], _Copy] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def connection(
        self, store: RecordStore, permitted: frozenset[int], tables: frozenset[str]
    ) -> Iterator[sqlite3.Connection]:
        """A locked-down connection to the copy, for one user at a time."""
        key = (store.identity(), _state(store), permitted, tables)
        with self._lock:
            copy = self._copies.get(key)
            if copy is None:
                copy = _Copy(_copied(store, permitted, tables))
                self._copies[key] = copy
                while len(self._copies) > KEPT_COPIES:
                    self._copies.popitem(last=False)
            self._copies.move_to_end(key)
        with copy.lock:
            yield copy.connection


def _state(store: RecordStore) -> tuple[tuple[int, int], ...]:
    """Changes whenever the store's file or its write-ahead log does."""
    files = (store.path, store.path.with_name(store.path.name + "-wal"))
    return tuple((f.stat().st_mtime_ns, f.stat().st_size) if f.exists() else (0, 0) for f in files)


def _copied(store: RecordStore, permitted: frozenset[int], tables: frozenset[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", uri=True, check_same_thread=False)
    connection.execute("ATTACH DATABASE ? AS store", (f"{store.path.resolve().as_uri()}?mode=ro",))
    connection.execute("CREATE TEMP TABLE permitted (subject_id INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO permitted VALUES (?)", [(s,) for s in sorted(permitted)])
    with connection:
        for table in sorted(tables & store.tables.keys()):
            _copy_table(connection, table, store.tables[table])
    connection.execute("DROP TABLE permitted")
    connection.execute("DETACH DATABASE store")
    lock_down(connection, tables)
    return connection


def _copy_table(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
    kind, definition = connection.execute(
        "SELECT type, sql FROM store.sqlite_schema WHERE name = ? AND type IN ('table', 'view')", (table,)
    ).fetchone()
    personal = "subject_id" in columns
    if not personal and not table.startswith("d_"):
        return  # neither a patient's nor a dictionary: there is no telling whom it is about
    where = " WHERE subject_id IN (SELECT subject_id FROM permitted)" if personal else ""
    if kind == "view":
        connection.execute(f'CREATE TABLE main."{table}" AS SELECT * FROM store."{table}"{where}')
        return
    connection.execute(definition)
    connection.execute(f'INSERT INTO main."{table}" SELECT * FROM store."{table}"{where}')
    indexes = connection.execute(
        "SELECT sql FROM store.sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        (table,),
    )
    for (index,) in indexes.fetchall():
        connection.execute(index)
