"""What a walk works with: the graphs, the store, whose record it is, and the words of the answer's language."""

from dataclasses import dataclass
from functools import cached_property

from agent.answer import Language
from agent.knowing.evidence import Cites
from agent.knowing.guidelines import Guidelines
from agent.knowing.patient import Patient
from agent.knowing.saying import Saying
from agent.knowing.values import Values
from agent.planning.plan import ExploreGraph
from agent.scope import Scope
from knowledge.graph import KnowledgeGraph
from knowledge.patients import PatientGraph
from knowledge.store.store import RecordStore


@dataclass(frozen=True)
class Desk:
    """One question's desk; what is laid on it is read once."""

    action: ExploreGraph
    scope: Scope
    language: Language
    store: RecordStore
    graph: KnowledgeGraph
    patients: PatientGraph
    guidelines: Guidelines

    @cached_property
    def cites(self) -> Cites:
        """Makes evidence."""
        return Cites(self.store, self.graph, self.language)

    @cached_property
    def saying(self) -> Saying:
        """Makes words."""
        return Saying(self.graph, self.cites, self.language, self.scope.now)

    @cached_property
    def patient(self) -> Patient:
        """The patient that the question is about."""
        assert self.action.subject_id is not None, "the planner asks whom a question is about"
        assert self.scope.may_see(self.action.subject_id), "the tool refuses before a desk is laid"
        return Patient(self.patients, self.graph, self.action.subject_id, self.scope.now)

    @cached_property
    def values(self) -> Values:
        """The patient's values."""
        return Values(self.store, self.patients, self.graph, self.patient.subject_id, self.scope.now)
