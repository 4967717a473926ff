"""Writes the rows of one source file into the store: keys, rules, references, duplicates, changes."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from knowledge.importers.columns import RuleBroken, Table
from knowledge.importers.keys import JOINING, Keys
from knowledge.importers.records import Accepted, Ref, Row, Value


class Unresolved(Exception):
    """A row refers to a row that has not come; the text names column and table.

    Args:
        message: column and table.
        final: the rest of the file cannot bring it either.
    """

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


class Status(IntEnum):
    """What became of a row, in rising order of importance for the item it is part of."""

    SAME = 0
    CHANGED = 1
    NEW = 2


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an item: its status, and whether a reference or a title was missing."""

    status: Status
    unlinked: bool
    untitled: bool


class Writer:
    """Writes items for one source file, inside the loader's transaction.

    Args:
        connection: the loader's connection.
        tables: the tables of the store.
        kind: the kind of source.
        source: the file's row in ``sources``.
        brings: as in ``SourceFile``.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: dict[str, Table],
        kind: str,
        source: int,
        brings: frozenset[str] | None = None,
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._source = source
        self._brings = brings
        self._keys = Keys(connection, kind, tables)
        self._integers_are_ours = kind in JOINING
        self._known_codes: set[tuple[str, str]] = set()
        self._known_entries: set[tuple[object, ...]] = set()
        self._unlinked = False
        self._untitled = False
        connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS seen (hash BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID"
        )
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY, item TEXT)")
        connection.execute("DELETE FROM seen")
        connection.execute("DELETE FROM waiting")

    def write(self, item: Accepted, *, last_call: bool = False) -> Written:
        """Store all rows of an item, or none of them.

        Args:
            item: the item.
            last_call: optional references that still lead nowhere are left empty.

        Raises:
            Unresolved: a row refers to something that has not come.
            RuleBroken: a row breaks a rule of the store.
        """
        self._unlinked = self._untitled = False
        several = len(item.rows) > 1
        if not last_call:
            self._check_optional(item)
        if several:
            self._connection.execute("SAVEPOINT item")
        try:
            own, along = Status.SAME, Status.SAME
            only_dictionaries = True
            for row in item.rows:
                status = self._write(row, several, last_call)
                if self._tables[row.table].is_dictionary:
                    along = max(along, status)
                else:
                    own, only_dictionaries = max(own, status), False
        except (Unresolved, RuleBroken, sqlite3.IntegrityError) as error:
            if several:
                self._connection.execute("ROLLBACK TO item")
                self._keys.forget()
                self._known_codes.clear()
                self._known_entries.clear()
            if isinstance(error, sqlite3.IntegrityError):
                # SQLite's text names table and column ("UNIQUE constraint failed: t.c"), no value.
                raise RuleBroken(str(error)) from None
            raise
        finally:
            if several:
                self._connection.execute("RELEASE item")
        return Written(along if only_dictionaries else own, self._unlinked, self._untitled)

    def wait(self, item: Accepted) -> None:
        """Put an item aside until the rest of the file has been read."""
        self._connection.execute("INSERT INTO waiting (item) VALUES (?)", (_pack(item),))

    def waiting(self) -> Iterator[tuple[int, Accepted]]:
        """Items that were put aside, with the number under which ``settled`` drops them."""
        n = 0
        while True:
            row = self._connection.execute(
                "SELECT n, item FROM waiting WHERE n > ? ORDER BY n LIMIT 1", (n,)
            ).fetchone()
            if row is None:
                return
            n = row[0]
            yield n, _unpack(row[1])

    def settled(self, n: int) -> None:
        """Drop an item from those that wait."""
        self._connection.execute("DELETE FROM waiting WHERE n = ?", (n,))

    def finish(self) -> None:
        """Complete what follows from stored rows: the age at an admission whose source does not give it."""
        # A date of birth known to the month or year does not give completed years.
        self._connection.execute(
            "UPDATE admissions SET age = CAST(substr(admittime, 1, 4) AS INTEGER)"
            " - CAST(substr(dob, 1, 4) AS INTEGER) - (substr(admittime, 6, 5) < substr(dob, 6, 5))"
            " FROM patients WHERE patients.subject_id = admissions.subject_id AND admissions.source = ?"
            " AND age IS NULL AND admittime >= dob AND dob_precision = 'day'",
            (self._source,),
        )

    def _may_come(self, table: str) -> bool:
        return self._brings is None or table in self._brings

    def _check_optional(self, item: Accepted) -> None:
        """Let an item wait before anything of it is written: undoing it would cost much more."""
        for row in item.rows:
            for name, value in row.values.items():
                if (
                    isinstance(value, Ref)
                    and value.optional
                    and self._may_come(value.table)
                    and self._keys.referred(value.table, value.key) is None
                ):
                    raise Unresolved(f"{row.table}.{name} refers to {value.table}", final=False)

    def _write(self, row: Row, several: bool, last_call: bool) -> Status:
        table = self._tables[row.table]
        unknown = row.values.keys() - table.columns.keys()
        if unknown:
            raise ValueError(f"a reader filled {table.name}.{min(unknown)}, which the store does not have")
        if table.is_dictionary and several:
            # An entry that comes along with every event (the name of its test) is looked at once.
            entry = (table.name, *row.values.items())
            if entry in self._known_entries:
                return Status.SAME
            status = self._write_new_or_known(table, row, last_call)
            self._known_entries.add(entry)
            return status
        return self._write_new_or_known(table, row, last_call)

    def _write_new_or_known(self, table: Table, row: Row, last_call: bool) -> Status:
        values: dict[str, Value] = {}
        given: list[tuple[str, Value]] = []  # references by the source's keys, so that it identifies the row
        for name, value in row.values.items():
            if name == table.id_column and table.id_column != "icd_code":
                continue
            refers_to = table.columns[name].refers_to
            if isinstance(value, Ref) or (refers_to is not None and refers_to not in _CODES):
                values[name] = self._resolve(table, name, value, last_call)
                given.append((name, value.key if isinstance(value, Ref) else _key_text(value)))
            else:
                values[name] = fitted = table.fit(name, value)
                given.append((name, fitted))
        if table.name == "notes" and isinstance(values.get("text"), str) and values.get("sha256") is None:
            values["sha256"] = hashlib.sha256(str(values["text"]).encode()).hexdigest()
        if table.id_column == "icd_code":
            return self._write_code(table, values)
        key = self._key(table, row, given)
        number = self._keys.own(table.name, key)
        if number is not None:
            return self._compare(table, number, values)
        if row.completes:
            message = f"{table.name}: the row that this would complete is not there"
            raise Unresolved(message, final=not self._may_come(table.name))
        table.check_required(values | {table.id_column: 1})
        for name, column in table.columns.items():
            if column.refers_to in _CODES:
                self._ensure_code(column.refers_to, str(values[name]))
        number = self._keys.allot(table, key)
        self._insert(table, values, number, row.source_id or (None if key.startswith("#") else key))
        self._keys.add(table, key, number)
        return Status.NEW

    def _key(self, table: Table, row: Row, given: list[tuple[str, Value]]) -> str:
        if table.is_owned:
            value = row.values.get(table.id_column)
            key = value.key if isinstance(value, Ref) else _key_text(table.fit(table.id_column, value))
            key = key or row.source_id
            if not key:
                raise RuleBroken(f"{table.name}.{table.id_column} is missing")
            return key
        if row.source_id:
            return row.source_id
        digest = hashlib.blake2b(repr((table.name, sorted(given, key=_name))).encode(), digest_size=12)
        ordinal = self._connection.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
            (digest.digest(),),
        ).fetchone()[0]
        return f"#{digest.hexdigest()}:{ordinal}"

    def _resolve(self, table: Table, name: str, value: "Value | Ref", last_call: bool) -> int | None:
        if isinstance(value, Ref):
            target, key, optional = value.table, value.key, value.optional
        else:
            target, key, optional = str(table.columns[name].refers_to), None, False
            number = table.fit(name, value)
            if number is None:
                return None
            if self._integers_are_ours:
                if self._keys.stored(target, int(number)):
                    return int(number)
            else:
                key = str(number)
        found = self._keys.referred(target, key) if key else None
        if found is None:
            if not optional or (self._may_come(target) and not last_call):
                message = f"{table.name}.{name} refers to a row of {target} that is not there"
                raise Unresolved(message, final=not self._may_come(target))
            self._unlinked = True
        return found

    def _compare(self, table: Table, number: int, values: dict[str, Value]) -> Status:
        names = list(values)
        has_source = not table.is_dictionary
        columns = [*names, "source" if has_source else "row_id"]
        stored = self._connection.execute(
            f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.id_column} = ?", (number,)
        ).fetchone()
        old = dict(zip(names, stored, strict=False))
        changed = {name: value for name, value in values.items() if old[name] != value}
        completed = {name: value for name, value in changed.items() if old[name] is None}
        if not has_source:  # of two dictionaries, the first is right; the second only completes it
            changed = completed
        if not changed:
            return Status.SAME
        if has_source:
            if table.name != "patients" and "subject_id" in changed:
                raise RuleBroken(f"{table.name}: another patient has a row with this key")
            if changed != completed and stored[-1] == self._source:
                raise RuleBroken(f"{table.name}: another row of this file has this key and differs")
        for name, value in changed.items():
            column = table.columns[name]
            if column.required and value is None:
                raise RuleBroken(f"{table.name}.{name} is missing")
            if column.refers_to in _CODES:
                self._ensure_code(column.refers_to, str(value))
        if has_source:
            changed["source"] = self._source
        if "admittime" in changed and "age" not in values:
            changed["age"] = None  # computed anew by ``finish``
        assignments = ", ".join(f"{name} = ?" for name in changed)
        self._connection.execute(
            f"UPDATE {table.name} SET {assignments} WHERE {table.id_column} = ?", (*changed.values(), number)
        )
        return Status.CHANGED

    def _insert(self, table: Table, values: dict[str, Value], number: int, source_id: str | None) -> None:
        columns = [table.id_column, *values]
        bound: list[Value] = [number, *values.values()]
        if not table.is_dictionary:
            columns += ["source", "source_id"]
            bound += [self._source, source_id]
        marks = ", ".join("?" * len(columns))
        self._connection.execute(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", bound)

    def _write_code(self, table: Table, values: dict[str, Value]) -> Status:
        table.check_required(values)
        code, title = str(values["icd_code"]), str(values["long_title"])
        changes = self._connection.execute(
            f"INSERT INTO {table.name} (icd_code, long_title) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (code, title),
        ).rowcount
        if changes:
            return Status.NEW
        # A code that stood in for its own title gets the title as soon as a dictionary brings it.
        changes = self._connection.execute(
            f"UPDATE {table.name} SET long_title = ?"
            " WHERE icd_code = ? AND long_title = icd_code AND ? <> icd_code",
            (title, code, title),
        ).rowcount
        return Status.CHANGED if changes else Status.SAME

    def _ensure_code(self, table: str, code: str) -> None:
        if (table, code) in self._known_codes:
            return
        stored = self._connection.execute(
            f"SELECT long_title = icd_code FROM {table} WHERE icd_code = ?", (code,)
        ).fetchone()
        if stored is None:
            self._connection.execute(
                f"INSERT INTO {table} (icd_code, long_title) VALUES (?, ?)", (code, code)
            )
        if stored is None or stored[0]:
            self._untitled = True
        else:
            self._known_codes.add((table, code))


_CODES = frozenset({"d_icd_diagnoses", "d_icd_procedures"})


def _name(pair: tuple[str, Value]) -> str:
    return pair[0]


def _key_text(value: "Value | Ref") -> str:
    return "" if value is None else str(value).strip()


def _pack(item: Accepted) -> str:
    rows = [
        [
            row.table,
            {
                name: [value.table, value.key, value.optional] if isinstance(value, Ref) else value
                for name, value in row.values.items()
            },
            row.source_id,
            row.completes,
        ]
        for row in item.rows
    ]
    return json.dumps([item.line, rows, item.item, item.raw], ensure_ascii=True, default=str)


def _unpack(text: str) -> Accepted:
    line, rows, name, raw = json.loads(text)
    return Accepted(
        line,
        tuple(
            Row(
                table,
                {name: Ref(*value) if isinstance(value, list) else value for name, value in values.items()},
                source_id,
                completes,
            )
            for table, values, source_id, completes in rows
        ),
        name,
        raw,
    )
