"""The tool ``explore_graph``: walks the knowledge graph and the patient graph for one clinical question."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from agent.answer import Language
from agent.knowing.cohort import cohort
from agent.knowing.desk import Desk
from agent.knowing.differential import differential
from agent.knowing.effects import effects
from agent.knowing.explanation import explanation
from agent.knowing.guidelines import Guidelines
from agent.knowing.interactions import interactions
from agent.knowing.lookup import facts
from agent.knowing.point import GraphFinding
from agent.knowing.safety import safety
from agent.knowing.timeline import timeline
from agent.knowing.workup import workup
from agent.phrases import say
from agent.planning.plan import ExploreGraph, GraphQuestion
from agent.scope import Scope
from agent.state import Failed
from knowledge.documents import Library
from knowledge.graph import KnowledgeGraph
from knowledge.mentions import MentionFinder
from knowledge.patients import PatientGraph
from knowledge.store.store import RecordStore

_WALKS: Mapping[GraphQuestion, Callable[[Desk], GraphFinding]] = {
    "safety": safety,
    "interactions": interactions,
    "effects": effects,
    "explanation": explanation,
    "workup": workup,
    "cohort": cohort,
    "timeline": timeline,
    "differential": differential,
    "facts": facts,
}


class Explorer:
    """Walks the graphs of one store. Safe to share: it only reads.

    Args:
        store: for rows, notes and results.
        graph: the medical knowledge graph.
        patients: the patient graph of the store.
        library: imported guidelines.
        finder: finds what they name.
        mentioning: the documents that mention some concepts, most often first; ``None`` where none is indexed.
    """

    def __init__(
        self,
        store: RecordStore,
        graph: KnowledgeGraph,
        patients: PatientGraph,
        library: Library,
        finder: MentionFinder,
        mentioning: Callable[[Collection[str]], Sequence[str]] | None = None,
    ) -> None:
        self.graph = graph
        self.patients = patients
        self.library = library
        self.finder = finder
        self._store = store
        self._guidelines = Guidelines(library, finder, mentioning)

    def explore(self, action: ExploreGraph, scope: Scope, language: Language) -> GraphFinding | Failed:
        """What the graphs say; a refusal where the patient may not be seen."""
        if action.subject_id is not None and not scope.may_see(action.subject_id):
            return Failed("no_permission", say(language, "scope.no_permission", subject_id=action.subject_id))
        desk = Desk(action, scope, language, self._store, self.graph, self.patients, self._guidelines)
        finding = _WALKS[action.ask](desk)
        return replace(finding, names=tuple(sorted(desk.cites.named)), mentions=tuple(desk.cites.mentioned))

    def close(self) -> None:
        """Release the graphs."""
        self.patients.close()
        self.graph.close()
