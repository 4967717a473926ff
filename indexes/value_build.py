"""Writes the value index: the distinct values of a store's linkable columns, and what each is also called."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from indexes.tokens import is_cjk, normalise
from knowledge.generations import Generations
from knowledge.manifest import Manifest
from knowledge.store.store import RecordStore

DATABASE = "values.sqlite"

# value_id: values that occur in events come first, short before long, so that the first rows of any
# look-up by word are the best ones and no sorting is needed.
_SCHEMA = """
CREATE TABLE "values" (
    value_id INTEGER PRIMARY KEY,
    tbl TEXT NOT NULL, col TEXT NOT NULL, value TEXT NOT NULL,
    events TEXT NOT NULL,                 -- the table whose rows the count counts
    count INTEGER NOT NULL                -- 0: in the dictionary, never in the record
);
CREATE TABLE surfaces (                   -- normalised spelling to value
    norm TEXT NOT NULL, value_id INTEGER NOT NULL, how TEXT NOT NULL,
    PRIMARY KEY (norm, value_id)
) WITHOUT ROWID;
CREATE TABLE words (word TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE value_words USING fts5 (
    norm, content = '', detail = none, tokenize = 'porter unicode61 remove_diacritics 2');
"""
_FALLBACK = 5
"""A synonym whose label is no value stands for at most so many values that contain all its words."""


@dataclass(frozen=True, slots=True)
class Column:
    """A linkable column (a line of ``value_columns.tsv``).

    Attributes:
        table: where the values are.
        column: which column.
        key: for a dictionary, the column that events refer to it by.
        events: the table of those events; for a plain column the table itself.
        alias: another column of the dictionary that holds short names.
    """

    table: str
    column: str
    key: str
    events: str
    alias: str


@dataclass(frozen=True, slots=True)
class _Value:
    column: Column
    value: str
    count: int
    aliases: tuple[str, ...]


@lru_cache(maxsize=1)
def columns() -> tuple[Column, ...]:
    """All linkable columns."""
    lines = files("indexes").joinpath("value_columns.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = (line.split("\t") for line in lines)
    return tuple(
        Column(table, column, key, events or table, alias) for table, column, key, events, alias, _ in cells
    )


def generations(store: RecordStore, folder: Path) -> Generations:
    """Where the value index of a store lives within its index folder."""
    return Generations(folder / "values", f"chartroom index --rebuild --store {store.path}")


def build(store: RecordStore, folder: Path, synonyms: Mapping[str, Sequence[str]] | None = None) -> Manifest:
    """Read the distinct values of a store and write the index.

    Args:
        store: read only.
        folder: the store's index folder.
        synonyms: spellings, abbreviations and Chinese names to English labels.

    Raises:
        IndexFault: another build is at work or the folder cannot be written.
    """
    with generations(store, folder).stage() as staging:
        content = fingerprint(store)
        found = sorted(_read(store), key=lambda v: (v.count == 0, len(v.value.split()), -v.count, v.value))
        with closing(sqlite3.connect(staging.folder / DATABASE)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # a killed build is thrown away whole
            connection.executescript(_SCHEMA)
            _write(connection, found)
            _write_synonyms(connection, synonyms or {})
            connection.commit()
        staging.manifest = Manifest(
            store=store.identity(), details={"values": len(found), "content": content}
        )
    return staging.manifest


def fingerprint(store: RecordStore) -> str:
    """Changes when rows were added to the tables that values come from."""
    state: list[object] = []
    with closing(store.connect()) as connection:
        for table in sorted({c.table for c in columns()} | {c.events for c in columns()}):
            if table in store.tables:
                newest = "max(row_id)" if "row_id" in store.tables[table] else "count(*)"
                state.append((table, connection.execute(f'SELECT {newest} FROM "{table}"').fetchone()[0]))
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def _read(store: RecordStore) -> Iterator[_Value]:
    with closing(store.connect()) as connection:
        for column in columns():
            has = store.tables.get(column.table, ())
            if column.column not in has:
                continue
            query = _dictionary_query(column, store) if column.key else _plain_query(column)
            values = (column.events,) if column.key and "linksto" in has else ()
            for value, count, aliases in connection.execute(query, values):
                short = tuple(dict.fromkeys(filter(None, aliases.split("\x1f")))) if aliases else ()
                yield _Value(column, str(value), count, short)


def _plain_query(column: Column) -> str:
    return (
        f"SELECT {column.column}, count(*), NULL FROM {column.table} WHERE {column.column} <> '' GROUP BY 1"
    )


def _dictionary_query(column: Column, store: RecordStore) -> str:
    """Entries with the number of events that refer to them; names come from ``value_columns.tsv`` only."""
    has = store.tables[column.table]
    alias = f"group_concat(d.{column.alias}, char(31))" if column.alias in has else "NULL"
    events = (
        f"SELECT {column.key} AS key, count(*) AS n FROM {column.events} GROUP BY 1"
        if column.events in store.tables
        else "SELECT NULL AS key, 0 AS n"
    )
    linked = "AND d.linksto = ?" if "linksto" in has else ""
    return (
        f"SELECT d.{column.column}, coalesce(sum(e.n), 0), {alias} FROM {column.table} d "
        f"LEFT JOIN ({events}) e ON e.key = d.{column.key} "
        f"WHERE d.{column.column} <> '' {linked} GROUP BY 1"
    )


def _write(connection: sqlite3.Connection, found: Sequence[_Value]) -> None:
    words: dict[str, bool] = {}
    norms: list[tuple[int, str]] = []
    surfaces: list[tuple[str, int, str]] = []
    for value_id, value in enumerate(found, start=1):
        norm = normalise(value.value)
        if not norm:
            continue
        norms.append((value_id, norm))
        surfaces.append((norm, value_id, "normalised"))
        surfaces.extend((other, value_id, "normalised") for other in _variants(value, norm))
        surfaces.extend((other, value_id, "abbreviation") for other in map(normalise, value.aliases) if other)
        live = value.count > 0
        for word in norm.split():
            if live or word not in words:
                words[word] = live or words.get(word, False)
    connection.executemany(
        'INSERT INTO "values" VALUES (?, ?, ?, ?, ?, ?)',
        (
            (i, v.column.table, v.column.column, v.value, v.column.events, v.count)
            for i, v in enumerate(found, start=1)
        ),
    )
    connection.executemany("INSERT INTO value_words (rowid, norm) VALUES (?, ?)", norms)
    surfaces.sort()  # in the order of the key: the table is written front to back
    connection.executemany("INSERT OR IGNORE INTO surfaces VALUES (?, ?, ?)", surfaces)
    connection.executemany(
        "INSERT INTO words VALUES (?, ?)",
        ((w, live) for w, live in sorted(words.items()) if len(w) > 3 and w.isalpha() and not is_cjk(w)),
    )


def _variants(value: _Value, norm: str) -> Iterator[str]:
    """Other spellings of the same: 'Bilirubin, Total' as 'total bilirubin', 'icd10|N179' as 'N17.9'."""
    if value.column.column == "icd_code":
        code = value.value.rpartition("|")[2].replace(".", "")
        yield normalise(code)
        if len(code) > 3:
            yield normalise(f"{code[:3]}.{code[3:]}")
        return
    head, comma, tail = value.value.partition(",")
    if comma and "," not in tail and len(norm.split()) <= 4:
        yield normalise(f"{tail} {head}")


def _write_synonyms(connection: sqlite3.Connection, synonyms: Mapping[str, Sequence[str]]) -> None:
    exact = "SELECT value_id FROM surfaces WHERE norm = ? AND how <> 'synonym'"
    words = (
        'SELECT value_id FROM value_words JOIN "values" ON value_id = value_words.rowid '
        "WHERE value_words MATCH ? AND count > 0 ORDER BY value_words.rowid LIMIT ?"
    )
    for surface, labels in synonyms.items():
        norm = normalise(surface)
        if not norm:
            continue
        named = [n for n in map(normalise, labels) if n]
        found = [i for label in named for (i,) in connection.execute(exact, (label,))]
        if not found:
            for label in named:
                # The tokenizer's own words: one of ours that it splits ('na+/k+') would be a phrase, which a
                # table without positions cannot look up.
                phrase = " AND ".join(f'"{word}"' for word in re.findall(r"[^\W_]+", label))
                if phrase:
                    found += [i for (i,) in connection.execute(words, (phrase, _FALLBACK))]
        connection.executemany(
            "INSERT OR IGNORE INTO surfaces VALUES (?, ?, 'synonym')", ((norm, i) for i in found)
        )
