"""The one door to the records: every query, written by us or by a model, runs through ``run_guarded``.

Four layers, each of which holds without the others: the text (``statement.py``), SQLite's authorizer and
limits (``connection.py``), a deadline with caps on rows and cells (here), and, for a user who may not see
everyone, a copy that holds nobody else (``scoped.py``).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from agent.answer import Cell
from agent.query.domains import bindings
from agent.scope import Scope
from agent.sql.connection import lock_down, set_deadline
from agent.sql.scoped import ScopedCopies
from agent.sql.statement import check_statement
from knowledge.errors import QueryRejected, StoreError
from knowledge.store.store import EHRSQL_TABLES, RecordStore

CELL_CHARACTERS = 100_000
RESULT_CHARACTERS = 4_000_000
_copies = ScopedCopies()


@dataclass(frozen=True, slots=True)
class Table:
    """What a query gave; ``truncated``: there were more rows, or a cell was cut."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool = False


def readable_tables(store: RecordStore) -> frozenset[str]:
    """The tables that a query may read: clinical ones, never the store's own book-keeping."""
    clinical = EHRSQL_TABLES | {b.table for b in bindings().values()}
    return frozenset(clinical & store.tables.keys())


def run_guarded(
    sql: str, store: RecordStore, scope: Scope, *, cap: int = 1000, seconds: float = 2.0
) -> Table:
    """Run one SELECT under all layers of the guard.

    Args:
        sql: the statement.
        store: the store to ask.
        scope: whose records may be seen; with ``permitted`` set, only those rows exist for the query.
        cap: rows at most.
        seconds: wall-clock time at most.

    Raises:
        QueryRejected: a layer refused or stopped it; the message names the rule.
        StoreError: the store cannot be read.
    """
    tables = readable_tables(store)
    sql = check_statement(sql, tables)
    with _connection(store, scope, tables) as connection:
        set_deadline(connection, seconds)
        try:
            with closing(connection.execute(sql)) as cursor:
                columns = tuple(str(column[0]) for column in cursor.description or ())
                rows, cut = _fetched(cursor, cap)
        except sqlite3.Error as error:
            raise _explained(error, seconds) from error
        finally:
            connection.set_progress_handler(None, 0)
    return Table(columns, tuple(rows), cut)


def _fetched(cursor: sqlite3.Cursor, cap: int) -> tuple[list[tuple[Cell, ...]], bool]:
    """The rows one by one, so that no more is held than is kept; and whether anything was cut."""
    rows: list[tuple[Cell, ...]] = []
    cut, characters = False, 0
    for row in cursor:
        if len(rows) == cap or characters > RESULT_CHARACTERS:
            return rows, True
        cut |= any(isinstance(value, str) and len(value) > CELL_CHARACTERS for value in row)
        cells = tuple(_cell(value) for value in row)
        characters += sum(len(cell) for cell in cells if isinstance(cell, str))
        rows.append(cells)
    return rows, cut


@contextmanager
def _connection(store: RecordStore, scope: Scope, tables: frozenset[str]) -> Iterator[sqlite3.Connection]:
    if scope.permitted is not None:
        with _copies.connection(store, scope.permitted, tables) as connection:
            yield connection
        return
    with closing(store.connect()) as connection:
        views = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
        lock_down(connection, tables, tables.intersection(views))
        yield connection


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value[:CELL_CHARACTERS]
    if value is None or isinstance(value, int | float):
        return value
    raise QueryRejected("The query gave binary data, which is not part of the clinical records.")


def _explained(error: sqlite3.Error, seconds: float) -> QueryRejected | StoreError:
    """The error without SQLite's wording, which may quote the query."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_INTERRUPT"):
        return QueryRejected(f"The query was stopped after {seconds:g} s; ask for less at once.")
    if name.startswith(("SQLITE_AUTH", "SQLITE_PERM", "SQLITE_READONLY")):
        return QueryRejected(
            "The query was refused by the database: it would do more than read clinical records."
        )
    if name.startswith(("SQLITE_TOOBIG", "SQLITE_NOMEM", "SQLITE_FULL")):
        return QueryRejected("The query was stopped: a value or the statement grew too big.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError("The store is locked by another program; close it and try again.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return StoreError("The store cannot be read; check its file.")
    return QueryRejected(f"The query does not run on this store ({name or type(error).__name__}).")
