"""What general knowledge says of the concepts that a question names: facts by severity and source."""

from collections.abc import Iterator, Sequence

from agent.knowing.desk import Desk
from agent.knowing.evidence import citation
from agent.knowing.patient import kinship
from agent.knowing.point import GraphFinding, Point
from agent.knowing.words import listed, word
from knowledge.graph import Edge
from knowledge.graph.relations import relations as known_relations

_ORDER = ("absolute contraindicated major typical common serious relative moderate possible uncommon").split()
_SINGLY = frozenset(
    {"contraindicated_when", "dose_adjust_when", "interacts_with", "diagnosed_by", "monitored_by"}
)
"""Relations whose facts carry advice: one sentence for each piece of it."""


def facts(desk: Desk) -> GraphFinding:
    """The facts that a question asks for; about a class or kind where there is none about the thing itself."""
    action = desk.action
    about, others = action.concepts[0], action.concepts[1:]
    found = _between(desk, action.concepts, action.relations) if others else []
    if not found:
        found = _about(desk, about)
    points = [point for group in _groups(found) for point in _points(desk, about, group)]
    if not points:
        points = [Point("facts.none", (("name", desk.saying.name(about)),))]
    return GraphFinding(action, tuple(points), (("general", ()),), general=True)


def _between(desk: Desk, concepts: Sequence[str], relations: Sequence[str]) -> list[Edge]:
    """The facts that join two of the things named, or what is above them."""
    kinds = {one: {one, *desk.graph.ancestors(one), *desk.graph.descendants(one)} for one in concepts}
    for one, kin in kinds.items():  # a rule about the eGFR is one about chronic kidney disease
        kin |= {
            edge.object for edge in desk.graph.edges((one,), ("diagnosed_by",)) if edge.condition is not None
        }
    edges = desk.graph.edges({kind for each in kinds.values() for kind in each}, relations)
    return [
        edge
        for edge in edges
        if any(
            edge.subject in mine and edge.object in theirs
            for a, mine in kinds.items()
            for b, theirs in kinds.items()
            if a != b
        )
    ]


def _about(desk: Desk, concept: str) -> list[Edge]:
    """The facts about a concept and about the kinds above it; of those below it where there are none."""
    action = desk.action
    own = desk.graph.edges((concept, *desk.graph.ancestors(concept)), action.relations, action.side)
    if action.relations == ("is_a",):
        own = desk.graph.edges((concept,), action.relations, action.side)
    nearest = [edge for edge in own if concept in (edge.subject, edge.object)]
    found = nearest if nearest and action.side == "in" else own
    return found or desk.graph.edges(desk.graph.descendants(concept), action.relations, action.side)


def _groups(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Facts that one sentence can say: of one relation, severity and source, about one thing."""
    groups: dict[tuple[object, ...], list[Edge]] = {}
    for edge in edges:
        key: tuple[object, ...] = (edge.relation, edge.severity, citation(edge))
        if edge.relation in _SINGLY:
            key = (*key, edge.detail_en)
        groups.setdefault(key, []).append(edge)
    order = {relation: place for place, relation in enumerate(known_relations())}

    def rank(group: list[Edge]) -> tuple[int, int, int]:
        first = group[0]
        severity = _ORDER.index(first.severity) if first.severity in _ORDER else len(_ORDER)
        return order.get(first.relation, len(order)), severity, -len(group)

    return sorted(groups.values(), key=rank)


def _points(desk: Desk, about: str, group: Sequence[Edge]) -> Iterator[Point]:
    """A sentence for the facts of a group with one subject, or with one object."""
    side = desk.action.side
    ends: dict[str, list[Edge]] = {}
    for edge in group:
        ends.setdefault(edge.subject if side == "out" else edge.object, []).append(edge)
    for end, edges in ends.items():
        there = [desk.cites.triple(e)[2] if side == "out" else desk.saying.name(e.subject) for e in edges]
        way = kinship(desk.graph, about, end) if side == "out" else ()
        relation = known_relations()[edges[0].relation]
        label = relation.zh if desk.language == "zh" else relation.en
        slots = (
            ("subject", _via(desk, about, end) if side == "out" else listed(desk.language, there)),
            ("relation", label),
            ("severity", _severity(desk, edges[0])),
            ("object", listed(desk.language, there) if side == "out" else desk.saying.name(end)),
            ("detail", desk.saying.detail(edges[0]) if edges[0].relation in _SINGLY else ""),
            ("source", citation(edges[0])),
        )
        pieces = (desk.cites.path(edges), *((desk.cites.path(way),) if way else ()))
        yield Point("facts.out" if side == "out" else "facts.in", slots, pieces)


def _via(desk: Desk, about: str, subject: str) -> str:
    """The name of what is asked about, and of the kind above it of which a fact is told."""
    name = desk.saying.name(about)
    if subject == about or subject not in desk.graph.ancestors(about):
        return desk.saying.name(subject)
    return word(desk.language, "facts.via", name=name, kind=desk.saying.name(subject))


def _severity(desk: Desk, edge: Edge) -> str:
    return word(desk.language, f"facts_severity.{edge.severity}") if edge.severity else ""
