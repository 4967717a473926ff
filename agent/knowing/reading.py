"""What of medicine a question names: concepts of the graph, and which of them it says are absent."""

from collections.abc import Collection
from dataclasses import dataclass

from agent.answer import Language
from knowledge.graph import KnowledgeGraph, Node
from knowledge.mentions import MentionFinder
from knowledge.terminology import Terminology

_ABSENT = frozenset({"negated"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The concepts of a question, in its order, each once.

    Attributes:
        nodes: what is named; of an ambiguous form all that it may mean.
        absent: ids of those that the question says are not there.
    """

    nodes: tuple[Node, ...]
    absent: frozenset[str]

    def of(self, *types: str) -> tuple[str, ...]:
        """Ids of what is named of some types, and not said to be absent."""
        return tuple(n.id for n in self.nodes if n.type in types and n.id not in self.absent)

    def missing(self, *types: str) -> tuple[str, ...]:
        """Ids of what is said to be absent."""
        return tuple(n.id for n in self.nodes if n.type in types and n.id in self.absent)


class QuestionReader:
    """Reads questions. Safe to share: it only reads.

    Args:
        graph: knows the concepts.
        finder: judges what is negated, and finds names of imported sources.
        terminology: names of the core tables, abbreviations in any case included.
    """

    def __init__(self, graph: KnowledgeGraph, finder: MentionFinder, terminology: Terminology) -> None:
        self._graph = graph
        self._finder = finder
        self._terminology = terminology

    def read(self, question: str, language: Language) -> Reading:
        """The concepts that a question names."""
        named = self._terminology.find(question)
        judged = self._finder.find(question, language, targets=[match.text for match in named])
        places: dict[tuple[int, int], tuple[str, ...]] = {
            (match.start, match.end): tuple(concept.id for concept in match.concepts) for match in named
        }
        for mention in judged:
            ids = (mention.concept,) if mention.concept is not None else mention.candidates
            place = (mention.start, mention.end)
            if ids and all(mention.end <= start or mention.start >= end for start, end in places):
                places[place] = ids
        ordered = dict.fromkeys(one for place in sorted(places) for one in places[place])
        denied = [(m.start, m.end) for m in judged if m.assertion in _ABSENT]
        absent = {one for place, ids in places.items() if _covered(place, denied) for one in ids}
        return Reading(self._graph.nodes(ordered), frozenset(absent))


def _covered(place: tuple[int, int], others: Collection[tuple[int, int]]) -> bool:
    return any(start <= place[0] and place[1] <= end for start, end in others)
