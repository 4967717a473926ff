"""Walks over the graph: which concepts lie near the seeds (PageRank), and which paths connect two sets of concepts.

A path never climbs to a kind and down again to another of the same kind, nor does it meet in what two drugs are
both forbidden in: that explains nothing (column ``family`` of ``relations.tsv``). Of hubs only the weightiest
relations are walked (``knowledge.graph.neighbours``).
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import networkx

from knowledge.graph.graph import KnowledgeGraph
from knowledge.graph.neighbours import Reach, Step
from knowledge.graph.parts import CORE, Edge
from knowledge.graph.relations import relations as known_relations

LONGEST = 3
_DAMPING = 0.85
_SAID_AGAIN = 4  # so many times the wanted paths are looked at, since several sources may say the same
_WIDE = 64  # steps into one concept that paths of three hops are composed of, best first


def pagerank(subgraph: "networkx.MultiDiGraph[str]", seeds: Mapping[str, float]) -> dict[str, float]:
    """How near each concept of a subgraph lies to the seeds: personalised PageRank over both directions.

    Args:
        subgraph: as ``KnowledgeGraph.subgraph`` gives it.
        seeds: ids of concepts with their weights; those outside the subgraph are left out.

    Returns:
        Id to share of the whole, largest first; empty where no seed is in the subgraph.
    """
    start = {one: weight for one, weight in seeds.items() if weight > 0 and one in subgraph}
    if not start:
        return {}
    weights = {name: relation.weight for name, relation in known_relations().items()}
    flow: networkx.Graph[str] = networkx.Graph()
    flow.add_nodes_from(subgraph)
    for _, _, edge in subgraph.edges(data="edge"):
        weight = weights.get(edge.relation, 0.5)
        if weight > 0 and edge.subject != edge.object:
            known = flow.get_edge_data(edge.subject, edge.object, {"weight": 0.0})["weight"]
            flow.add_edge(edge.subject, edge.object, weight=max(known, weight))
    ranks = networkx.pagerank(flow, alpha=_DAMPING, personalization=start)
    return dict(sorted(ranks.items(), key=lambda item: (-item[1], item[0])))


def paths(
    graph: KnowledgeGraph,
    from_ids: Iterable[str],
    to_ids: Iterable[str],
    max_hops: int = LONGEST,
    limit: int = 10,
    relations: Collection[str] | None = None,
) -> list[tuple[Edge, ...]]:
    """The paths between two sets of concepts: shorter before longer, then by weight; always in the same order.

    Args:
        graph: where.
        from_ids: ids of concepts; unknown ones are left out.
        to_ids: the same for the other end.
        max_hops: edges of a path at most, 1 to ``LONGEST``.
        limit: paths at most.
        relations: only these; None: all that count in a walk.

    Raises:
        ValueError: ``max_hops`` is out of range.
    """
    if not 1 <= max_hops <= LONGEST:
        raise ValueError(f"A path has 1 to {LONGEST} hops, not {max_hops}.")
    reach = Reach(graph, relations)
    starts, ends = (set(reach.keys(list(dict.fromkeys(ids)))) for ids in (from_ids, to_ids))
    search = _Search(reach, starts - ends, ends - starts)
    found: list[tuple[int, ...]] = []
    wanted = limit * _SAID_AGAIN
    for hops in range(1, max_hops + 1):
        found += search.best(hops, wanted - len(found))
        if len(found) >= limit:
            break
    edges = graph.edges_by_id(sorted({edge_id for path in found for edge_id in path}))
    return _distinct([tuple(edges[edge_id] for edge_id in path) for path in found])[:limit]


def _distinct(found: Sequence[tuple[Edge, ...]]) -> list[tuple[Edge, ...]]:
    """Each statement once: where several sources say it, as the core pack does, else as the first one does."""
    kept: dict[tuple[tuple[str, str, str, str | None], ...], tuple[Edge, ...]] = {}
    for path in found:
        said = tuple((edge.subject, edge.relation, edge.object, edge.condition) for edge in path)
        known = kept.get(said)
        if known is None:
            kept[said] = path
        else:
            kept[said] = tuple(
                two if two.source_id == CORE != one.source_id else one
                for one, two in zip(known, path, strict=True)
            )
    return list(kept.values())


class _Search:
    """Meets in the middle: the steps around the starts, those around the ends, and those between the two."""

    def __init__(self, reach: Reach, starts: set[int], ends: set[int]) -> None:
        self._reach = reach
        self._starts, self._ends = starts, ends
        self._degrees: dict[int, tuple[int, int]] = {}
        # Each step as (other end, step): from a start outwards, and from an end outwards.
        self._out = self._grouped(starts)
        self._back = self._grouped(ends)

    def best(self, hops: int, limit: int) -> list[tuple[int, ...]]:
        """The best paths of exactly that length, as numbers of edges."""
        candidates = {1: self._one, 2: self._two, 3: self._three}[hops]
        scored: dict[tuple[int, ...], float] = {}
        for nodes, steps in candidates():
            if len(set(nodes)) == len(nodes) and not self._idle(nodes, steps):
                scored[tuple(step.edge_id for step in steps)] = self._score(nodes, steps)
        return sorted(scored, key=lambda path: (-scored[path], path))[:limit]

    def _one(self) -> "Iterator[tuple[tuple[int, ...], tuple[Step, ...]]]":
        for end in sorted(self._ends):
            for start, step in self._out.get(end, ()):
                yield (start, end), (step,)

    def _two(self) -> "Iterator[tuple[tuple[int, ...], tuple[Step, ...]]]":
        middles = self._inner(self._out) & self._inner(self._back)
        self._degrees |= self._reach.degrees(middles - self._degrees.keys())
        for middle in sorted(middles):
            for start, first in self._out[middle]:
                for end, last in self._back[middle]:
                    yield (start, middle, end), (first, last)

    def _three(self) -> "Iterator[tuple[tuple[int, ...], tuple[Step, ...]]]":
        near, far = self._inner(self._out), self._inner(self._back)
        self._degrees |= self._reach.degrees((near | far) - self._degrees.keys())
        for step in self._reach.between(near, far):
            for one, other in {(step.subject, step.object), (step.object, step.subject)}:
                if one not in near or other not in far:
                    continue
                for start, first in self._heaviest(self._out[one]):
                    for end, last in self._heaviest(self._back[other]):
                        yield (start, one, other, end), (first, step, last)

    def _inner(self, grouped: Mapping[int, Sequence[tuple[int, Step]]]) -> set[int]:
        return set(grouped) - self._starts - self._ends

    def _grouped(self, keys: set[int]) -> dict[int, list[tuple[int, Step]]]:
        grouped: dict[int, list[tuple[int, Step]]] = defaultdict(list)
        for step in self._reach.around(sorted(keys)).steps.values():
            for here, there in ((step.subject, step.object), (step.object, step.subject)):
                if here in keys:
                    grouped[there].append((here, step))
        return grouped

    def _heaviest(self, steps: Sequence[tuple[int, Step]]) -> Sequence[tuple[int, Step]]:
        if len(steps) <= _WIDE:
            return steps
        return sorted(steps, key=lambda item: (-self._reach.weights[item[1].relation], item[1].edge_id))[
            :_WIDE
        ]

    def _idle(self, nodes: Sequence[int], steps: Sequence[Step]) -> bool:
        """Whether two steps meet in a concept without that saying anything (``Relation.family``)."""
        for middle, pair in zip(nodes[1:-1], pairwise(steps), strict=True):
            first, second = (self._reach.kinds.get(step.relation) for step in pair)
            if first is None or second is None or not first.family or first.family != second.family:
                continue
            if all(
                kind.symmetric or step.object == middle
                for kind, step in zip((first, second), pair, strict=True)
            ):
                return True
        return False

    def _score(self, nodes: Sequence[int], steps: Sequence[Step]) -> float:
        """The product of the weights; a concept on the way counts the less the more relations it has."""
        score = math.prod(self._reach.weights[step.relation] for step in steps)
        return score / math.prod(1 + math.log1p(sum(self._degrees[node])) for node in nodes[1:-1])
