"""Reading the knowledge graph: concepts by id, name and code, their relations, the hierarchy, a subgraph.

The graph stays in its file; only what a question touches comes into memory. Walking it is ``knowledge.graph.walk``.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from knowledge.graph.parts import Code, Edge, Name, Node, Source
from knowledge.graph.write import DATABASE, checked, plain
from knowledge.terminology.terminology import fold

if TYPE_CHECKING:
    import networkx

T = TypeVar("T")
Direction = Literal["out", "in", "both"]
_SHORTEST_CODE = {"icd10": 3, "icd9": 3, "icd10pcs": 3, "icd9proc": 2, "atc": 1}
"""The length of the widest code of those systems in which a shorter code stands for all that begin with it."""

_EDGE = """
SELECT edge_id, s.id, relation.relation, o.id, condition, severity, coalesce(detail_en, ''),
       coalesce(detail_zh, ''), source.id, citation.source, section, year
FROM edge
JOIN concept s ON s.concept_key = edge.subject
JOIN concept o ON o.concept_key = edge.object
JOIN relation ON relation.relation_key = edge.relation
JOIN citation USING (citation_key)
JOIN source USING (source_key)
"""
_LISTED = "(SELECT value FROM json_each(?))"


class KnowledgeGraph:
    """An opened graph; safe to use from several threads. Made by ``open`` or ``knowledge.graph.ensure``."""

    def __init__(self, database: Path, core_version: str) -> None:
        self.core_version = core_version
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._connection.execute("PRAGMA cache_size = -32768")

    @classmethod
    def open(cls, path: Path) -> "KnowledgeGraph":
        """Open the graph in the folder ``path``; every byte is checked.

        Raises:
            IndexFault: missing, truncated, altered or of another version.
        """
        folder, manifest = checked(path)
        return cls(folder / DATABASE, str(manifest.details["core"]))

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def __enter__(self) -> "KnowledgeGraph":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def node(self, concept_id: str) -> Node:
        """The concept of that id.

        Raises:
            KeyError: there is none.
        """
        found = self.nodes((concept_id,))
        if not found:
            raise KeyError(concept_id)
        return found[0]

    def nodes(self, concept_ids: Iterable[str]) -> tuple[Node, ...]:
        """The concepts of those ids, in that order; unknown ids are left out."""
        wanted = list(dict.fromkeys(concept_ids))
        rows = self.rows(f"SELECT id, type, en, zh FROM concept WHERE id IN {_LISTED}", _json(wanted))
        found = {row[0]: Node(*row) for row in rows}
        return tuple(found[one] for one in wanted if one in found)

    def all_nodes(self, type: str | None = None) -> Iterator[Node]:
        """Every concept, or every one of a type, by id."""
        rows = self.rows(
            "SELECT id, type, en, zh FROM concept WHERE ? IS NULL OR type = ? ORDER BY id", type, type
        )
        return (Node(*row) for row in rows)

    def named(self, form: str) -> tuple[Node, ...]:
        """The concepts that exactly this form names, the core pack's first."""
        rows = self.rows(
            "SELECT c.id, c.type, c.en, c.zh FROM name JOIN concept c USING (concept_key) WHERE folded = ? "
            "AND kind <> 'related' AND (NOT exact OR form = ?) GROUP BY c.id ORDER BY min(source_key), c.id",
            fold(form),
            form,
        )
        return tuple(Node(*row) for row in rows)

    def names(self, concept_id: str) -> tuple[Name, ...]:
        """Every form that a source gives the concept, preferred ones first."""
        rows = self.rows(
            "SELECT form, language, kind, exact, source.id FROM name JOIN source USING (source_key) "
            "WHERE concept_key = (SELECT concept_key FROM concept WHERE id = ?) "
            "ORDER BY source_key, kind <> 'name', kind, language, form",
            concept_id,
        )
        return tuple(Name(form, lang, kind, bool(exact), by) for form, lang, kind, exact, by in rows)

    def all_names(self) -> Iterator[tuple[str, Name]]:
        """Every form of every concept with the concept's id; ``related`` forms are left out."""
        rows = self.rows(
            "SELECT c.id, form, language, kind, exact, source.id FROM name JOIN concept c USING (concept_key) "
            "JOIN source USING (source_key) WHERE kind <> 'related' ORDER BY c.concept_key, source_key, folded, form"
        )
        return ((one, Name(form, lang, kind, bool(ex), by)) for one, form, lang, kind, ex, by in rows)

    def codes(self, concept_id: str) -> tuple[Code, ...]:
        """Every code that a source gives the concept."""
        rows = self.rows(
            "SELECT system, code, scope, source.id FROM code JOIN source USING (source_key) WHERE concept_key = "
            "(SELECT concept_key FROM concept WHERE id = ?) ORDER BY system, plain, source_key",
            concept_id,
        )
        return tuple(Code(*row) for row in rows)

    def by_code(self, system: str, code: str) -> tuple[Node, ...]:
        """The concepts of a code, or of the nearest code above it that a concept has; with or without dots.

        Where several have it, those come first of which a source says so itself rather than a mapping, the core
        pack's before others, and those with fewer codes of the system, which are narrower, before wider ones.
        """
        whole = plain(code)
        shortest = _SHORTEST_CODE.get(system, len(whole))
        for length in range(len(whole), min(shortest, len(whole)) - 1, -1):
            rows = self.rows(
                "SELECT c.id, c.type, c.en, c.zh FROM code JOIN concept c USING (concept_key) WHERE system = ?1 "
                "AND plain = ?2 AND (?3 OR scope = 'below') GROUP BY c.id ORDER BY min(scope = 'approximate'), "
                "min(source_key), (SELECT count(*) FROM code AS every WHERE every.concept_key = c.concept_key "
                "AND every.system = ?1), c.id",
                system,
                whole[:length],
                length == len(whole),
            )
            if rows:
                return tuple(Node(*row) for row in rows)
        return ()

    def edges(
        self, ids: Iterable[str], relations: Collection[str] | None = None, direction: Direction = "out"
    ) -> list[Edge]:
        """The relations of some concepts.

        Args:
            ids: of the concepts.
            relations: only these; None: all.
            direction: ``out`` where they are the subject, ``in`` where they are the object.
        """
        keys = f"(SELECT concept_key FROM concept WHERE id IN {_LISTED})"
        wanted, kinds = _json(list(ids)), _json(None if relations is None else sorted(relations))
        chosen = (
            f"(? IS NULL OR edge.relation IN (SELECT relation_key FROM relation WHERE relation IN {_LISTED}))"
        )
        sides = {"out": ("subject",), "in": ("object",), "both": ("subject", "object")}[direction]
        found: dict[int, Edge] = {}
        for side in sides:
            for row in self.rows(f"{_EDGE} WHERE edge.{side} IN {keys} AND {chosen}", wanted, kinds, kinds):
                found[row[0]] = Edge(*row)
        return [found[key] for key in sorted(found)]

    def edges_from(self, source_id: str) -> Iterator[Edge]:
        """Every relation that a source gives, in the order of its entries."""
        return (Edge(*row) for row in self.rows(f"{_EDGE} WHERE source.id = ? ORDER BY edge_id", source_id))

    def edges_by_id(self, edge_ids: Sequence[int]) -> dict[int, Edge]:
        """Relations by their number."""
        return {
            row[0]: Edge(*row) for row in self.rows(f"{_EDGE} WHERE edge_id IN {_LISTED}", _json(edge_ids))
        }

    def subgraph(
        self, seeds: Iterable[str], hops: int, relations: Collection[str] | None = None, limit: int = 2000
    ) -> "networkx.MultiDiGraph[str]":
        """What lies within some hops of the seeds; see ``knowledge.graph.neighbours.subgraph``."""
        from knowledge.graph import neighbours  # only here: networkx takes a while to import

        return neighbours.subgraph(self, seeds, hops, relations, limit)

    def ancestors(self, concept_id: str) -> tuple[str, ...]:
        """The concepts that this one is a kind of, near ones first; a circle in the hierarchy ends the walk."""
        return self._hierarchy(concept_id, "subject", "object")

    def descendants(self, concept_id: str) -> tuple[str, ...]:
        """The concepts that are a kind of this one, near ones first; a circle in the hierarchy ends the walk."""
        return self._hierarchy(concept_id, "object", "subject")

    def sources(self) -> tuple[Source, ...]:
        """What the graph was read from, the core pack first."""
        rows = self.rows(
            "SELECT id, title, format, version, sha256, concepts, names, codes, edges, (SELECT "
            "coalesce(sum(entries), 0) FROM left_out WHERE left_out.source_key = source.source_key) "
            "FROM source ORDER BY source_key"
        )
        return tuple(Source(*row) for row in rows)

    def left(self, source_id: str) -> tuple[tuple[str, int, str], ...]:
        """What of a source was not taken: reason, how many entries, examples."""
        rows = self.rows(
            "SELECT reason, entries, examples FROM left_out JOIN source USING (source_key) WHERE id = ? "
            "ORDER BY entries DESC, reason",
            source_id,
        )
        return tuple(rows)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Concepts by type, names by language, codes by system, edges by relation."""
        return self._counts

    @cached_property
    def _counts(self) -> Mapping[str, Mapping[str, int]]:
        return json.loads(self.rows("SELECT value FROM meta WHERE key = 'counts'")[0][0])

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        """Run one query of this package's own."""
        with self._lock, closing(self._connection.execute(query, parameters)) as cursor:
            return cursor.fetchall()

    def each(self, query: str, values: Sequence[object]) -> list[tuple]:
        """Run a query that ends in ``… IN`` for a list of values."""
        return self.rows(f"{query} {_LISTED}", _json(values))

    def among(
        self, query: str, values: Sequence[object], further: str, others: Sequence[object]
    ) -> list[tuple]:
        """Run a query that ends in ``… IN`` for a list of values, ``further`` in ``… IN`` for another."""
        return self.rows(f"{query} {_LISTED} {further} {_LISTED}", _json(values), _json(others))

    def inspect(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Let a check of the whole graph look at the database, which cannot be written."""
        with self._lock:
            return look(self._connection)

    def _hierarchy(self, concept_id: str, here: str, there: str) -> tuple[str, ...]:
        rows = self.rows(
            "WITH RECURSIVE is_a(k) AS (SELECT relation_key FROM relation WHERE relation = 'is_a'), "
            "walk(key) AS (SELECT concept_key FROM concept WHERE id = ? UNION "
            f"SELECT edge.{there} FROM walk JOIN edge ON edge.{here} = walk.key "
            "AND edge.relation = (SELECT k FROM is_a)) SELECT id FROM walk JOIN concept ON concept_key = key",
            concept_id,
        )
        return tuple(row[0] for row in rows if row[0] != concept_id)


def _json(values: Sequence[object] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
