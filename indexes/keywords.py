"""Keyword search with SQLite FTS5 and BM25, for English and Chinese.

Every CJK character is indexed as a word of its own, so that a term of one or two characters is found as a
phrase; English goes through the Porter stemmer. What a user types never reaches the query syntax of FTS5:
queries are built from tokens, each within quotes.
"""

import json
import sqlite3
from collections.abc import Iterable
from heapq import nsmallest

import numpy as np
from numpy.typing import NDArray

from indexes.tokens import is_cjk, space_cjk, stop_words, tokenise

SCHEMA = """
CREATE VIRTUAL TABLE keywords USING fts5 (text, tokenize = 'porter unicode61 remove_diacritics 2');
"""
MOST_TERMS = 32
"""Terms of a query beyond these are dropped: a pasted page is no better a query than its first sentences."""
CHOSEN = 4000
"""About so many chunks are ranked."""
_READ = 4000


def add(connection: sqlite3.Connection, chunk_ids: Iterable[int], texts: Iterable[str]) -> None:
    """Index texts under their chunk ids."""
    connection.executemany(
        "INSERT INTO keywords (rowid, text) VALUES (?, ?)",
        ((chunk_id, space_cjk(text)) for chunk_id, text in zip(chunk_ids, texts, strict=True)),
    )


def remove(connection: sqlite3.Connection, chunk_ids: Iterable[int]) -> None:
    """Forget chunks."""
    connection.executemany("DELETE FROM keywords WHERE rowid = ?", ((i,) for i in chunk_ids))


def search(
    connection: sqlite3.Connection, query: str, k: int, allowed: NDArray[np.int64] | None = None
) -> list[tuple[int, float]]:
    """The best chunks by BM25 over the terms of a query, best first.

    In a large index the rarest terms choose the chunks, up to about ``CHOSEN`` of them, and the commoner terms
    add to the scores of these: a chunk that holds common terms only is found where fewer than ``k`` hold a
    rarer one. It is ranking the many chunks with a common word that takes the time.

    Args:
        connection: of a database with ``SCHEMA``.
        query: any text.
        k: how many.
        allowed: the only chunk ids that may be scored; ``None`` for all.

    Returns:
        (chunk id, score), a higher score is better.
    """
    terms = query_terms(query)
    if not terms or (allowed is not None and len(allowed) == 0):
        return []
    permitted = None if allowed is None else json.dumps(allowed.tolist())
    rare, common = _by_rarity(connection, terms)
    best = _best(connection, _any(rare), k, permitted)
    if common and len(best) < k:
        best = _best(connection, _any(terms), k, permitted)
    elif common:
        best |= _best(connection, f"({_any(common)}) AND ({_any(rare)})", k, permitted)
    return nsmallest(k, best.items(), key=lambda found: (-found[1], found[0]))


def query_terms(query: str) -> list[str]:
    """The terms of a query, each once: words, pairs of neighbouring CJK characters, lone ones.

    Stop words are dropped unless there is nothing else.
    """
    runs: list[list[str]] = []
    previous_end = -1
    for token in tokenise(query[:_READ]):
        if runs and is_cjk(token.text) and is_cjk(runs[-1][-1]) and token.start == previous_end:
            runs[-1].append(token.text)
        else:
            runs.append([token.text])
        previous_end = token.end
    terms: dict[str, None] = {}
    for run in runs:
        pairs = [" ".join(run[i : i + 2]) for i in range(len(run) - 1)] or run
        terms.update(dict.fromkeys(pairs))
    return ([term for term in terms if term not in stop_words()] or list(terms))[:MOST_TERMS]


def _by_rarity(connection: sqlite3.Connection, terms: list[str]) -> tuple[list[str], list[str]]:
    """The terms that choose chunks, and the commoner ones."""
    held = {term: _chunks_with(connection, term) for term in terms}
    rare, chosen = [], 0
    for term in sorted(terms, key=lambda term: held[term]):
        chosen += held[term]
        if chosen > CHOSEN and rare:
            break
        rare.append(term)
    return rare, [term for term in terms if term not in rare]


def _chunks_with(connection: sqlite3.Connection, term: str) -> int:
    """How many chunks hold a term, counted as far as ``CHOSEN`` and one."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM keywords WHERE keywords MATCH ? LIMIT ?)"
    ((count,),) = connection.execute(sql, (_any([term]), CHOSEN + 1))
    return count


def _best(connection: sqlite3.Connection, expression: str, k: int, permitted: str | None) -> dict[int, float]:
    """The ``k`` permitted chunks with the best BM25 for an expression of FTS5."""
    given: list[str | int] = [expression, k]
    among = ""
    if permitted is not None:
        # The plus keeps SQLite from asking FTS5 once for each permitted row, which took 1.7 s for 10,000 of
        # 100,000 rows where this takes 6 ms.
        among, given = "AND +rowid IN (SELECT value FROM json_each(?))", [expression, permitted, k]
    sql = (
        f"SELECT rowid, bm25(keywords) AS score FROM keywords WHERE keywords MATCH ? {among} "
        "ORDER BY score, rowid LIMIT ?"
    )
    return {chunk_id: -score for chunk_id, score in connection.execute(sql, given)}


def _any(terms: Iterable[str]) -> str:
    """The FTS5 expression for any of some terms."""
    # A token holds letters, digits and points between digits: nothing in it ends the quotes.
    return " OR ".join(f'"{term}"' for term in terms)
