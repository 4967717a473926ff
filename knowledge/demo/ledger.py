"""The rows of the hospital while it is being made: tables of plain values with their row keys."""

from collections.abc import Mapping
from datetime import datetime

Value = str | int | float | None


def stamp(time: datetime | None) -> str | None:
    """A time as the store writes it."""
    return None if time is None else time.isoformat(" ", "seconds")


class Ledger:
    """Tables in memory; keys count up from 1 in each table, in the order in which rows are added."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Value]]] = {}

    def add(self, table: str, **values: Value | datetime) -> int:
        """Append a row; times become text. Returns its ``row_id`` (``note_id`` for notes)."""
        rows = self.tables.setdefault(table, [])
        rows.append({k: stamp(v) if isinstance(v, datetime) else v for k, v in values.items()})
        return len(rows)

    def row(self, table: str, row_id: int) -> Mapping[str, Value]:
        """A row by its key."""
        return self.tables[table][row_id - 1]

    def change(self, table: str, row_id: int, **values: Value) -> None:
        """Overwrite columns of a row."""
        self.tables[table][row_id - 1].update(values)

    def count(self) -> int:
        """Rows in all tables."""
        return sum(len(rows) for rows in self.tables.values())
