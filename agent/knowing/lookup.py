"""What general knowledge says of the concepts that a question names: facts by severity and source."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.knowing.desk import Desk
from agent.knowing.evidence import citation
from agent.knowing.patient import kinship
from agent.knowing.point import GraphFinding, Point
from agent.knowing.words import listed, word
from knowledge.graph import Edge

_ORDER = ("absolute contraindicated major typical common serious relative moderate possible uncommon").split()
_ADVICE = frozenset(
    {"contraindicated_when", "dose_adjust_when", "interacts_with", "diagnosed_by", "monitored_by"}
)
"""Relations whose facts carry advice: one sentence for each piece of it."""
_MUTUAL = ("interacts_with",)
_WORKS = 3  # from so many works on, facts of one severity are told in one sentence


def facts(desk: Desk) -> GraphFinding:
    """The facts that a question asks for; about a class or kind where there is none about the thing itself."""
    action = desk.action
    about, others = action.concepts[0], action.concepts[1:]
    found = _between(desk, action.concepts, action.relations) if others else []
    if not found:
        found = _about(desk, about)
    points = [_point(desk, about, said) for said in _grouped(desk, found)]
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
    side = "both" if action.relations == _MUTUAL else action.side
    own = desk.graph.edges((concept, *desk.graph.ancestors(concept)), action.relations, side)
    if action.relations == ("is_a",):
        own = desk.graph.edges((concept,), action.relations, action.side)
    nearest = [edge for edge in own if concept in (edge.subject, edge.object)]
    found = nearest if nearest and action.side == "in" else own
    return found or desk.graph.edges(desk.graph.descendants(concept), action.relations, action.side)


@dataclass(frozen=True, slots=True)
class _Said:
    """Facts that one sentence says: one relation and severity, and one thing at the end that is asked about."""

    end: str
    edges: tuple[Edge, ...]

    @property
    def first(self) -> Edge:
        """One of them, for what they have in common."""
        return self.edges[0]


def _grouped(desk: Desk, edges: Sequence[Edge]) -> list[_Said]:
    """The facts as sentences: those of one work together, and all together where many works say them."""
    groups: dict[tuple[object, ...], list[Edge]] = {}
    for edge in edges:
        end = _end(desk, edge)
        detail = edge.detail_en if edge.relation in _ADVICE else ""
        groups.setdefault((end, edge.relation, edge.severity, detail), []).append(edge)
    said: list[_Said] = []
    for (end, *_), group in groups.items():
        works: dict[str, list[Edge]] = {}
        for edge in group:
            works.setdefault(citation(edge), []).append(edge)
        parts = [group] if len(works) > _WORKS else list(works.values())
        said += [_Said(str(end), tuple(part)) for part in parts]
    order = {relation: place for place, relation in enumerate(desk.action.relations)}

    def rank(one: _Said) -> tuple[int, int, int]:
        severity = one.first.severity
        grave = _ORDER.index(severity) if severity in _ORDER else len(_ORDER)
        return order.get(one.first.relation, len(order)), grave, -len(one.edges)

    return sorted(said, key=rank)


def _point(desk: Desk, about: str, said: _Said) -> Point:
    side, language = desk.action.side, desk.language
    works: dict[str, list[Edge]] = {}
    for edge in said.edges:
        works.setdefault(citation(edge), []).append(edge)
    things = [
        desk.cites.triple(e)[2] if said.end == e.subject else desk.saying.name(e.subject) for e in said.edges
    ]
    first = next(iter(works))
    slots = (
        ("name", _via(desk, about, said.end) if side == "out" else desk.saying.name(said.end)),
        ("severity", _severity(desk, said.first)),
        ("things", listed(language, list(dict.fromkeys(things)))),
        ("detail", desk.saying.detail(said.first) if said.first.relation in _ADVICE else ""),
        ("source", word(language, "facts.one_work" if len(works) == 1 else "facts.works", first=first)),
    )
    way = kinship(desk.graph, about, said.end) if side == "out" else ()
    pieces = [desk.cites.path(edges) for edges in works.values()]
    return Point(
        f"facts_{side}.{said.first.relation}", slots, (*pieces, *((desk.cites.path(way),) if way else ()))
    )


def _end(desk: Desk, edge: Edge) -> str:
    """The end of a fact that is asked about; of two drugs that interact the one that is named."""
    if edge.relation in _MUTUAL:
        about = desk.action.concepts[0]
        return edge.subject if edge.subject in (about, *desk.graph.ancestors(about)) else edge.object
    return edge.subject if desk.action.side == "out" else edge.object


def _via(desk: Desk, about: str, subject: str) -> str:
    """The name of what is asked about, and of the kind above it of which a fact is told."""
    name = desk.saying.name(about)
    if subject == about or subject not in desk.graph.ancestors(about):
        return desk.saying.name(subject)
    return word(desk.language, "facts.via", name=name, kind=desk.saying.name(subject))


def _severity(desk: Desk, edge: Edge) -> str:
    return word(desk.language, f"facts_severity.{edge.severity}") if edge.severity else ""
