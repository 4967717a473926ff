"""Search by the graph: from the concepts of a question over relations to facts, paths and passages.

The concepts that a question names are the seeds; what is a kind of a seed, and what a seed is a kind of, stands for
it with less weight. Personalised PageRank over the subgraph around them tells how near other concepts lie. A fact
is as good as its two ends, best where they stand for two different seeds, better where the question asks for its
relation or where it lies on a path between seeds. A passage is as good as the near concepts that it mentions, the
rarer the better, and as many seeds as it covers.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx

from indexes.chunk_table import Filter
from indexes.corpus import Tagger
from indexes.index import PassageIndex
from indexes.knowledge_corpus import fact_name
from indexes.relation_words import asked_relations
from knowledge.graph import KnowledgeGraph
from knowledge.graph.graph import Direction
from knowledge.graph.neighbours import Reach, Step
from knowledge.graph.parts import Edge
from knowledge.graph.walk import paths

_BELOW, _ABOVE = 0.9, 0.8
"""A step down to a kind, and up to what something is a kind of, keeps so much weight."""
_LEVELS = 3
_CONCEPTS = 300
"""Concepts of the subgraph around the seeds at most."""
_NEAR = 60
"""Concepts whose passages are looked at."""
_FAR = 0.35
"""The nearest concept that stands for no seed counts so much."""
_ASKED, _NOT_ASKED = 2.0, 0.7
"""Factors for a fact of a relation that the question asks for, and of another one where it asks for some."""
_KIND_ONLY = 0.5
"""Factor for a mere is_a where it is not asked for."""
_ON_PATH = 1.3
"""Factor for a fact that lies on a path between two seeds."""
_PATHS = 12
_HOPS = 2
_GRAVE = {
    "absolute": 1.1,
    "contraindicated": 1.1,
    "typical": 1.1,
    "serious": 1.05,
    "major": 1.05,
    "common": 1.05,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """How near concepts lie to a question.

    Attributes:
        seeds: ids of the concepts that the question names; those of one mention left open stand together.
        stands: concept to the seeds that it stands for, by their place, with its weight for each.
        near: concept to nearness, 0 to 1.
        relations: that the question asks about.
        paths: that connect seeds, best first.
        steps: relations of the subgraph.
        ids: keys of its concepts to their ids.
    """

    seeds: tuple[frozenset[str], ...]
    stands: Mapping[str, Mapping[int, float]]
    near: Mapping[str, float]
    relations: frozenset[str]
    paths: tuple[tuple[Edge, ...], ...]
    steps: tuple[Step, ...]
    ids: Mapping[int, str]


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
        self._relations: dict[int, str] = dict(graph.rows("SELECT relation_key, relation FROM relation"))

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
        relations = asked_relations(question)
        if not seeds:
            return Spread((), {}, {}, relations, (), (), {})
        stands = self._stands(seeds)
        reach = Reach(self.graph)
        steps, ids = self._around(reach, stands, also)
        near = self._near(reach, steps, ids, stands, also)
        return Spread(seeds, stands, near, relations, self._paths(seeds, also), tuple(steps), ids)

    def facts(self, spread: Spread, k: int) -> list[Found]:
        """The facts nearest to a question, best first."""
        on_path = {edge.edge_id for path in spread.paths for edge in path}
        scored = {step.edge_id: self._score(step, spread) for step in spread.steps}
        scored |= {one: scored.get(one, 0.5) * _ON_PATH for one in on_path}
        chosen = sorted(scored, key=lambda one: (-scored[one], one))[: 2 * k]
        edges = self.graph.edges_by_id(chosen)
        best: dict[str, Found] = {}
        for one in chosen:
            found = Found(edges[one], scored[one] * _GRAVE.get(edges[one].severity or "", 1.0))
            name = fact_name(found.edge)
            if name not in best or best[name].score < found.score:
                best[name] = found
        return sorted(best.values(), key=lambda found: (-found.score, fact_name(found.edge)))[:k]

    def passages(
        self, spread: Spread, index: PassageIndex, where: Filter | None = None
    ) -> list[tuple[int, float]]:
        """The chunks of an index that mention what lies near, best first."""
        chosen = sorted(spread.near, key=lambda one: (-spread.near[one], one))[:_NEAR]
        total = max(1, len(index))
        rarity = {one: math.log(1 + total / (1 + n)) for one, n in index.frequencies(chosen).items()}
        weight: defaultdict[int, float] = defaultdict(float)
        covered: defaultdict[int, set[int]] = defaultdict(set)
        for concept, chunk, _, times in index.mentioning(list(rarity), where):
            weight[chunk] += spread.near[concept] * rarity[concept] * times / (times + 1)
            covered[chunk] |= spread.stands.get(concept, {}).keys()
        scored = {
            chunk: score * (1 + len(covered[chunk])) / (1 + len(spread.seeds))
            for chunk, score in weight.items()
        }
        return sorted(scored.items(), key=lambda item: (-item[1], item[0]))

    def _stands(self, seeds: Sequence[frozenset[str]]) -> dict[str, dict[int, float]]:
        """What stands for each seed: itself, its kinds, what it is a kind of."""
        stands: dict[str, dict[int, float]] = {}
        for place, group in enumerate(seeds):
            weight = 1.0 / math.sqrt(len(group))
            found = dict.fromkeys(sorted(group), weight)
            sides: tuple[tuple[Direction, float], ...] = (("in", _BELOW), ("out", _ABOVE))
            for direction, keep in sides:
                level, now = sorted(group), weight
                for _ in range(_LEVELS):
                    now *= keep
                    edges = self.graph.edges(level, ["is_a"], direction)
                    level = [e.subject if direction == "in" else e.object for e in edges]
                    level = [one for one in dict.fromkeys(level) if one not in found][:_CONCEPTS]
                    found |= dict.fromkeys(level, now)
            for one, held in found.items():
                stands.setdefault(one, {})[place] = held
        return stands

    def _around(
        self, reach: Reach, stands: Mapping[str, Mapping[int, float]], also: Iterable[str]
    ) -> tuple[list[Step], dict[int, str]]:
        """The relations of what stands for a seed, and those among the concepts that these lead to."""
        heavy = sorted(stands, key=lambda one: (-max(stands[one].values()), one))[:_CONCEPTS]
        core = reach.keys(list(dict.fromkeys((*heavy, *also))))
        first = reach.around(core).steps
        pull: defaultdict[int, float] = defaultdict(float)
        inner = set(core)
        for step in first.values():
            for key in (step.subject, step.object):
                if key not in inner:
                    pull[key] += reach.weights.get(step.relation, 0.0)
        outer = sorted(pull, key=lambda key: (-pull[key], key))[:_CONCEPTS]
        steps = first | {step.edge_id: step for step in reach.between(outer, outer)}
        keys = {key for step in steps.values() for key in (step.subject, step.object)}
        ids = dict(
            self.graph.each("SELECT concept_key, id FROM concept WHERE concept_key IN", sorted(keys | inner))
        )
        return list(steps.values()), ids

    def _near(
        self,
        reach: Reach,
        steps: Iterable[Step],
        ids: Mapping[int, str],
        stands: Mapping[str, Mapping[int, float]],
        also: Iterable[str],
    ) -> dict[str, float]:
        """Nearness: the best weight of what stands for a seed, a scaled PageRank of the others."""
        flow: networkx.Graph[str] = networkx.Graph()
        for step in steps:
            weight = reach.weights.get(step.relation, 0.0)
            one, other = ids[step.subject], ids[step.object]
            if weight > 0 and one != other:
                known = flow.get_edge_data(one, other, {"weight": 0.0})["weight"]
                flow.add_edge(one, other, weight=max(known, weight))
        near = {one: max(held.values()) for one, held in stands.items()}
        start = {one: weight**2 for one, weight in near.items() if one in flow}
        start |= {one: start.get(one, 0.0) + 0.2 for one in also if one in flow}
        if not start:
            return near
        ranks = networkx.pagerank(flow, personalization=start, tol=1e-4)
        others = {one: rank for one, rank in ranks.items() if one not in near}
        most = max(others.values(), default=1.0)
        return near | {one: _FAR * rank / most for one, rank in others.items()}

    def _score(self, step: Step, spread: Spread) -> float:
        """How much a fact bears on the question, by what its ends stand for."""
        one, other = spread.ids[step.subject], spread.ids[step.object]
        first, second = spread.stands.get(one, {}), spread.stands.get(other, {})
        pairs = [a * b for i, a in first.items() for j, b in second.items() if i != j]
        score = max((*first.values(), *second.values()), default=0.0)
        if not first or not second:  # ends that stand for the same seed say nothing more of it
            score *= 0.5 + 0.5 * min(spread.near.get(one, 0.0), spread.near.get(other, 0.0))
        else:
            score *= 0.5
        if not score:
            score = 0.5 * spread.near.get(one, 0.0) * spread.near.get(other, 0.0)
        score += max(pairs, default=0.0)
        relation = self._relations[step.relation]
        if relation in spread.relations:
            return score * _ASKED
        if relation == "is_a":
            return score * _KIND_ONLY
        return score * _NOT_ASKED if spread.relations else score

    def _paths(self, seeds: Sequence[frozenset[str]], also: Iterable[str]) -> tuple[tuple[Edge, ...], ...]:
        found: list[tuple[Edge, ...]] = []
        for place, group in enumerate(seeds):
            others = {one for other in seeds[place + 1 :] for one in other} - group
            if others:
                found += paths(self.graph, group, others, max_hops=_HOPS, limit=_PATHS)
        every = {one for group in seeds for one in group}
        context = set(also) - every
        if not found and context:
            found = paths(self.graph, context, every, max_hops=_HOPS, limit=_PATHS)
        return tuple(found[:_PATHS])
