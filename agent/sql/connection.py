"""Layers 2 and 3 of the guard: what a connection permits, and how much of it.

The authorizer is asked by SQLite itself for each thing a statement would do, so it holds however a text was
read before. The limits bound what a permitted statement can cost.
"""

import sqlite3
import time
from collections.abc import Collection

from agent.sql.statement import FUNCTIONS, MAX_LENGTH

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 6_000_000,  # one value or row; a note may have 5 MB
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: MAX_LENGTH,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
STEPS_BETWEEN_CHECKS = 500


def lock_down(connection: sqlite3.Connection, tables: Collection[str], views: Collection[str] = ()) -> None:
    """Leave the connection nothing but SELECT on ``tables`` with harmless functions, within the limits.

    Args:
        connection: the connection; it stays locked.
        tables: tables and views that a statement may read.
        views: which of them are views: a hospital wrote them, so inside them its own tables and functions
            are read. A statement cannot pose as one, because a WITH name that hides a table is refused.
    """
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    allowed = frozenset(table.lower() for table in tables)
    trusted = frozenset(view.lower() for view in views)

    def authorize(
        action: int, first: str | None, second: str | None, database: str | None, source: str | None
    ) -> int:
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and database in (None, "main") and (first or "").lower() in allowed:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        inside_view = (source or "").lower() in trusted and action in (
            sqlite3.SQLITE_READ,
            sqlite3.SQLITE_FUNCTION,
        )
        return sqlite3.SQLITE_OK if inside_view else sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)


def set_deadline(connection: sqlite3.Connection, seconds: float) -> None:
    """Interrupt whatever still runs after so many seconds from now."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_CHECKS)
