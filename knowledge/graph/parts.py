"""What the graph is made of, as its readers see it."""

from dataclasses import dataclass
from typing import Literal

CORE = "core"
"""The source that comes with Chartroom."""

Language = Literal["en", "zh"]
NameKind = Literal["name", "synonym", "abbreviation", "label", "related"]
CodeScope = Literal["below", "exact", "approximate"]


@dataclass(frozen=True, slots=True)
class Node:
    """A concept.

    Attributes:
        id: ours (``disease:mi``), or the release's where only that has it (``DOID:0050012``).
        type: one of ``knowledge.terminology.concepts.ConceptType``.
        en: preferred English name.
        zh: preferred Chinese name; None where no source has one.
    """

    id: str
    type: str
    en: str
    zh: str | None

    def name(self, language: str) -> str:
        """The preferred name in a language; the English one where there is no Chinese."""
        return self.zh or self.en if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Name:
    """A form that names a concept.

    Attributes:
        kind: ``related`` forms do not mean quite the same and never identify a concept.
        exact: it counts only in exactly this case.
        source_id: of the source that says so.
    """

    form: str
    language: Language
    kind: NameKind
    exact: bool
    source_id: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a concept.

    Attributes:
        system: ``icd10``, ``icd9``, ``atc``, ``loinc``, ``doid``, ``hp``, ``mesh`` and so on.
        scope: ``below`` where the code stands for itself and all under it, ``approximate`` where a mapping
            between code systems says that it only comes near.
        source_id: of the source that says so.
    """

    system: str
    code: str
    scope: CodeScope
    source_id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A sourced relation between two concepts.

    Attributes:
        subject, object: ids of concepts.
        condition: when it holds, in the grammar of ``knowledge.facts.conditions``; None: always.
        source_id: of the source that the graph has it from, as ``chartroom knowledge remove`` takes it.
        source, section, year: the work that says so.
    """

    edge_id: int
    subject: str
    relation: str
    object: str
    condition: str | None
    severity: str | None
    detail_en: str
    detail_zh: str
    source_id: str
    source: str
    section: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """A release, table or package that the graph has read.

    Attributes:
        sha256: of what was read.
        concepts, names, codes, edges: how much of the graph rests on it.
        left: how many of its entries were not taken.
    """

    id: str
    title: str
    format: str
    version: str
    sha256: str
    concepts: int
    names: int
    codes: int
    edges: int
    left: int
