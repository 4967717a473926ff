"""Which passages mention which concepts: what the search by the graph looks passages up in."""

import bisect
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.mentions.mention import Mention

SCHEMA = """
CREATE TABLE concepts (concept_key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE mentions (
    concept_key INTEGER NOT NULL REFERENCES concepts (concept_key),
    chunk_id    INTEGER NOT NULL,
    negated     INTEGER NOT NULL,         -- 1 where the passage says that it is absent
    times       INTEGER NOT NULL,
    PRIMARY KEY (concept_key, chunk_id, negated)
) WITHOUT ROWID;
CREATE INDEX mentions_chunk ON mentions (chunk_id);
"""


def add(
    connection: sqlite3.Connection, spans: Sequence[tuple[int, int, int]], mentions: Iterable[Mention]
) -> None:
    """Record mentions under the chunks that they lie in.

    Args:
        connection: of a database with ``SCHEMA``.
        spans: (chunk id, start, end) of the chunks of one text, in order.
        mentions: of the same text; one left open counts for each of its candidates.
    """
    starts = [start for _, start, _ in spans]
    counted: Counter[tuple[str, int, bool]] = Counter()
    for mention in mentions:
        place = bisect.bisect_right(starts, mention.start) - 1
        if place < 0 or mention.start >= spans[place][2]:
            continue
        named = (mention.concept,) if mention.concept else mention.candidates
        for concept in named:
            counted[concept, spans[place][0], mention.assertion == "negated"] += 1
    _insert(connection, counted)


def add_known(connection: sqlite3.Connection, chunk_ids: Iterable[int], concepts: Iterable[str]) -> None:
    """Record concepts that chunks are known to be about."""
    _insert(connection, Counter((concept, i, False) for i in chunk_ids for concept in concepts))


def remove(connection: sqlite3.Connection, chunk_ids: Iterable[int]) -> None:
    """Forget chunks."""
    connection.executemany("DELETE FROM mentions WHERE chunk_id = ?", ((i,) for i in chunk_ids))


def clear(connection: sqlite3.Connection) -> None:
    """Forget all mentions."""
    connection.execute("DELETE FROM mentions")


def mentioning(
    connection: sqlite3.Connection,
    concepts: Collection[str],
    most: int,
    allowed: NDArray[np.int64] | None = None,
) -> Iterator[tuple[str, int, bool, int]]:
    """Where concepts are mentioned: (concept, chunk id, whether negated, how often).

    Args:
        connection: of a database with ``SCHEMA``.
        concepts: ids.
        most: passages of one concept beyond so many are left out.
        allowed: the only chunk ids that count; ``None`` for all.
    """
    permitted = None if allowed is None else json.dumps(allowed.tolist())
    for concept in concepts:
        rows = connection.execute(
            "SELECT chunk_id, negated, times FROM mentions WHERE concept_key = "
            "(SELECT concept_key FROM concepts WHERE id = ?) "
            "AND (? IS NULL OR chunk_id IN (SELECT value FROM json_each(?))) LIMIT ?",
            (concept, permitted, permitted, most),
        )
        for chunk_id, negated, times in rows:
            yield concept, chunk_id, bool(negated), times


def frequencies(connection: sqlite3.Connection, concepts: Collection[str]) -> dict[str, int]:
    """In how many passages each concept is mentioned."""
    return dict(
        connection.execute(
            "SELECT id, count(DISTINCT chunk_id) FROM mentions JOIN concepts USING (concept_key) "
            "WHERE id IN (SELECT value FROM json_each(?)) GROUP BY id",
            (json.dumps(list(concepts)),),
        )
    )


def _insert(connection: sqlite3.Connection, counted: Counter[tuple[str, int, bool]]) -> None:
    names = sorted({concept for concept, _, _ in counted})
    connection.executemany("INSERT OR IGNORE INTO concepts (id) VALUES (?)", ((name,) for name in names))
    keys = dict(
        connection.execute(
            "SELECT id, concept_key FROM concepts WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(names),),
        )
    )
    connection.executemany(
        "INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?)",
        ((keys[concept], chunk, negated, times) for (concept, chunk, negated), times in counted.items()),
    )
