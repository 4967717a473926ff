"""The table of chunks: where each comes from, and the filter that decides which may be searched at all."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.chunking import Chunk
from indexes.corpus import Source, SourceKind

SCHEMA = """
CREATE TABLE sources (
    source_key INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,             -- note | document | fact
    source_id  TEXT NOT NULL,             -- note_id, document or edge id
    sha256     TEXT NOT NULL,             -- of the text that the offsets count in
    subject_id INTEGER, hadm_id INTEGER,  -- of notes only
    note_type  TEXT COLLATE NOCASE, charttime TEXT, language TEXT, title TEXT,
    UNIQUE (kind, source_id)
);
CREATE INDEX sources_patient ON sources (subject_id, charttime);
CREATE TABLE chunks (
    chunk_id   INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice: the vectors are keyed by it
    source_key INTEGER NOT NULL REFERENCES sources (source_key),
    start      INTEGER NOT NULL, end INTEGER NOT NULL,   -- code points
    section    TEXT NOT NULL
);
CREATE INDEX chunks_source ON chunks (source_key, start);
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What may be searched. ``None`` means no restriction; an empty set permits nothing.

    Attributes:
        subject_ids: patients; documents and facts belong to none and are left out by it.
        hadm_ids: encounters.
        note_types: as in ``notes.note_type``, without regard to case.
        start: earliest ``charttime``, inclusive.
        end: latest ``charttime``, inclusive.
        kinds: notes, documents, facts.
    """

    subject_ids: frozenset[int] | None = None
    hadm_ids: frozenset[int] | None = None
    note_types: frozenset[str] | None = None
    start: str | None = None
    end: str | None = None
    kinds: frozenset[SourceKind] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everything may be searched."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk stands."""

    chunk_id: int
    source: Source
    start: int
    end: int
    section: str


def add(connection: sqlite3.Connection, source: Source, pieces: Iterable[Chunk]) -> list[int]:
    """Record a source and its chunks; returns the chunk ids in order."""
    key = connection.execute(
        "INSERT INTO sources (kind, source_id, sha256, subject_id, hadm_id, note_type, charttime, "
        "language, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            source.kind,
            source.source_id,
            source.sha256,
            source.subject_id,
            source.hadm_id,
            source.note_type,
            source.charttime,
            source.language,
            source.title,
        ),
    ).lastrowid
    insert = "INSERT INTO chunks (source_key, start, end, section) VALUES (?, ?, ?, ?) RETURNING chunk_id"
    return [
        connection.execute(insert, (key, piece.start, piece.end, piece.section)).fetchone()[0]
        for piece in pieces
    ]


def remove(connection: sqlite3.Connection, kind: SourceKind, source_id: str) -> list[int]:
    """Forget a source; returns the chunk ids that went with it."""
    row = connection.execute(
        "SELECT source_key FROM sources WHERE kind = ? AND source_id = ?", (kind, source_id)
    ).fetchone()
    if row is None:
        return []
    gone = connection.execute("DELETE FROM chunks WHERE source_key = ? RETURNING chunk_id", row).fetchall()
    connection.execute("DELETE FROM sources WHERE source_key = ?", row)
    return [chunk_id for (chunk_id,) in gone]


def spans(connection: sqlite3.Connection, kind: SourceKind, source_id: str) -> list[tuple[int, int, int]]:
    """The chunks of a source, in order: (chunk id, start, end)."""
    return connection.execute(
        "SELECT chunk_id, start, end FROM chunks JOIN sources USING (source_key) "
        "WHERE kind = ? AND source_id = ? ORDER BY start",
        (kind, source_id),
    ).fetchall()


def permitted(connection: sqlite3.Connection, where: Filter) -> NDArray[np.int64] | None:
    """The chunk ids that may be searched, ascending; ``None`` for all."""
    if where.is_open:
        return None
    conditions, values = _conditions(where)
    rows = connection.execute(
        "SELECT chunk_id FROM chunks WHERE source_key IN "
        f"(SELECT source_key FROM sources WHERE {conditions})",
        values,
    )
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))


def count_sources(connection: sqlite3.Connection, where: Filter) -> int:
    """How many sources a filter permits."""
    conditions, values = _conditions(where)
    return connection.execute(f"SELECT count(*) FROM sources WHERE {conditions}", values).fetchone()[0]


def places(connection: sqlite3.Connection, chunk_ids: Iterable[int]) -> Iterator[Place]:
    """The places of chunks, in the order asked for; unknown ids are left out."""
    for chunk_id in chunk_ids:
        row = connection.execute(
            "SELECT start, end, section, kind, source_id, sha256, subject_id, hadm_id, note_type, charttime, "
            "language, title FROM chunks JOIN sources USING (source_key) WHERE chunk_id = ?",
            (chunk_id,),
        ).fetchone()
        if row is not None:
            yield Place(chunk_id, Source(*row[3:]), *row[:3])


def _conditions(where: Filter) -> tuple[str, list[str | int]]:
    """The filter as SQL over ``sources``, with its parameters."""
    conditions = ["1"]
    values: list[str | int] = []
    for column, allowed in (
        ("subject_id", where.subject_ids),
        ("hadm_id", where.hadm_ids),
        ("note_type", where.note_types),
        ("kind", where.kinds),
    ):
        if allowed is not None:
            # json_each carries a set of any size as one parameter.
            conditions.append(f"{column} IN (SELECT value FROM json_each(?))")
            values.append(_json(allowed))
    if where.start is not None:
        conditions.append("charttime >= ?")
        values.append(where.start)
    if where.end is not None:
        conditions.append("charttime <= ?")
        values.append(where.end)
    return " AND ".join(conditions), values


def _json(values: Iterable[object]) -> str:
    return json.dumps(sorted(values, key=str), ensure_ascii=False)
