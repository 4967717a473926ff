"""Writes what was staged into the graph, once each term has its concept."""

from collections.abc import Sequence

from knowledge.graph.parts import CodeScope, Language, NameKind
from knowledge.graph.write import GraphWriter, plain
from knowledge.ontologies.codes import namespace, own_code
from knowledge.ontologies.entries import Release
from knowledge.ontologies.merging import Merging
from knowledge.ontologies.staging import Staging
from knowledge.terminology.terminology import fold

_UNKNOWN = "the graph has no concept for it; import the release that defines it first"
_SEVERAL = "several concepts have its id or code"


class Settling:
    """Writes one staged release.

    Args:
        writer: of the graph.
        source: the key of the release.
        release: for citations.
        staging: the entries; what cannot be placed is reported there.
        merging: has decided already.
    """

    def __init__(
        self, writer: GraphWriter, source: int, release: Release, staging: Staging, merging: Merging
    ) -> None:
        self._writer = writer
        self._source = source
        self._release = release
        self._staging = staging
        self._merging = merging
        self._run = writer.connection.execute
        self._found: dict[str, tuple[int, ...]] = {
            ref: (concept,)
            for ref, concept in self._run("SELECT ref, concept FROM term WHERE fate IN ('merged', 'added')")
        }
        writer.connection.create_function("fold", 1, fold, deterministic=True)

    def settle(self) -> None:
        """Write everything."""
        self._terms()
        self._hierarchy()
        self._below_codes()
        self._called()
        self._coded()
        self._related()

    def _terms(self) -> None:
        outside: Sequence[tuple[str]] = self._run(
            "SELECT ref FROM term WHERE fate = 'outside' ORDER BY k"
        ).fetchall()
        for (ref,) in outside:
            known = namespace(ref)
            self._staging.leave(ref, f"a term that is not below {known.root if known else 'the root'}")
        for (ref,) in self._run("SELECT ref FROM term WHERE fate = 'clash' ORDER BY k").fetchall():
            self._staging.leave(ref, "its id is that of a concept of another type")
        self._run("DELETE FROM term WHERE fate IN ('outside', 'clash')")
        self._run(
            "INSERT OR IGNORE INTO claim SELECT concept, ?, ref, type, en, zh, basis FROM term ORDER BY k",
            (self._source,),
        )
        self._run(
            "INSERT OR IGNORE INTO claim SELECT concept, ?, alternative.ref, type, en, zh, basis FROM term "
            "JOIN alternative USING (k) WHERE alternative.ref NOT IN (SELECT ref FROM term) ORDER BY k",
            (self._source,),
        )
        self._run(
            "INSERT OR IGNORE INTO name SELECT concept, fold(form), form, language, kind, exact, ? FROM term "
            "JOIN form USING (k)",
            (self._source,),
        )
        self._run(
            "INSERT OR IGNORE INTO code SELECT concept, system, plain, code, scope, ? FROM term JOIN coding USING (k)",
            (self._source,),
        )

    def _hierarchy(self) -> None:
        rows = self._run(
            "SELECT term.ref, parent.ref FROM term JOIN parent USING (k) ORDER BY k, 2"
        ).fetchall()
        known: set[tuple[int, int]] = set()
        for child, parent in rows:
            self._is_a(child, parent, known)

    def _is_a(self, child: str, parent: str, known: set[tuple[int, int]]) -> None:
        subject, object = self._one(child), self._one(parent)
        if subject is None:
            self._staging.leave(child, self._why(child))
        elif object is None:
            self._staging.leave(child, f"its kind is unknown: {self._why(parent)}")
        elif subject == object:
            self._staging.leave(child, "it and its kind are one concept here")
        elif (subject, object) not in known:
            known.add((subject, object))
            self._writer.edge(subject, "is_a", object, self._source, citation=self._release.citation())

    def _below_codes(self) -> None:
        """A code of a classification that became a concept of its own lies below the concepts that claim the code.

        The core pack's codes stand for all that is under them: ``disease:hypertension`` has I11, so what ICD-10-CM
        calls I11 is a kind of it.
        """
        rows = self._run(
            "SELECT DISTINCT term.concept, code.concept_key FROM term JOIN coding USING (k) "
            "JOIN code USING (system, plain) WHERE term.fate = 'added' AND coding.scope = 'below' "
            "AND code.scope = 'below' AND code.source_key <> ? AND code.concept_key <> term.concept ORDER BY 1, 2",
            (self._source,),
        ).fetchall()
        title, _, year = self._release.citation()
        for subject, object in rows:
            if not self._is_kind_of(object, subject):
                self._writer.edge(subject, "is_a", object, self._source, citation=(title, "by code", year))

    def _is_kind_of(self, concept: int, kind: int) -> bool:
        """Whether the hierarchy has it so already: then the opposite would close a circle."""
        found = self._run(
            "WITH RECURSIVE above(key) AS (VALUES (?) UNION SELECT object FROM above JOIN edge ON subject = key "
            "AND relation = (SELECT relation_key FROM relation WHERE relation = 'is_a')) "
            "SELECT 1 FROM above WHERE key = ?",
            (concept, kind),
        )
        return found.fetchone() is not None

    def _called(self) -> None:
        for ref, label, form, language, kind, exact in self._run(
            "SELECT * FROM called ORDER BY rowid"
        ).fetchall():
            concept = self._one(ref) or self._by_label(ref, label)
            if concept is None:
                self._staging.leave(ref, self._why(ref))
            else:
                lang: Language = language
                named: NameKind = kind
                self._writer.name(concept, self._source, form, lang, named, exact=bool(exact))

    def _coded(self) -> None:
        for ref, label, system, code, scope in self._run("SELECT * FROM coded ORDER BY rowid"):
            concepts = self._all(ref)
            if not concepts and (labelled := self._by_label(ref, label)):
                concepts = (labelled,)
            reach: CodeScope = scope
            if not concepts:
                concepts, reach = self._above(ref), "approximate"
            if not concepts:
                self._staging.leave(ref, _UNKNOWN)
            for concept in concepts:
                self._writer.code(concept, self._source, system, code, reach)

    def _related(self) -> None:
        known: set[tuple[int, int]] = set()
        for row in self._run("SELECT * FROM related ORDER BY rowid"):
            left, relation, right, place, condition, severity, english, chinese, source, section, year = row
            if relation == "is_a":
                self._is_a(left, right, known)
                continue
            subject, object = self._one(left), self._one(right)
            if subject is None or object is None:
                missing = left if subject is None else right
                self._staging.leave(place, self._why(missing))
                continue
            self._writer.edge(
                subject,
                relation,
                object,
                self._source,
                citation=(source, section, year) if source else self._release.citation(),
                condition=condition,
                severity=severity,
                detail=(english, chinese) if english else None,
            )

    def _why(self, ref: str) -> str:
        return _SEVERAL if len(self._all(ref)) > 1 else _UNKNOWN

    def _one(self, ref: str) -> int | None:
        found = self._all(ref)
        return found[0] if len(found) == 1 else None

    def _all(self, ref: str) -> tuple[int, ...]:
        """The concepts that a reference means: by our id, by a release's id, else by a code."""
        found = self._found.get(ref)
        if found is None:
            found = self._found[ref] = self._look_up(ref)
        return found

    def _look_up(self, ref: str) -> tuple[int, ...]:
        queries: list[tuple[str, tuple[str, ...]]] = [
            ("SELECT concept_key FROM concept JOIN claim USING (concept_key) WHERE id = ?", (ref,)),
            ("SELECT concept_key FROM claim WHERE term = ?", (ref,)),
        ]
        if own := own_code(ref) or _named_code(ref):
            queries.append(
                (
                    "SELECT concept_key FROM code WHERE system = ? AND plain = ? AND scope <> 'approximate'",
                    (own[0], plain(own[1])),
                )
            )
        for query, parameters in queries:
            rows = self._run(f"SELECT DISTINCT concept_key FROM ({query}) ORDER BY 1", parameters).fetchall()
            if rows:
                return tuple(row[0] for row in rows)
        return ()

    def _above(self, ref: str) -> tuple[int, ...]:
        """The concepts whose code stands for all below it, and so for this one too; the nearest."""
        own = _named_code(ref)
        if own is None:
            return ()
        system, code = own[0], plain(own[1])
        for length in range(len(code) - 1, 2, -1):
            rows = self._run(
                "SELECT DISTINCT concept_key FROM code WHERE system = ? AND plain = ? AND scope = 'below' ORDER BY 1",
                (system, code[:length]),
            ).fetchall()
            if rows:
                return tuple(row[0] for row in rows)
        return ()

    def _by_label(self, ref: str, label: str | None) -> int | None:
        """The only concept of that name; from now on it has the release's id as a code."""
        kind, own = namespace(ref), own_code(ref)
        if label is None or kind is None or self._all(ref):
            return None
        concept = self._merging.named(label, kind.type)
        if concept is not None:
            if own:
                self._writer.code(concept, self._source, *own)
            self._found[ref] = (concept,)
        return concept


def _named_code(ref: str) -> tuple[str, str] | None:
    """A reference that is a code in our own writing: ``icd10:I50``."""
    system, colon, code = ref.partition(":")
    return (system, code) if colon and system.islower() and code else None
