"""What a reader of a foreign release gives: terms, further names and codes of terms, relations, and what it left.

A reference (``ref``) is an id as the release writes it (``DOID:1612``, ``HP:0001250``), a code (``icd10:I50``) or
an id of ours (``disease:mi``). Where a release says what it calls the thing, the label helps to find a concept
that has no such id yet.
"""

from dataclasses import dataclass

from knowledge.graph.parts import CodeScope, Language, NameKind


@dataclass(frozen=True, slots=True)
class Form:
    """A name of a term beside its preferred ones."""

    form: str
    language: Language
    kind: NameKind
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a term."""

    system: str
    code: str
    scope: CodeScope = "exact"


@dataclass(frozen=True, slots=True)
class Term:
    """A concept as the release knows it.

    Attributes:
        type: None where ``namespaces.tsv`` knows the type by the prefix of the id.
        parents: refs of what it is a kind of.
        alternatives: other ids of the release for the same term.
        basis: what the release itself names as its source for the term.
    """

    ref: str
    en: str
    type: str | None = None
    zh: str | None = None
    forms: tuple[Form, ...] = ()
    codes: tuple[Coding, ...] = ()
    parents: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Called:
    """A further name of a term that is known already."""

    ref: str
    form: Form
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """A further code of a term that is known already."""

    ref: str
    code: Coding
    label: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One end of a relation.

    Attributes:
        label: what the release calls it.
        type: where given, an unknown end becomes a concept of its own, so that the relation is not lost.
    """

    ref: str
    label: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A relation between two terms.

    Attributes:
        citation: the work that says so, the place in it and its year; None: the release itself.
        detail: the same remark in English and Chinese.
        place: of the row, for what is reported as left.
    """

    subject: End
    relation: str
    object: End
    place: str = ""
    condition: str | None = None
    severity: str | None = None
    detail: tuple[str, str] | None = None
    citation: tuple[str, str, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """An entry that was not taken: which (an id or a line, never its text) and why."""

    place: str
    reason: str


Entry = Term | Called | Coded | Related | Left


@dataclass(frozen=True, slots=True)
class Release:
    """What is being read.

    Attributes:
        id: short and stable from release to release, since a newer one replaces the older by it.
        version: as the release states it, else empty.
        year: for citations, where the version tells it.
    """

    id: str
    title: str
    version: str = ""
    year: int | None = None

    def citation(self, section: str = "") -> tuple[str, str, int | None]:
        """The release as what says so."""
        title = f"{self.title}, {self.version}" if self.version else self.title
        return title, section, self.year
