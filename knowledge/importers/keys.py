"""Which integer stands for which key of a source: the ``keys`` table of the store.

A source's key is looked up within its kind (``mimic``, ``fhir`` …), so that patient 6 of one system is never
taken for patient 6 of another. Kinds that come beside another source (``JOINING``) also find its keys.
"""

import sqlite3

from knowledge.importers.columns import RuleBroken, Table

JOINING = frozenset({"notes", "tabular"})
"""Kinds whose rows may belong to patients that another kind of source brought."""

_LARGEST_KEPT = 2**53  # beyond this, JSON readers round


class Keys:
    """The keys of one kind of source, inside the loader's transaction.

    Args:
        connection: the loader's connection.
        kind: the kind of source.
        tables: the tables of the store.
    """

    def __init__(self, connection: sqlite3.Connection, kind: str, tables: dict[str, Table]) -> None:
        self._connection = connection
        self._kind = kind
        self._tables = tables
        self._known: dict[tuple[str, str], int] = {}
        self._next: dict[str, int] = {}

    def own(self, table: str, key: str) -> int | None:
        """The integer for a key of this kind, or ``None`` if no such row has come.

        Raises:
            RuleBroken: the key is no storable text.
        """
        found = self._known.get((table, key))
        if found is None:
            if "\x00" in key:
                raise RuleBroken(f"a key of {table} contains a NUL character")
            try:
                row = self._connection.execute(
                    "SELECT id FROM keys WHERE table_name = ? AND key = ? AND kind = ?",
                    (table, key, self._kind),
                ).fetchone()
            except UnicodeEncodeError:
                raise RuleBroken(f"a key of {table} contains half a character") from None
            if row is None:
                return None
            found = int(row[0])
            self._remember(table, key, found)
        return found

    def referred(self, table: str, key: str) -> int | None:
        """The integer that a reference means: of this kind, else (``JOINING``) of the one other kind."""
        found = self.own(table, key)
        if found is not None or self._kind not in JOINING:
            return found
        rows = self._connection.execute(
            "SELECT DISTINCT id FROM keys WHERE table_name = ? AND key = ? LIMIT 2", (table, key)
        ).fetchall()
        return int(rows[0][0]) if len(rows) == 1 else None

    def stored(self, table: str, number: int) -> bool:
        """Whether the store has a row with this integer, whoever brought it."""
        return self._taken(self._tables[table], number)

    def allot(self, table: Table, key: str) -> int:
        """A free integer for a new row; the source's own number where it is one and is free."""
        if table.is_owned and key.isascii() and key.isdigit() and not key.startswith("0"):
            number = int(key)
            if number < _LARGEST_KEPT and not self._taken(table, number):
                return number
        if table.is_owned or table.name not in self._next:
            last = self._connection.execute(f"SELECT max({table.id_column}) FROM {table.name}").fetchone()[0]
            self._next[table.name] = max(last or 0, 0) + 1
        number = self._next[table.name]
        self._next[table.name] = number + 1
        return number

    def add(self, table: Table, key: str, number: int) -> None:
        """Record that the row of ``key`` is stored as ``number``."""
        self._connection.execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?)", (table.name, key, self._kind, number)
        )
        self._remember(table.name, key, number)

    def forget(self) -> None:
        """Drop what is remembered, after a part of the transaction was undone."""
        self._known.clear()
        self._next.clear()

    def _remember(self, table: str, key: str, number: int) -> None:
        if self._tables[table].is_owned:  # few and often referred to; events are many and are not
            self._known[table, key] = number

    def _taken(self, table: Table, number: int) -> bool:
        query = f"SELECT 1 FROM {table.name} WHERE {table.id_column} = ?"
        return self._connection.execute(query, (number,)).fetchone() is not None
