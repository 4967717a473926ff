"""What the patient graph is made of: statements about a patient, each with the row or span that says it."""

from dataclasses import dataclass
from typing import Literal

from knowledge.errors import ConfigError

Kind = Literal["problem", "finding", "drug", "procedure", "organism", "result", "encounter"]
Relation = Literal[
    "has_problem", "has_finding", "takes", "underwent", "grew", "allergic_to", "stayed", "noted"
]
Assertion = Literal["present", "negated", "possible", "historical", "family", "hypothetical", "conditional"]
Experiencer = Literal["patient", "family", "other"]

KIND_OF_TYPE: dict[str, Kind] = {
    "disease": "problem",
    "finding": "finding",
    "drug": "drug",
    "drug_class": "drug",
    "procedure": "procedure",
    "organism": "organism",
    "lab": "result",
    "vital": "result",
}
"""Type of a concept to the kind of its node."""

OWN: frozenset[str] = frozenset({"present", "historical"})
"""Assertions that say that the patient has, or has had, the thing."""


@dataclass(frozen=True, slots=True)
class RowRef:
    """A row of the store."""

    table: str
    row_id: int


@dataclass(frozen=True, slots=True)
class NoteRef:
    """A span of a note, ``[start, end)`` code points of its text."""

    note_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One edge: what one row or one mention says of one patient.

    Attributes:
        concept: id in the knowledge graph; ``None`` where the record's wording is known to no source.
        name: the concept's English name, or that wording.
        start, end: ``YYYY-MM-DD HH:MM:SS``; for a mention, when its note was written.
        closed: the record says that it has ended, be the time known or not.
        code: as recorded (``icd10|N179``).
        said_time: the time that the note gives beside the mention.
    """

    subject_id: int
    hadm_id: int | None
    relation: Relation
    kind: Kind
    concept: str | None
    name: str
    start: str | None
    end: str | None
    closed: bool
    assertion: Assertion
    experiencer: Experiencer
    code: str | None
    said_time: str | None
    evidence: RowRef | NoteRef

    def __post_init__(self) -> None:
        """A problem is asserted of the patient; nothing else may become one."""
        if self.relation in ("has_problem", "has_finding") and not self.is_own:
            raise ConfigError(f"A {self.assertion} statement cannot be {self.relation!r}; it is 'noted'.")

    @property
    def is_own(self) -> bool:
        """Whether it says that the patient has, or has had, the thing."""
        return self.assertion in OWN and self.experiencer == "patient"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a patient, with every code and wording of it in one place.

    Attributes:
        codes: as recorded, those of all statements.
        first, last: start of the earliest and of the latest statement.
        historical: nothing says that it is present.
        statements: earliest first.
    """

    subject_id: int
    concept: str | None
    name: str
    kind: Kind
    codes: tuple[str, ...]
    first: str | None
    last: str | None
    historical: bool
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class DrugOrder:
    """An order or infusion of a drug.

    Attributes:
        concepts: one for each active ingredient that is known; empty where none is.
        wording: the drug as the row names it.
        dose, route, frequency: as the row writes them (``40 mg``, ``PO``, ``BID``); ``None`` where it says nothing.
    """

    subject_id: int
    concepts: tuple[str, ...]
    wording: str
    start: str | None
    end: str | None
    row: RowRef
    route: str | None = None
    dose: str | None = None
    frequency: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A result, read from its row.

    Attributes:
        value: ``None`` where only text was reported.
        text: as reported, where the store keeps that.
        low, high: the reference range that the row carries.
    """

    concept: str
    label: str
    value: float | None
    unit: str | None
    text: str | None
    time: str | None
    flag: str | None
    low: float | None
    high: float | None
    row: RowRef
