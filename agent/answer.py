"""The answer contract: what ``ClinicalAgent.ask`` returns and ``chartroom ask --json`` prints.

Fields that have no content are ``None`` or empty, never absent.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
Status = Literal["answered", "clarify", "refused"]
Reason = Literal[
    "not_in_schema",  # the store cannot hold it
    "not_documented",  # it could; this record has none
    "no_permission",
    "no_such_patient",
    "action_request",  # asks to do something, not to know something
    "out_of_scope",  # not a question about records or medicine
    "low_confidence",
]
Cell = str | int | float | None


class Frozen(BaseModel):
    """Base: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RowEvidence(Frozen):
    """Rows of one table. ``values`` are those of the first row, for display."""

    id: int
    kind: Literal["row"] = "row"
    table: str
    row_ids: tuple[int, ...]
    values: dict[str, Cell]
    truncated: bool = False  # more rows stand behind this than row_ids names


class NoteEvidence(Frozen):
    """A span of a note: ``quote == note.text[start:end]``."""

    id: int
    kind: Literal["note"] = "note"
    note_id: int
    start: int
    end: int
    quote: str
    note_type: str | None = None
    charttime: str | None = None
    author: str | None = None
    subject_id: int | None = None


class GraphEvidence(Frozen):
    """A path in the knowledge graph: subject, relation, object or condition of each edge.

    ``source`` names the works that say so, ``details`` what they add in words (mechanism, advice).
    """

    id: int
    kind: Literal["graph"] = "graph"
    edges: tuple[tuple[str, str, str], ...]
    source: str
    details: tuple[str, ...] = ()


class PassageEvidence(Frozen):
    """A span of an imported document: ``quote == document.text[start:end]``; ``title`` names its edition."""

    id: int
    kind: Literal["passage"] = "passage"
    doc_id: str
    start: int
    end: int
    quote: str
    title: str = ""


Evidence = Annotated[
    RowEvidence | NoteEvidence | GraphEvidence | PassageEvidence, Field(discriminator="kind")
]


class Claim(Frozen):
    """One sentence of the answer with the evidence it rests on."""

    text: str
    evidence: tuple[int, ...]
    verified: bool


class Result(Frozen):
    """The table that was asked for: exactly the columns asked for, no keys."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool = False


class Step(Frozen):
    """What one tool did."""

    tool: str
    input: dict[str, Any]
    summary: str
    ms: int


class Model(Frozen):
    """The model that planned or wrote."""

    name: str
    sha256: str | None


class Answer(Frozen):
    """One question's outcome (DESIGN of the answer contract: ``docs/answer.md``)."""

    question: str
    language: Language
    status: Status
    reason: Reason | None
    text: str
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    result: Result | None = None
    sql: str | None = None
    chart: dict[str, Any] | None = None
    options: tuple[str, ...] = ()  # the candidates of a clarify
    assumptions: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    confidence: float | None = None
    model: Model | None = None
    ms: dict[str, int] = Field(default_factory=dict)
