"""Builds the graph from the core pack: the tables of concepts and of facts that come with Chartroom.

The same tables give the same bytes. When the tables change with a new version of Chartroom, the core pack is
replaced and what a hospital imported stays.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from knowledge.errors import IndexOutdated
from knowledge.facts import Fact, review_facts
from knowledge.graph.classes import class_members
from knowledge.graph.graph import KnowledgeGraph
from knowledge.graph.parts import CORE, CodeScope
from knowledge.graph.write import SCHEMA_VERSION, GraphWriter, refuse_lost, stated, writing
from knowledge.terminology import Terminology
from knowledge.terminology.concepts import Concept, read_table

_HIERARCHICAL = frozenset({"icd10", "icd9", "icd10pcs", "icd9proc", "atc"})
"""Code systems whose codes stand for themselves and all below them in the tables of concepts."""
_SHOWN = 5
_PATIENCE = 120.0  # seconds that a start waits where another has just begun to build


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the core pack lies."""

    concepts: Path
    facts: Path

    @classmethod
    def shipped(cls) -> "Tables":
        """Those that come with Chartroom."""
        root = Path(str(files("knowledge")))
        return cls(concepts=root / "terminology" / "tables", facts=root / "facts" / "tables")

    def version(self) -> str:
        """The digest of all tables: of whatever makes a difference to the graph."""
        digest = hashlib.sha256(f"schema {SCHEMA_VERSION}\n".encode())
        for folder in (self.concepts, self.facts):
            for table in sorted(folder.glob("*.tsv")):
                digest.update(f"{table.name}\n".encode())
                digest.update(table.read_bytes())
        return digest.hexdigest()


def ensure(path: Path) -> KnowledgeGraph:
    """The graph in the folder ``path``, built or brought up to the present core pack where it must be.

    Raises:
        IndexFault: the graph that is there was altered, or another change of it is at work.
        ConfigError: a table of the core pack cannot be read.
    """
    version = Tables.shipped().version()
    anew = not (path / "current").exists()
    if anew:
        refuse_lost(path)
    else:
        try:
            graph = KnowledgeGraph.open(path)
        except IndexOutdated:
            if stated(path).get("sources") != CORE:
                raise
            anew = True  # nothing was imported, so nothing is lost
        else:
            if graph.core_version == version:
                return graph
            graph.close()
    build_core(path, anew=anew, wait=_PATIENCE)
    return KnowledgeGraph.open(path)


def build_core(path: Path, *, anew: bool = False, tables: Tables | None = None, wait: float = 0) -> None:
    """Put the core pack into the graph in the folder ``path``, in place of an older one.

    Args:
        path: the folder of the graph; made if it does not exist.
        anew: drop what was imported, too, and whatever is wrong with the files that are there.
        tables: others than those that come with Chartroom.
        wait: for another change that is at work, in seconds.

    Raises:
        IndexFault: the graph that is there was altered (and not ``anew``), or another change of it is at work.
        ConfigError: a table cannot be read.
    """
    tables = tables or Tables.shipped()
    concepts = Terminology(
        concept for table in sorted(tables.concepts.glob("*.tsv")) for concept in read_table(table)
    ).concepts
    with writing(path, anew=anew, wait=wait) as writer:
        version = tables.version()
        source = writer.source(
            CORE, title="Core pack of Chartroom", format="core", version=version, sha256=version
        )
        keys = {concept.id: writer.concept(concept.id) for concept in concepts}
        for concept in concepts:
            add_concept(writer, source, keys[concept.id], concept)
        for member, group, basis in class_members(concepts):
            writer.edge(keys[member], "is_a", keys[group], source, citation=(basis, "", None))
        _add_facts(writer, source, tables.facts, keys)


def add_concept(writer: GraphWriter, source: int, key: int, concept: Concept) -> None:
    """Write a row of a table of concepts."""
    writer.claim(
        key, source, term=concept.id, type=concept.type, en=concept.en, zh=concept.zh, basis=concept.source
    )
    for form in concept.synonyms_en:
        writer.name(key, source, form, "en", "synonym")
    for form in concept.synonyms_zh:
        writer.name(key, source, form, "zh", "synonym")
    for form in concept.abbreviations:
        language = "en" if form.isascii() else "zh"
        exact = form.startswith("=") and len(form) > 1
        writer.name(key, source, form[1:] if exact else form, language, "abbreviation", exact=exact)
    for form in concept.labels:
        writer.name(key, source, form, "en", "label", exact=len(form) <= 3)
    for system, code in concept.codes:
        writer.code(key, source, system, code, scope_of(system))


def scope_of(system: str) -> CodeScope:
    """What a code in a table of concepts stands for: in a hierarchical system also for all below it."""
    return "below" if system in _HIERARCHICAL else "exact"


def add_fact(writer: GraphWriter, source: int, keys: Mapping[str, int], fact: Fact) -> None:
    """Write a row of a table of facts."""
    writer.edge(
        keys[fact.subject],
        fact.relation,
        keys[fact.object],
        source,
        citation=(fact.source, fact.section, fact.year),
        condition=fact.condition,
        severity=fact.severity,
        detail=(fact.detail_en, fact.detail_zh) if fact.detail_en else None,
    )


def _add_facts(writer: GraphWriter, source: int, folder: Path, keys: Mapping[str, int]) -> None:
    if not any(folder.glob("*.tsv")):
        return
    review = review_facts(folder, keys)
    for fact in review.facts:
        add_fact(writer, source, keys, fact)
    reasons: dict[str, list[str]] = {}
    for row in review.rejected:
        reasons.setdefault(row.reason, []).append(f"{Path(row.file).name}, line {row.line}")
    for reason, places in reasons.items():
        writer.left(source, reason, len(places), "; ".join(places[:_SHOWN]))
