"""What a walk brings back: points, each a sentence to be said with the evidence it rests on."""

from dataclasses import dataclass
from typing import Literal

from agent.answer import GraphEvidence, NoteEvidence, PassageEvidence, Result, RowEvidence
from agent.planning.plan import ExploreGraph
from knowledge.patients.model import OWN, Assertion, Experiencer

ComputationName = Literal[
    "egfr",  # CKD-EPI 2021, from a creatinine and the patient's row
    "creatinine_clearance",  # Cockcroft-Gault, from a creatinine, a weight and the patient's row
    "clearance_as_egfr",  # an eGFR that stands for the clearance where no weight is on record
    "qtc",  # Fridericia, from a QT interval and a heart rate
    "age",  # completed years, from the patient's row, at "now"
    "days_ago",  # from the time of a cited row or note to "now"
    "converted",  # a cited value in another unit
    "count",  # of what is cited, or of what was looked through
]
Piece = RowEvidence | NoteEvidence | GraphEvidence | PassageEvidence


@dataclass(frozen=True, slots=True)
class Computation:
    """A number in a sentence that is computed and not read.

    Attributes:
        result: rounded as it is said.
        of: the concept whose value it is; empty for a number of days or things.
        unit: that it is in.
    """

    name: ComputationName
    result: float
    of: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a walk takes a span of a note to say of its patient; the verifier reads the note again and compares."""

    note_id: int
    start: int
    end: int
    concept: str | None
    assertion: Assertion
    experiencer: Experiencer

    @property
    def is_own(self) -> bool:
        """Whether it says that the patient has, or has had, the thing."""
        return self.assertion in OWN and self.experiencer == "patient"


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence to be said.

    Attributes:
        key: of the sentence in ``words.<language>.yaml``.
        slots: what fills it, as written in the answer's language.
        evidence: what it rests on; numbered when the answer is composed. Empty only for what says that there is
            nothing, or how much was looked through.
        computed: the numbers in it that no piece of evidence holds as they are.
    """

    key: str
    slots: tuple[tuple[str, str], ...] = ()
    evidence: tuple[Piece, ...] = ()
    computed: tuple[Computation, ...] = ()


Slots = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GraphFinding:
    """What ``explore_graph`` brought back, most important first.

    Attributes:
        assumptions: keys of what was taken for granted, with what fills them.
        names: of all concepts that the points name.
        mentions: the spans of notes that the points rest on.
        result: the table that was asked for, where it is one.
        general: all of it is general knowledge and says nothing of a patient.
    """

    action: ExploreGraph
    points: tuple[Point, ...]
    assumptions: tuple[tuple[str, Slots], ...] = ()
    general: bool = False
    names: tuple[str, ...] = ()
    mentions: tuple[Mentioned, ...] = ()
    result: Result | None = None
