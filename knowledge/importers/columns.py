"""The tables of the store as the loader sees them: what a column may hold and what it refers to.

Everything is read from the store's own schema, so that ``schema.sql`` stays the one place where it is said.
"""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files

from knowledge.importers.records import Value

LEDGER = frozenset({"meta", "sources", "quarantine", "skipped", "keys", "note_changes", "sqlite_sequence"})
"""Tables that no reader writes to."""

_OWNED = {
    "patients": "subject_id",
    "admissions": "hadm_id",
    "icustays": "stay_id",
    "transfers": "transfer_id",
    "d_labitems": "itemid",
    "d_items": "itemid",
    "notes": "note_id",
}
_LARGEST = 2**63 - 1


class RuleBroken(ValueError):
    """A value breaks a rule of its column; the text names column and rule, never the value."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as in the schema.
        required: must not be NULL.
        refers_to: the table whose key it holds, or ``None``.
        convert: makes a value fit, raises ``ValueError`` with the rule that it breaks.
    """

    name: str
    required: bool
    refers_to: str | None
    convert: Callable[[Value], Value]


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: as in the schema.
        id_column: the integer that stands for a row in other tables and in ``keys`` (``icd_code``, a text,
            for the two code dictionaries).
        columns: those that a reader may fill, by name.
    """

    name: str
    id_column: str
    columns: dict[str, Column]

    @property
    def is_dictionary(self) -> bool:
        """Explains codes or items rather than telling of a patient."""
        return self.name.startswith("d_")

    @property
    def is_owned(self) -> bool:
        """Its integer key means something outside the store, unlike a mere ``row_id``."""
        return self.id_column not in ("row_id", "note_id")

    def fit(self, column: str, value: Value) -> Value:
        """``value`` as ``column`` holds it; blank text becomes ``None``.

        Raises:
            RuleBroken: a rule is broken.
        """
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            return self.columns[column].convert(value)
        except ValueError as error:
            raise RuleBroken(f"{self.name}.{column} {error}") from None

    def check_required(self, values: dict[str, Value]) -> None:
        """Raise ``RuleBroken`` where a column that must be filled is empty."""
        for column in self.columns.values():
            if column.required and values.get(column.name) is None:
                raise RuleBroken(f"{self.name}.{column.name} is missing")


def read_tables(connection: sqlite3.Connection) -> dict[str, Table]:
    """All tables that a reader may write to, by name."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {name: _read_table(connection, name) for (name,) in names if name not in LEDGER}


@lru_cache(maxsize=1)
def schema_tables() -> dict[str, Table]:
    """The same for a store that does not exist yet."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(files("knowledge.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        return read_tables(connection)


def _read_table(connection: sqlite3.Connection, name: str) -> Table:
    refers = {row[3]: row[2] for row in connection.execute(f'PRAGMA foreign_key_list("{name}")')}
    columns = {}
    for _, column, kind, required, _, _ in connection.execute(f'PRAGMA table_info("{name}")'):
        if column in ("row_id", "source", "source_id"):
            continue
        if column.endswith("time") or column in ("dob", "dod"):
            convert: Callable[[Value], Value] = _to_time
        else:
            convert = {"INTEGER": _to_integer, "REAL": _to_number}.get(kind, _to_text)
        columns[column] = Column(column, bool(required), refers.get(column), convert)
    id_column = "icd_code" if name.startswith("d_icd_") else _OWNED.get(name, "row_id")
    return Table(name, id_column, columns)


@lru_cache(maxsize=65536)
def _to_time(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a time")
    text = value.strip()
    # fromisoformat also knows week dates and compact forms, which no export means.
    if len(text) < 10 or text[4:5] != "-" or text[7:8] != "-":
        raise ValueError("is not a time like YYYY-MM-DD HH:MM:SS")
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a time like YYYY-MM-DD HH:MM:SS") from None
    if time.tzinfo is not None:
        raise ValueError("has a time zone; the store keeps local hospital time")
    return time.isoformat(sep=" ", timespec="seconds")


def _to_integer(value: Value) -> int:
    number = _to_number(value)
    if not number.is_integer():
        raise ValueError("is not a whole number")
    # A float cannot hold every 64-bit integer; text and int are taken exactly.
    exact = int(value) if isinstance(value, int) else _exact_integer(str(value).strip(), number)
    if abs(exact) > _LARGEST:
        raise ValueError("is too large a number")
    return exact


def _exact_integer(text: str, number: float) -> int:
    try:
        return int(text)
    except ValueError:
        return int(number)


def _to_number(value: Value) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    return number


def _to_text(value: Value) -> str:
    text = value if isinstance(value, str) else str(value)
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a character (a lone surrogate)") from None
    return text
