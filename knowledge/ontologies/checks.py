"""What is odd in a graph though each source is sound: circles in the hierarchy, codes on which sources disagree."""

import sqlite3
from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from knowledge.ontologies.report import Disagreement


def hierarchy_cycles(connection: sqlite3.Connection) -> tuple[tuple[str, ...], ...]:
    """The sets of concepts that are kinds of each other in a circle, by id; also a concept that is its own kind."""
    rows = connection.execute(
        "SELECT subject, object FROM edge WHERE relation = (SELECT relation_key FROM relation WHERE relation = 'is_a')"
    ).fetchall()
    if not rows:
        return ()
    edges = np.array(rows, dtype=np.int64)
    keys, places = np.unique(edges, return_inverse=True)
    subjects, objects = places.reshape(edges.shape).T
    links = coo_array((np.ones(len(edges), dtype=np.int8), (subjects, objects)), shape=(len(keys), len(keys)))
    _, parts = connected_components(links, directed=True, connection="strong")
    own_kind = set(keys[subjects[subjects == objects]].tolist())
    members: dict[int, list[int]] = defaultdict(list)
    for part in np.flatnonzero(np.bincount(parts) > 1).tolist():
        members[part] = keys[parts == part].tolist()
    circles = [
        *members.values(),
        *([key] for key in own_kind if not any(key in one for one in members.values())),
    ]
    named = (tuple(sorted(_id(connection, key) for key in circle)) for circle in circles)
    return tuple(sorted(named))


def disagreements(connection: sqlite3.Connection, source: int | None = None) -> list[Disagreement]:
    """Concepts for which two sources have codes of one system, of which none equals or contains one of the other's.

    Args:
        connection: of the graph.
        source: only those in which this source has a part.
    """
    rows = connection.execute(
        "SELECT c.id, system, source_key, source.id, plain, code FROM code JOIN concept c USING (concept_key) "
        "JOIN source USING (source_key) WHERE scope <> 'approximate' AND (concept_key, system) IN "
        "(SELECT concept_key, system FROM code GROUP BY 1, 2 HAVING count(DISTINCT source_key) > 1) "
        "ORDER BY c.id, system, source_key, plain"
    )
    groups: dict[tuple[str, str], dict[tuple[int, str], list[tuple[str, str]]]] = defaultdict(dict)
    for concept, system, key, name, plain, code in rows:
        groups[concept, system].setdefault((key, name), []).append((plain, code))
    found = []
    for (concept, system), by_source in groups.items():
        sources = list(by_source)
        for at, other in enumerate(sources):
            for one in sources[at + 1 :]:
                mine, theirs = (one, other) if source in (None, one[0]) else (other, one)
                if source not in (None, mine[0]) or _meet(by_source[mine], by_source[theirs]):
                    continue
                found.append(
                    Disagreement(
                        concept, system, _listed(by_source[mine]), _listed(by_source[theirs]), theirs[1]
                    )
                )
    return found


def _meet(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> bool:
    return any(a.startswith(b) or b.startswith(a) for a, _ in one for b, _ in other)


def _listed(codes: list[tuple[str, str]]) -> str:
    return ", ".join(code for _, code in codes)


def _id(connection: sqlite3.Connection, key: int) -> str:
    return connection.execute("SELECT id FROM concept WHERE concept_key = ?", (key,)).fetchone()[0]
