"""Decides which terms of a release are concepts that the graph has already.

A term joins a concept if the release's id is known for it, or a reviewed table gives it that id; else by an exact
name that fits one concept only and that no other term of the release has an equal claim to; else by a code that both
have, where a name is compatible and, again, nothing else fits. Preferred names of both sides count most; then a
preferred name that a reviewed table lists as a synonym; then a preferred name that is a synonym in another release,
which is trusted only where no codes of the two speak against it, for releases call much a synonym that is wider,
narrower or beside the thing.

What remains doubtful is kept apart: two concepts for one thing can be seen and joined later, two things under one
concept give wrong answers.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from knowledge.graph.write import plain
from knowledge.ontologies.codes import namespace, own_code
from knowledge.ontologies.likeness import compatible_types, same, words
from knowledge.ontologies.report import Reason
from knowledge.terminology.terminology import fold

_NAMING = "('name', 'synonym')"
_IDENTITIES = frozenset({"doid", "hpo", "mondo", "symp", "drugbank"})
"""Ids of ontologies, which give each thing one: that two differ says only that the release has both."""


class Merging:
    """The decisions for one release. Afterwards every staged term has a concept and a fate.

    Attributes:
        apart: reason to the terms that resemble a concept and were kept apart.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._run = connection.execute
        self.apart: dict[str, Reason] = {}
        self._doubts: dict[int, str] = {}
        connection.create_function("same", 1, same, deterministic=True)
        connection.create_function("compatible", 2, compatible_types, deterministic=True)

    def decide(self) -> None:
        """Give each staged term its concept."""
        self._leave_outside()
        self._by_id()
        self._run("DROP TABLE IF EXISTS temp.known")
        self._run(
            "CREATE TEMP TABLE known AS SELECT DISTINCT same(form) AS same, concept_key, kind = 'name' AS preferred, "
            "source.format IN ('core', 'concepts') AS reviewed FROM main.name JOIN source USING (source_key) "
            f"WHERE kind IN {_NAMING} AND NOT exact AND concept_key IN (SELECT concept_key FROM claim) "
            "AND same(form) IN (SELECT same FROM temp.form)"
        )
        self._run("CREATE INDEX temp.known_same ON known (same)")
        self._settle(
            self._by_name(), "its names fit several concepts", "several terms of the release fit one concept"
        )
        self._settle(
            self._by_code(),
            "its codes and names fit several concepts",
            "several terms of the release have the code and a like name",
        )
        for key, ref in self._run(
            "SELECT k, ref FROM term WHERE concept IS NULL AND fate IS NULL ORDER BY k"
        ).fetchall():
            row = self._run("SELECT concept_key FROM concept WHERE id = ?", (ref,)).fetchone()
            concept = row[0] if row else self._new(ref)
            self._run("UPDATE term SET concept = ?, fate = 'added' WHERE k = ?", (concept, key))
            if key in self._doubts:
                self.apart.setdefault(self._doubts[key], Reason()).add(ref)

    def named(self, label: str, kind: str) -> int | None:
        """The concept of that name, if it is the only one of a compatible type."""
        rows = self._run(
            f"SELECT DISTINCT concept_key FROM name JOIN concept USING (concept_key) WHERE folded = ? "
            f"AND kind IN {_NAMING} AND NOT exact AND compatible(type, ?) LIMIT 2",
            (fold(label), kind),
        ).fetchall()
        return rows[0][0] if len(rows) == 1 else None

    def _leave_outside(self) -> None:
        """Terms that do not lie below the root of their kind are no concepts of ours."""
        prefixes = {row[0].partition(":")[0] for row in self._run("SELECT ref FROM term WHERE NOT implied")}
        for prefix in sorted(prefixes):
            known = namespace(f"{prefix}:")
            if known is None or known.root is None:
                continue
            self._run(
                "WITH RECURSIVE inside(ref) AS (VALUES (?) UNION SELECT term.ref FROM inside "
                "JOIN parent USING (ref) JOIN term USING (k)) "
                "UPDATE term SET fate = 'outside' WHERE ref LIKE ? AND NOT implied "
                "AND ref NOT IN (SELECT ref FROM inside)",
                (known.root, f"{prefix}:%"),
            )

    def _by_id(self) -> None:
        """Terms whose id another source, or an earlier release, has given to a concept."""
        self._run(
            "UPDATE term SET fate = 'merged', "
            "concept = (SELECT min(concept_key) FROM claim WHERE claim.term = term.ref) "
            "WHERE fate IS NULL AND (SELECT count(DISTINCT concept_key) FROM claim WHERE claim.term = term.ref) = 1"
        )
        self._run(
            "UPDATE term SET fate = 'merged', concept = (SELECT concept_key FROM concept WHERE id = ref) "
            "WHERE fate IS NULL AND ref IN (SELECT id FROM concept JOIN claim USING (concept_key))"
        )
        for key, ref in self._run("SELECT k, ref FROM term WHERE fate IS NULL").fetchall():
            if (
                (own := own_code(ref))
                and own[0] in _IDENTITIES
                and (concept := self._reviewed(*own)) is not None
            ):
                self._run("UPDATE term SET fate = 'merged', concept = ? WHERE k = ?", (concept, key))
        self._run(
            "UPDATE term SET fate = 'clash' WHERE fate = 'merged' AND NOT compatible(type, (SELECT concept.type "
            "FROM concept WHERE concept_key = term.concept))"
        )

    def _reviewed(self, system: str, code: str) -> int | None:
        """The concept to which a reviewed table gives the id, if it is one."""
        rows = self._run(
            "SELECT DISTINCT concept_key FROM code JOIN source USING (source_key) WHERE system = ? AND plain = ? "
            "AND source.format IN ('core', 'concepts')",
            (system, plain(code)),
        ).fetchall()
        return rows[0][0] if len(rows) == 1 else None

    def _by_name(self) -> "Iterator[tuple[int, int, int]]":
        """Term, concept, and how good the match is: 3 where both names are the preferred ones."""
        matches = self._run(
            "SELECT term.k, known.concept_key, max(CASE WHEN form.kind = 'name' AND known.preferred THEN 3 "
            "WHEN form.kind = 'name' AND known.reviewed THEN 2 WHEN form.kind = 'name' OR known.preferred THEN 1 "
            "ELSE 0 END) AS rank FROM term JOIN form USING (k) JOIN known USING (same) "
            "JOIN concept USING (concept_key) "
            f"WHERE term.fate IS NULL AND form.kind IN {_NAMING} AND compatible(term.type, concept.type) "
            "GROUP BY term.k, known.concept_key HAVING rank > 0 ORDER BY term.k, rank DESC, known.concept_key"
        ).fetchall()
        for term, concept, rank in matches:
            if rank == 1 and self._codes_differ(term, concept):
                self._doubts[term] = "a synonym of one is the name of the other, but their codes differ"
            else:
                yield term, concept, rank

    def _codes_differ(self, term: int, concept: int) -> bool:
        """Whether both have codes of a common system, and none is the other's or lies under it."""
        mine, theirs = (
            self._run(query, (key,)).fetchall()
            for query, key in (
                ("SELECT system, plain FROM coding WHERE k = ?", term),
                ("SELECT system, plain FROM code WHERE concept_key = ? AND scope <> 'approximate'", concept),
            )
        )
        shared = {system for system, _ in mine} & {system for system, _ in theirs} - _IDENTITIES
        return bool(shared) and not any(
            system == other and (code.startswith(far) or far.startswith(code))
            for system, code in mine
            if system in shared
            for other, far in theirs
        )

    def _by_code(self) -> "Iterator[tuple[int, int, int]]":
        """The same for terms that share a code with a concept and have a compatible name."""
        pairs = self._run(
            "SELECT DISTINCT term.k, code.concept_key FROM term JOIN coding USING (k) "
            "JOIN code USING (system, plain) JOIN concept USING (concept_key) "
            "WHERE term.fate IS NULL AND code.scope <> 'approximate' AND compatible(term.type, concept.type) "
            "AND concept_key IN (SELECT concept_key FROM claim) ORDER BY term.k, code.concept_key"
        ).fetchall()
        for term, of_term in groupby(pairs, key=lambda pair: pair[0]):
            mine = self._words("SELECT form FROM form WHERE language = 'en' AND k = ? AND kind IN", term)
            for _, concept in of_term:
                if mine & self._words(
                    "SELECT form FROM name WHERE language = 'en' AND concept_key = ? AND kind IN", concept
                ):
                    yield term, concept, 1

    def _words(self, query: str, key: int) -> set[frozenset[str]]:
        return {words(row[0]) for row in self._run(f"{query} {_NAMING}", (key,))} - {frozenset()}

    def _settle(self, matches: Iterable[tuple[int, int, int]], several: str, rivals: str) -> None:
        """Join terms and concepts that fit each other only; each kind of id in a release is a party of its own."""
        refs = dict(self._run("SELECT k, ref FROM term"))
        taken = {
            (concept, ref.partition(":")[0])
            for concept, ref in self._run("SELECT concept, ref FROM term WHERE concept IS NOT NULL")
        }
        claims: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        for term, of_term in groupby(matches, key=lambda match: match[0]):
            ranked = list(of_term)
            best = [match for match in ranked if match[2] == ranked[0][2]]
            if len(best) > 1:
                self._doubts[term] = several
            else:
                claims[best[0][1], refs[term].partition(":")[0]].append((best[0][2], term))
        for party, claimants in claims.items():
            first = max(rank for rank, _ in claimants)
            foremost = [term for rank, term in claimants if rank == first]
            for _, term in claimants:
                if foremost == [term] and party not in taken:
                    self._run("UPDATE term SET concept = ?, fate = 'merged' WHERE k = ?", (party[0], term))
                else:
                    self._doubts[term] = rivals

    def _new(self, ref: str) -> int:
        return self._run("INSERT INTO concept (id, type, en) VALUES (?, '', '')", (ref,)).lastrowid or 0
