"""Plans the questions that the graphs answer, before the planner of record questions, by their words and concepts."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from agent.answer import Language
from agent.knowing.continued import continued
from agent.knowing.effect_words import named_effect
from agent.knowing.reading import QuestionReader, Reading
from agent.knowing.spelt import Spelt
from agent.knowing.wordings import asked_facts, caught, says
from agent.planning.chart_words import find_chart
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.planning.plan import (
    Action,
    ExploreGraph,
    GraphQuestion,
    Plan,
    Planner,
    QueryRecords,
    Refuse,
    SearchKnowledge,
    Turn,
)
from agent.planning.subject import subject_of, which_patient
from agent.scope import Scope
from knowledge.graph import KnowledgeGraph

_SURE = 0.95
_LOOKED_UP = 0.7  # a quotation says whose words it is, and only what bears on the question is quoted
_UNANSWERED = frozenset({"not_in_schema", "out_of_scope", "low_confidence"})
_DRUG = ("drug", "drug_class")
_THING = ("disease", "finding")
_RULES = ("contraindicated_when", "dose_adjust_when")
_ALLERGIES = ("allergic_to",)
_PAIRS = ("interacts_with",)


class KnowledgePlanner:
    """A planner that knows the questions for the graphs, before one that need not.

    It takes a question only where its words say which of these it is and it names what that needs; everything
    else goes to the planner behind, unseen.

    Args:
        behind: plans all other questions.
        reader: finds the concepts of a question.
        spelt: corrects its misspelt names.
        graph: knows which lab proves which disease.
        has_documents: whether there are imported documents to look a question up in.
    """

    def __init__(
        self,
        behind: Planner,
        reader: QuestionReader,
        spelt: Spelt,
        graph: KnowledgeGraph,
        has_documents: bool = False,
    ) -> None:
        self.behind = behind
        self._reader = reader
        self._spelt = spelt
        self._graph = graph
        self._has_documents = has_documents

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan of a question; see :class:`~agent.planning.plan.Planner`."""
        meant, misspelt = self._spelt.corrected(question, _sure_places(linked))
        action = self.explored(meant, language, linked, scope)
        same = subject_of(linked, language, scope).subject_id in (None, scope.patient)
        if action is None and history and same:
            action = continued(meant, language, history, self._reader.read(meant, language), scope)
        if action is not None:
            read = tuple(phrase(language, "misspelt", said=said, values=name) for said, name in misspelt)
            return Plan((action,), _SURE, read)
        plan = self.behind.plan(question, language, linked, scope, history, stop)
        if len(plan.actions) == 1 and isinstance(plan.actions[0], QueryRecords):
            beside = self._asked(question, language, linked, scope).counted()
            return plan if beside is None else replace(plan, actions=(*plan.actions, beside))
        # What no table and no fact answers, a document may; an order to do something stays refused.
        unanswered = all(isinstance(one, Refuse) and one.reason in _UNANSWERED for one in plan.actions)
        if (
            unanswered
            and self._has_documents
            and not says(question, language, "pronoun")
            and not linked.patients
        ):
            return Plan((SearchKnowledge(question),), _LOOKED_UP)
        return plan

    def explored(self, question: str, language: Language, linked: Linked, scope: Scope) -> Action | None:
        """The walk that answers a question; a refusal or question back; ``None`` where it is another planner's."""
        if find_chart(question, language) is not None or says(question, language, "unknowable"):
            return None
        return self._asked(question, language, linked, scope).action()

    def _asked(self, question: str, language: Language, linked: Linked, scope: Scope) -> "_Asked":
        named = self._reader.read(question, language)
        return _Asked(question, language, linked, scope, named, self._graph)


