"""Which drugs interact, how gravely and why: among the current ones, those named, or one and the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from agent.knowing.desk import Desk
from agent.knowing.patient import Taken, kinship
from agent.knowing.point import GraphFinding, Point, Slots
from agent.knowing.routes import spared
from agent.knowing.words import listed, word
from knowledge.graph import Edge

_RANKS = {"contraindicated": 0, "major": 1, "moderate": 2}


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two drugs and the fact about them or their classes, with the ways up to its two ends."""

    first: Taken
    second: Taken
    edge: Edge
    path: tuple[Edge, ...]

    @property
    def rank(self) -> tuple[int, int]:
        """The graver first, then the nearer to the two drugs."""
        return _RANKS.get(self.edge.severity or "", len(_RANKS)), len(self.path)


def interactions(desk: Desk) -> GraphFinding:
    """The interactions among drugs, gravest first."""
    action = desk.action
    named = [Taken(node.id, ()) for node in desk.graph.nodes(action.concepts) if node.type == "drug"]
    classes = [node.id for node in desk.graph.nodes(action.concepts) if node.type == "drug_class"]
    if action.subject_id is None:
        drugs = [*named, *(Taken(one, ()) for one in classes)]
        pairs = list(combinations(drugs, 2))
    else:
        current = [d for d in desk.patient.drugs if d.concept in action.concepts or _interacts(desk, d)]
        drugs = [*current, *(drug for drug in named if drug.concept not in {d.concept for d in current})]
        asked = {*action.concepts}
        pairs = [
            pair
            for pair in combinations(drugs, 2)
            if not asked or any(asked & {d.concept, *_classes(desk, d)} for d in pair)
        ]
    found = sorted(filter(None, (_between(desk, *pair) for pair in pairs)), key=lambda one: one.rank)
    points = [*_not_current(desk, drugs), *(_point(desk, one) for one in found)]
    if not found:
        points += _none(desk, drugs)
    assumptions: list[tuple[str, Slots]] = [("pairs", (("pairs", str(len(pairs))),))]
    if action.subject_id is not None:
        assumptions.append(("current", (("now", desk.scope.now),)))
    return GraphFinding(action, tuple(points), tuple(assumptions), general=action.subject_id is None)


def _between(desk: Desk, first: Taken, second: Taken) -> Interaction | None:
    """The gravest and nearest fact about two drugs; None where the graph holds none."""
    ends = [{drug.concept, *_classes(desk, drug)} for drug in (first, second)]
    best: Interaction | None = None
    for edge in desk.graph.edges(sorted(ends[0]), ("interacts_with",), "both"):
        for one, other in ((first, second), (second, first)):
            mine, theirs = (ends[0], ends[1]) if one is first else (ends[1], ends[0])
            if edge.subject in mine and edge.object in theirs:
                up = kinship(desk.graph, one.concept, edge.subject)
                down = tuple(reversed(kinship(desk.graph, other.concept, edge.object)))
                found = Interaction(one, other, edge, (*up, edge, *down))
                if best is None or found.rank < best.rank:
                    best = found
    return best


def _classes(desk: Desk, drug: Taken) -> tuple[str, ...]:
    return tuple(
        node.id for node in desk.graph.nodes(desk.graph.ancestors(drug.concept)) if node.type == "drug_class"
    )


def _interacts(desk: Desk, drug: Taken) -> bool:
    """Whether one of its orders is given by a route by which it reaches other drugs."""
    lineage = (drug.concept, *_classes(desk, drug))
    return any("interaction" not in spared(order.route, lineage) for order in drug.orders)


def _point(desk: Desk, found: Interaction) -> Point:
    saying = desk.saying
    slots = (
        ("first", saying.name(found.first.concept)),
        ("second", saying.name(found.second.concept)),
        ("severity", word(desk.language, f"severity.{found.edge.severity or 'moderate'}")),
        ("path", saying.path(found.path)),
        ("detail", saying.detail(found.edge)),
    )
    rows = desk.cites.rows((*found.first.rows, *found.second.rows))
    return Point("interactions.hit", slots, (desk.cites.path(found.path), *rows))


def _not_current(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    if desk.action.subject_id is not None:
        for drug in drugs:
            if not drug.rows:
                yield Point("interactions.not_current", (("drug", desk.saying.name(drug.concept)),))


def _none(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    if not any(drug.rows for drug in drugs) and desk.action.subject_id is not None:
        yield Point("safety.no_drugs")
        return
    names = listed(desk.language, [desk.saying.name(drug.concept) for drug in drugs])
    rows = desk.cites.rows(drug.rows[0] for drug in drugs if drug.rows)
    yield Point("interactions.none", (("drugs", names),), rows)
