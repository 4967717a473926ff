"""The relations around some concepts, with a bound on how many of a hub are taken; and the subgraph of some hops.

A concept with very many relations ("fever", "hypertension") connects everything with everything. Of such a hub the
weightiest relations are taken up to ``CAP`` a side, and what was cut is said.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx

from knowledge.graph.graph import KnowledgeGraph
from knowledge.graph.relations import Relation, walked
from knowledge.graph.relations import relations as known_relations

CAP = 256
_SIDES = ("subject", "object")


@dataclass(frozen=True, slots=True)
class Step:
    """An edge by keys, as the walks need it: cheap, many at a time."""

    edge_id: int
    subject: int
    relation: int
    object: int


@dataclass(slots=True)
class Neighbours:
    """What lies around some concepts.

    Attributes:
        steps: by edge number.
        capped: keys of hubs, to the number of relations that they have in the whole graph.
    """

    steps: dict[int, Step] = field(default_factory=dict)
    capped: dict[int, int] = field(default_factory=dict)


class Reach:
    """Fetches neighbours along some relations.

    Args:
        graph: where.
        relations: only these; None: all that count in a walk.
        cap: relations of one concept and one side that are taken at most.
    """

    def __init__(
        self, graph: KnowledgeGraph, relations: Collection[str] | None = None, cap: int = CAP
    ) -> None:
        self._graph = graph
        self._cap = cap
        keys = dict(graph.rows("SELECT relation, relation_key FROM relation"))
        table = known_relations()
        named = walked() if relations is None else sorted(relations)
        wanted = [name for name in named if name in keys]
        # Weightiest first: where a hub is cut, these stay.
        wanted.sort(key=lambda name: (-table[name].weight if name in table else 0, name))
        self._relations = [keys[name] for name in wanted]
        self.weights: Mapping[int, float] = {keys[name]: _weight(name) for name in wanted}
        self.kinds: Mapping[int, Relation] = {keys[name]: table[name] for name in wanted if name in table}

    def keys(self, concept_ids: Iterable[str]) -> list[int]:
        """The keys of concepts, in the order of the ids; unknown ids are left out."""
        found = dict(
            self._graph.each(
                "SELECT id, concept_key FROM concept WHERE id IN", list(dict.fromkeys(concept_ids))
            )
        )
        return [found[one] for one in concept_ids if one in found]

    def degrees(self, keys: Iterable[int]) -> dict[int, tuple[int, int]]:
        """How many relations concepts have in the whole graph: as subject, as object."""
        rows = self._graph.each(
            "SELECT concept_key, out_degree, in_degree FROM concept WHERE concept_key IN", list(keys)
        )
        return {key: (out, into) for key, out, into in rows}

    def around(self, keys: Sequence[int]) -> Neighbours:
        """The relations of some concepts, from both sides, hubs cut."""
        found = Neighbours()
        degrees = self.degrees(keys)
        for at, side in enumerate(_SIDES):
            plain = [key for key in keys if key in degrees and degrees[key][at] <= self._cap]
            rows = self._graph.each(
                f"SELECT edge_id, subject, relation, object FROM edge INDEXED BY edge_{side} WHERE {side} IN",
                plain,
            )
            for row in rows:
                if row[2] in self.weights:
                    found.steps[row[0]] = Step(*row)
            for hub in keys:
                if hub in degrees and degrees[hub][at] > self._cap:
                    self._take(found, side, hub)
                    found.capped[hub] = sum(degrees[hub])
        return found

    def between(self, one: Iterable[int], other: Iterable[int]) -> list[Step]:
        """The relations between two sets of concepts, whichever is the subject."""
        first, second = sorted(set(one)), sorted(set(other))
        degrees = self.degrees({*first, *second})
        steps: dict[int, Step] = {}
        for side, far in (_SIDES, _SIDES[::-1]):
            at = _SIDES.index(side)
            near = [key for key in first if degrees[key][at] <= self._cap]
            hubs = [key for key in first if degrees[key][at] > self._cap]
            query = f"SELECT edge_id, subject, relation, object FROM edge INDEXED BY edge_{side} WHERE "
            rows = self._graph.among(query + f"{side} IN", near, f"AND +{far} IN", second)
            if hubs:  # too many relations to look through: look each pair up
                rows += self._graph.among(
                    f"SELECT edge_id, subject, relation, object FROM edge INDEXED BY edge_{far} WHERE {far} IN",
                    [key for key in second if degrees[key][1 - at] <= self._cap],
                    f"AND +{side} IN",
                    hubs,
                )
            for row in rows:
                if row[2] in self.weights:
                    steps[row[0]] = Step(*row)
        return [steps[key] for key in sorted(steps)]

    def _take(self, found: Neighbours, side: str, hub: int) -> None:
        left = self._cap
        for relation in self._relations:
            rows = self._graph.rows(
                f"SELECT edge_id, subject, relation, object FROM edge WHERE {side} = ? AND relation = ? "
                f"ORDER BY {'object' if side == 'subject' else 'subject'}, edge_id LIMIT ?",
                hub,
                relation,
                left,
            )
            found.steps.update((row[0], Step(*row)) for row in rows)
            left -= len(rows)
            if left <= 0:
                return


def subgraph(
    graph: KnowledgeGraph,
    seeds: Iterable[str],
    hops: int,
    relations: Collection[str] | None = None,
    limit: int = 2000,
) -> "networkx.MultiDiGraph[str]":
    """What lies within some hops of the seeds.

    Args:
        graph: where.
        seeds: ids of concepts; unknown ones are left out.
        hops: how far.
        relations: only these; None: all that count in a walk.
        limit: concepts at most; those that more of the nearer ones lead to stay.

    Returns:
        Nodes are ids with the attribute ``node``, edges have their number as key and the attribute ``edge``.
        ``graph.graph["capped"]`` gives the hubs that were cut, with the number of relations that they have.
    """
    reach = Reach(graph, relations)
    seen = dict.fromkeys(reach.keys(list(seeds)))
    frontier = list(seen)
    steps: dict[int, Step] = {}
    capped: dict[int, int] = {}
    for _ in range(hops):
        if not frontier or len(seen) >= limit:
            break
        found = reach.around(frontier)
        capped |= found.capped
        pull: dict[int, float] = {}
        for step in found.steps.values():
            for key in (step.subject, step.object):
                if key not in seen:
                    pull[key] = pull.get(key, 0.0) + reach.weights.get(step.relation, 0.0)
        frontier = sorted(pull, key=lambda key: (-pull[key], key))[: limit - len(seen)]
        seen |= dict.fromkeys(frontier)
        steps |= found.steps
    kept = [one.edge_id for one in steps.values() if one.subject in seen and one.object in seen]
    made: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    ids = dict(graph.each("SELECT concept_key, id FROM concept WHERE concept_key IN", list(seen)))
    for node in graph.nodes([ids[key] for key in seen]):
        made.add_node(node.id, node=node)
    for edge in graph.edges_by_id(sorted(kept)).values():
        made.add_edge(edge.subject, edge.object, key=edge.edge_id, edge=edge)
    made.graph["capped"] = {ids[key]: degree for key, degree in capped.items()}
    return made


def _weight(name: str) -> float:
    relation = known_relations().get(name)
    return relation.weight or 1.0 if relation else 0.5  # of weight 0 only when asked for by name