class _Asked:
    """One question: its words, what it names and whom it is about."""

    def __init__(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        named: Reading,
        graph: KnowledgeGraph,
    ) -> None:
        self._question, self._scope = question, scope
        self._language: Language = language
        self._graph = graph
        self._subject = subject_of(linked, language, scope)
        self._timed = bool(linked.times)
        self._drugs = named.of(*_DRUG)
        self._things = named.of(*_THING) + self._disturbed(named)
        self._absent = named.missing(*_THING)
        self._named = named
        self._meant = bool(linked.patients) or self._says("pronoun")
        self._personal = self._meant or self._says("current")
        # "What causes hyperkalemia?" asks of medicine, whosever record is open.
        self._general = not self._personal and self._says("general")

    def action(self) -> Action | None:
        """The first of the questions that this is."""
        for ask in (
            self._interactions,
            self._cohort,
            self._workup,
            self._timeline,
            self._effects,
            self._safety,
            self._explanation,
            self._differential,
            self._facts,
        ):
            found = ask()
            if found is not None:
                return found
        return None

    def _interactions(self) -> Action | None:
        with_all = bool(self._drugs) and self._says("other_drugs")
        together = self._says("combined") and (len(self._drugs) > 1 or with_all)
        if not (self._says("interactions") or together):
            return None
        if len(self._drugs) > 1:
            return self._about("interactions", self._drugs)
        if self._drugs and not self._personal:
            return self._about("facts", self._drugs, ("interacts_with",))
        return self._of_patient("interactions", self._drugs)

    def _safety(self) -> Action | None:
        if not (self._says("safety") or (self._drugs and self._says("drug_safety"))):
            return None
        if self._says("past"):
            return None
        general = self._general or (self._subject.subject_id is None and not self._personal)
        if self._drugs and (general or self._things):
            return self._about("facts", (*self._drugs, *self._things), _RULES)
        of = () if self._says("by_itself") else _PAIRS
        if not self._drugs and self._says("allergies"):
            of = _ALLERGIES
        return self._of_patient("safety", self._drugs, of)

    def _effects(self) -> Action | None:
        """Which drugs can do something, whether or not the patient has come to have it."""
        effect = named_effect(self._question)
        if self._says("past") or not (self._drugs or self._says("drugs_asked")):
            return None
        if self._things and not self._drugs and self._says("explanation") and not self._says("shifts"):
            return None  # what explains a thing that is there; where it is not, the walk comes back to this
        if not effect and (self._says("shifts") or (self._drugs and self._says("makes"))):
            effect = self._things
        if not effect or self._says("many"):
            return None
        drugs = tuple(drug for drug in self._drugs if drug not in effect)
        if self._general or (self._subject.subject_id is None and not self._personal):
            return None if drugs else self._about("facts", effect, ("adverse_effect",), "in")
        found = self._of_patient("effects", effect)
        return replace(found, drugs=drugs) if isinstance(found, ExploreGraph) else found

    def _explanation(self) -> Action | None:
        if not self._things or not self._says("explanation"):
            return None
        if self._general or (self._subject.subject_id is None and not self._personal):
            return None
        by = ("adverse_effect",) if self._says("by_drugs") else ()
        return self._of_patient("explanation", self._things, by)

    def _workup(self) -> Action | None:
        about = (*self._named.of("disease", "finding"), *self._drugs)
        if not about or not self._says("workup"):
            return None
        if self._general:
            return None
        if self._subject.subject_id is None and not self._personal:
            return None
        return self._of_patient("workup", about)

    def _cohort(self) -> Action | None:
        about = self._named.of("disease", "finding")
        if not about or not self._says("many"):
            return None
        if not self._says("cohort") and not self._is_kind(about):
            return None
        if self._subject.subject_id is not None and self._subject.subject_id != self._scope.patient:
            return None
        return ExploreGraph("cohort", None, about, counts=self._says("count"))

    def counted(self) -> ExploreGraph | None:
        """The count by concept that stands beside one of coded titles: of one thing that has kinds, at any time."""
        about = self._named.of("disease", "finding")
        if self._timed or not about or not self._says("count") or not self._has_kinds(about):
            return None
        return ExploreGraph("cohort", None, about[:1], counts=True, beside=True)

    def _is_kind(self, about: tuple[str, ...]) -> bool:
        """Whether a question asks which patients have one thing, and that has kinds: these are not left out.

        A count without such words is one of coded diagnoses, with its query: the tables' planner answers it, and
        the count by concept is told beside it.
        """
        return not self._says("count") and self._has_kinds(about)

    def _has_kinds(self, about: tuple[str, ...]) -> bool:
        """Whether a question asks for the patients with one thing and nothing else, of which there are kinds."""
        thing = caught(self._question, self._language, "cohort_plain")
        if thing is None or about[0] not in {node.id for node in self._graph.named(thing)}:
            return False
        return bool(self._graph.descendants(about[0]))

    def _timeline(self) -> Action | None:
        if not self._things or not self._says("timeline"):
            return None
        if self._subject.subject_id is None and not self._personal:
            return None
        return self._of_patient("timeline", self._things)

    def _differential(self) -> Action | None:
        if not self._says("differential") or not (self._things or self._subject.subject_id is not None):
            return None
        if self._subject.stop is not None:
            return self._subject.stop
        return ExploreGraph("differential", self._subject.subject_id, self._things, self._absent)

    def _facts(self) -> Action | None:
        if self._personal or self._timed or self._says("many"):
            return None
        for asked in asked_facts(self._question, self._language):
            about = self._named.of(*asked.of)
            if about:
                others = tuple(one for one in (*self._things, *self._drugs) if one not in about)
                if self._graph.edges(_kinds(self._graph, about), asked.relations, asked.side):
                    return self._about("facts", (*about, *others), asked.relations, asked.side)
        return None

    def _of_patient(
        self, ask: GraphQuestion, concepts: tuple[str, ...], relations: tuple[str, ...] = ()
    ) -> Action | None:
        if self._subject.stop is not None:
            return self._subject.stop
        if self._subject.subject_id is None:
            # Only what is in someone's orders can be asked for without naming a drug or a thing.
            unnamed = ask in ("interactions", "safety") and not concepts and not self._general
            return which_patient(self._language, self._scope) if self._meant or unnamed else None
        return ExploreGraph(ask, self._subject.subject_id, concepts, self._absent, relations)

    def _about(
        self,
        ask: GraphQuestion,
        concepts: Iterable[str],
        relations: tuple[str, ...] = (),
        side: Literal["in", "out"] = "out",
    ) -> ExploreGraph:
        return ExploreGraph(ask, None, tuple(dict.fromkeys(concepts)), self._absent, relations, side)

    def _says(self, wording: str) -> bool:
        return says(self._question, self._language, wording)

    def _disturbed(self, named: Reading) -> tuple[str, ...]:
        """The diseases that a high or low result is: "why is her potassium high?" asks of hyperkalemia."""
        wanted = [sign for word, sign in (("high", ">"), ("low", "<")) if self._says(word)]
        if len(wanted) != 1:
            return ()
        edges = self._graph.edges(named.of("lab", "vital"), ("diagnosed_by",), "in")
        return tuple(
            dict.fromkeys(
                edge.subject
                for edge in edges
                if edge.condition is not None
                and wanted[0] in edge.condition
                and " and " not in edge.condition
            )
        )


def _sure_places(linked: Linked) -> tuple[tuple[int, int], ...]:
    """Where a question names values of the store, patients and times as they are spelt."""
    values = [
        (link.start, link.end) for link in linked.values if any(c.how != "typo" for c in link.candidates)
    ]
    return (*values, *((one.start, one.end) for one in (*linked.patients, *linked.times)))


def _kinds(graph: KnowledgeGraph, concepts: Iterable[str]) -> tuple[str, ...]:
    """Concepts with what is above them: what holds for the whole kind answers, too."""
    return tuple(dict.fromkeys(one for concept in concepts for one in (concept, *graph.ancestors(concept))))
