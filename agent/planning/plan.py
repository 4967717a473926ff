"""What a planner hands to the graph, and what every planner is.

The catalogue (``catalogue.py``) plans without a model; a planner that runs a model emits the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.answer import Language, Reason
from agent.charts.mark import AskedChart
from agent.planning.link import Linked
from agent.query.model import ClinicalQuery, Encounter, Window
from agent.scope import Scope


@dataclass(frozen=True, slots=True)
class QueryRecords:
    """Ask the tables.

    Attributes:
        query: what is asked.
        intent: the catalogue's name of it; ``None`` where a model composed the query.
        stay_assumed: the question named no time, and the usual stay was taken.
        chart: the mark that the question asks for; ``auto``: a chart with the mark that fits the result.
    """

    query: ClinicalQuery
    intent: str | None = None
    stay_assumed: bool = False
    chart: AskedChart | None = None


@dataclass(frozen=True, slots=True)
class SearchNotes:
    """Ask the notes: the words to look for and the filters, applied before the search.

    Attributes:
        encounter: a stay of the patient; which one that is, is looked up when the notes are asked.
    """

    text: str
    subject_id: int | None
    hadm_id: int | None = None
    note_types: tuple[str, ...] = ()
    window: Window | None = None
    encounter: Encounter | None = None

    @property
    def timed(self) -> bool:
        """Whether only notes of some time or stay are asked."""
        return not (self.window is None and self.encounter is None and self.hadm_id is None)


GraphQuestion = Literal[
    "safety",  # which current drugs are contraindicated or need another dose
    "interactions",  # which drugs interact
    "effects",  # which current drugs can do something: prolong QT, harm the kidneys, raise potassium
    "explanation",  # what could explain a finding
    "workup",  # what is missing in the work-up or monitoring of a problem
    "cohort",  # who has a disease, its subtypes and codes included
    "timeline",  # what the record says of a problem, in time
    "differential",  # which diseases a set of findings speaks for and against
    "facts",  # what general knowledge says
]


@dataclass(frozen=True, slots=True)
class ExploreGraph:
    """Walk the knowledge graph and, where it is about a patient, the patient graph.

    Attributes:
        ask: which question.
        subject_id: whose record; ``None`` for a question about many or about none.
        concepts: ids of what the question names, in its order.
        absent: ids of findings that the question says are not there.
        relations: of a question for facts: the relations asked for; of drug safety, ``allergic_to`` where only
            allergies are asked about, ``interacts_with`` where interactions count, too; of an explanation,
            ``adverse_effect`` where only drugs are.
        side: of a question for facts: whether the first of the concepts is the subject or the object.
        counts: of a cohort: how many are asked for, and not who.
        beside: of a cohort: a count of coded titles is told before it.
        drugs: of effects: the drugs that are asked about; empty for all current ones.
    """

    ask: GraphQuestion
    subject_id: int | None
    concepts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    side: Literal["out", "in"] = "out"
    counts: bool = False
    beside: bool = False
    drugs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchKnowledge:
    """Ask the imported documents: a question of medicine in general."""

    text: str


@dataclass(frozen=True, slots=True)
class Clarify:
    """Ask back: the question, in its language, and the candidates."""

    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Decline, with the reason and a sentence on what would help."""

    reason: Reason
    text: str


Action = QueryRecords | SearchNotes | ExploreGraph | SearchKnowledge | Clarify | Refuse


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for a question. Actions that are independent run in parallel; usually there is one.

    Attributes:
        confidence: calibrated probability, 0 to 1, that the plan asks what the question asks.
        assumptions: what was taken for granted to get here, in the question's language.
    """

    actions: tuple[Action, ...]
    confidence: float
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of the conversation, for follow-up questions."""

    question: str
    plan: Plan | None


class Planner(Protocol):
    """Turns a linked question into a plan."""

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan; never raises for what it does not understand (that is a ``Refuse`` or ``Clarify``).

        Args:
            question: as cleaned.
            language: of the question.
            linked: what it names.
            scope: who asks about whom, and when.
            history: earlier turns, oldest first.
            stop: whether the user has stopped the question; asked while a model is at work.

        Raises:
            Stopped: ``stop`` said so.
        """
        ...
