"""Search by the graph: from the concepts of a question over relations to facts, paths and passages.

The concepts that a question names are the seeds. Personalised PageRank over the subgraph around them tells how
near every other concept lies; kinds of a seed count nearly as the seed itself. A fact is as good as its two
ends are near, and better where the question asks for its relation or where it lies on a path between seeds. A
passage is as good as the near concepts that it mentions, the rarer the better, and as many seeds as it covers.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexes.chunk_table import Filter
from indexes.corpus import Tagger
from indexes.index import PassageIndex
from indexes.knowledge_corpus import fact_name
from indexes.relation_words import asked_relations
from knowledge.graph import KnowledgeGraph
from knowledge.graph.parts import Edge
from knowledge.graph.walk import pagerank, paths

HOPS = 2
_CONCEPTS = 400
"""Concepts of the subgraph around the seeds at most."""
_NEAR = 60
"""Concepts whose facts and passages are looked at."""
_KIND = 0.85
"""A kind of a seed counts so much; a kind of a kind this squared."""
_FAR = 0.5
"""The nearest concept that is neither a seed nor a kind of one counts so much."""
_ASKED = 2.0
"""Factor for a fact whose relation the question asks for."""
_ON_PATH = 1.5
"""Factor for a fact that lies on a path between two seeds."""
_PATHS = 12


@dataclass(frozen=True, slots=True)
class Spread:
    """How near concepts lie to a question.

    Attributes:
        seeds: ids of the concepts that the question names; those of one mention left open stand together.
        near: concept to nearness, 0 to 1; a seed has 1.
        relations: that the question asks about.
        paths: that connect seeds, best first.
    """

    seeds: tuple[frozenset[str], ...]
    near: Mapping[str, float]
    relations: frozenset[str]
    paths: tuple[tuple[Edge, ...], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A fact that bears on a question, with its score."""

    edge: Edge
    score: float


class GraphSearch:
    """Finds facts in a graph, and passages in indexes that are tagged with its concepts.

    Args:
        graph: opened.
        tagger: finds its concepts in a question.
    """

    def __init__(self, graph: KnowledgeGraph, tagger: Tagger) -> None:
        self.graph = graph
        self.tagger = tagger

    def spread(self, question: str, also: Iterable[str] = ()) -> Spread:
        """From the concepts of a question outwards.

        Args:
            question: in English or Chinese.
            also: further concepts that the question is about without naming them: the open patient's.
        """
        named: dict[frozenset[str], None] = {}
        for mention in self.tagger.find(question):
            concepts = frozenset((mention.concept,) if mention.concept else mention.candidates)
            if concepts:
                named[concepts] = None
        seeds = tuple(named)
        weights = {one: 1 / len(group) for group in seeds for one in group}
        context = [one for one in dict.fromkeys(also) if one not in weights]
        near = {**dict.fromkeys(weights, 1.0), **self._kinds(weights)}
        if weights:
            start = {**weights, **dict.fromkeys(context, 0.5 / max(1, len(context)))}
            subgraph = self.graph.subgraph(start, HOPS, limit=_CONCEPTS)
            ranks = {one: rank for one, rank in pagerank(subgraph, start).items() if one not in near}
            most = max(ranks.values(), default=1.0)
            near |= {one: _FAR * rank / most for one, rank in ranks.items()}
        return Spread(seeds, near, asked_relations(question), self._paths(seeds, context))

    def facts(self, spread: Spread, k: int) -> list[Found]:
        """The facts nearest to a question, best first."""
        if not spread.seeds:
            return []
        chosen = sorted(spread.near, key=lambda one: (-spread.near[one], one))[:_NEAR]
        on_path = {edge.edge_id for path in spread.paths for edge in path}
        best: dict[str, Found] = {}
        for edge in self.graph.edges(chosen, direction="both"):
            ends = [spread.near.get(edge.subject, 0.0), spread.near.get(edge.object, 0.0)]
            if min(ends) == 0.0:
                ends[ends.index(0.0)] = 0.02
            score = math.sqrt(ends[0] * ends[1]) * (_ASKED if edge.relation in spread.relations else 1.0)
            score *= _ON_PATH if edge.edge_id in on_path else 1.0
            name = fact_name(edge)
            if name not in best or best[name].score < score:
                best[name] = Found(edge, score)
        return sorted(best.values(), key=lambda found: (-found.score, fact_name(found.edge)))[:k]

    def passages(
        self, spread: Spread, index: PassageIndex, where: Filter | None = None
    ) -> list[tuple[int, float]]:
        """The chunks of an index that mention what lies near, best first."""
        if not spread.seeds:
            return []
        chosen = sorted(spread.near, key=lambda one: (-spread.near[one], one))[:_NEAR]
        total = max(1, len(index))
        rarity = {one: math.log(1 + total / (1 + n)) for one, n in index.frequencies(chosen).items()}
        weight: defaultdict[int, float] = defaultdict(float)
        covered: defaultdict[int, set[int]] = defaultdict(set)
        kinds = [self._with_kinds(group) for group in spread.seeds]
        for concept, chunk, _, times in index.mentioning(list(rarity), where):
            weight[chunk] += spread.near[concept] * rarity[concept] * times / (times + 1)
            covered[chunk] |= {place for place, group in enumerate(kinds) if concept in group}
        scored = {
            chunk: score * (1 + len(covered[chunk])) / (1 + len(kinds)) for chunk, score in weight.items()
        }
        return sorted(scored.items(), key=lambda item: (-item[1], item[0]))

    def _kinds(self, seeds: Mapping[str, float]) -> dict[str, float]:
        """What is a kind of a seed, by how far below it."""
        found: dict[str, float] = {}
        level, weight = list(seeds), _KIND
        for _ in range(3):
            below = [e.subject for e in self.graph.edges(level, ["is_a"], "in") if e.subject not in found]
            level = [one for one in dict.fromkeys(below) if one not in seeds]
            found |= dict.fromkeys(level, weight)
            weight *= _KIND
        return found

    def _with_kinds(self, group: frozenset[str]) -> frozenset[str]:
        return group | self._kinds(dict.fromkeys(group, 1.0)).keys()

    def _paths(self, seeds: Sequence[frozenset[str]], context: Sequence[str]) -> tuple[tuple[Edge, ...], ...]:
        found: list[tuple[Edge, ...]] = []
        for place, group in enumerate(seeds):
            others = {one for other in seeds[place + 1 :] for one in other} - group
            if others:
                found += paths(self.graph, group, others, max_hops=HOPS, limit=_PATHS)
        if not found and context and seeds:
            every = {one for group in seeds for one in group}
            found = paths(self.graph, set(context) - every, every, max_hops=HOPS, limit=_PATHS)
        return tuple(found[:_PATHS])
