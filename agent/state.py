"""The state that travels through the graph, and what the tools bring back. All of it can be checkpointed."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from typing_extensions import TypedDict

from agent.answer import (
    Answer,
    Claim,
    Evidence,
    GraphEvidence,
    Language,
    Model,
    NoteEvidence,
    PassageEvidence,
    Reason,
    Result,
    RowEvidence,
    Status,
    Step,
)
from agent.charts.drawing import Chart, Drawing
from agent.knowing.point import Computation, GraphFinding, Mentioned, Point
from agent.planning.link import Candidate, Link, Linked, PatientLink, TimeLink
from agent.planning.plan import (
    Action,
    Clarify,
    ExploreGraph,
    Plan,
    QueryRecords,
    Refuse,
    SearchKnowledge,
    SearchNotes,
    Turn,
)
from agent.query import model as query_model
from agent.query.execute import EvidenceRows, Outcome
from agent.query.sentence import Operation
from agent.scope import Scope


@dataclass(frozen=True, slots=True)
class NoteSentence:
    """A sentence of a note that bears on the question: ``text == note.text[start:end]``.

    Attributes:
        relevance: 0 to 1, how much of the question it bears on.
        repeats: how many other notes say the same, to the letter (copied forward).
    """

    note_id: int
    start: int
    end: int
    text: str
    section: str | None
    note_type: str | None
    charttime: str | None
    author: str | None
    subject_id: int
    relevance: float
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class RecordsFinding:
    """What ``query_records`` brought back.

    Attributes:
        widened: it is from all stays, because the one taken for granted held nothing.
        drawing: what became of the chart that was asked for.
    """

    action: QueryRecords
    outcome: Outcome
    widened: bool = False
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class NotesFinding:
    """What ``search_notes`` brought back, most relevant first; ``searched`` counts the notes it looked in."""

    action: SearchNotes
    sentences: tuple[NoteSentence, ...]
    searched: int


@dataclass(frozen=True, slots=True)
class PassageSentence:
    """A sentence of an imported document that bears on the question: ``text == document.text[start:end]``.

    Attributes:
        cited_as: the document's title with its edition.
        relevance: 0 to 1.
    """

    doc_id: str
    cited_as: str
    start: int
    end: int
    text: str
    section: str | None
    relevance: float


@dataclass(frozen=True, slots=True)
class PassagesFinding:
    """What ``search_knowledge`` brought back, most relevant first; ``searched`` counts the documents in use."""

    action: SearchKnowledge
    sentences: tuple[PassageSentence, ...]
    searched: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A tool that could not answer, with the reason that the user gets."""

    reason: Reason
    text: str


Finding = RecordsFinding | NotesFinding | GraphFinding | PassagesFinding | Failed


T = TypeVar("T")


def gather(old: list[T], new: list[T] | None) -> list[T]:
    """Reducer: adds what parallel tools bring; ``None`` empties it for a new question."""
    return [] if new is None else old + new


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a draft.

    Attributes:
        text: without citation marks.
        evidence: ids of the evidence it rests on; empty only where it says that there is none of something.
        figures: numbers in it that are computed and not read.
        outcome: index of the finding whose result it says, or ``None`` for a quotation.
        walked: it says what a walk over the graphs found, with the numbers that were ``computed`` there and the
            ``names`` of concepts, the ``mentions`` in notes that it rests on, and the ``key`` of its wording.
    """

    text: str
    evidence: tuple[int, ...]
    figures: tuple[Operation, ...] = ()
    outcome: int | None = None
    walked: bool = False
    computed: tuple[Computation, ...] = ()
    names: tuple[str, ...] = ()
    mentions: tuple[Mentioned, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it is verified.

    Attributes:
        outcomes: the results that its sentences say.
        patient: whom it is about, where that is not the patient that is open; the answer begins with it.
        chart: of the first result that was drawn.
        result: the table of a walk, where one was asked for and the tables gave none.
        searched: how many notes were read in vain.
    """

    status: Status
    reason: Reason | None = None
    text: str = ""
    sentences: tuple[Sentence, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    options: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    patient: int | None = None
    chart: Chart | None = None
    result: Result | None = None
    searched: int = 0


class State(TypedDict):
    """One question on its way, filled in from top to bottom; ``turns`` stays from the questions before it."""

    question: str
    scope: Scope
    risk: float
    language: Language
    linked: Linked
    plan: Plan
    findings: Annotated[list[Finding], gather]
    steps: Annotated[list[Step], gather]
    action: Action
    draft: Draft
    answer: Answer
    turns: list[Turn]


CHECKPOINTED = [
    (kind.__module__, kind.__qualname__)
    for kind in (
        *(Answer, Claim, Model, Result, Step, RowEvidence, NoteEvidence, GraphEvidence, PassageEvidence),
        *(Linked, Link, TimeLink, PatientLink, Candidate),
        *(Plan, Turn, QueryRecords, SearchNotes, ExploreGraph, Clarify, Refuse),
        *(Outcome, EvidenceRows, Operation, Chart, Drawing),
        *(Scope, Draft, Sentence, NoteSentence, RecordsFinding, NotesFinding, Failed),
        *(GraphFinding, Point, Computation, Mentioned, SearchKnowledge, PassageSentence, PassagesFinding),
        *(
            model
            for model in vars(query_model).values()
            if isinstance(model, type) and issubclass(model, query_model.Frozen)
        ),
    )
]
"""What a checkpoint may hold; nothing else is ever made from one."""
