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

GRAVE = frozenset({"contraindicated", "major"})
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
    found, pairs = among(desk)
    drugs = _drugs(desk)
    points = [*_not_current(desk, drugs), *(interaction_point(desk, one) for one in found)]
    if not found:
        points += _none(desk, drugs)
    assumptions: list[tuple[str, Slots]] = [("pairs", (("pairs", str(pairs)),))]
    if action.subject_id is not None:
        assumptions.append(("current", (("now", desk.scope.now),)))
    return GraphFinding(action, tuple(points), tuple(assumptions), general=action.subject_id is None)


def among(desk: Desk) -> tuple[list[Interaction], int]:
    """The interactions among what the question is about, gravest first, and how many pairs were looked at.

    Without a patient those are the drugs named; with one the current ones and those named, of which one is in each
    pair where any is named.
    """
    asked = set(desk.action.concepts)
    drugs = _drugs(desk)
    pairs = list(combinations(drugs, 2))
    if desk.action.subject_id is not None and asked:
        pairs = [pair for pair in pairs if any(asked & {d.concept, *_classes(desk, d)} for d in pair)]
    found = sorted(filter(None, (_between(desk, *pair) for pair in pairs)), key=lambda one: one.rank)
    return found, len(pairs)


def _drugs(desk: Desk) -> list[Taken]:
    """The drugs named, with classes where nobody's are meant; and the current ones that reach other drugs."""
    nodes = desk.graph.nodes(desk.action.concepts)
    named = [Taken(node.id, ()) for node in nodes if node.type == "drug"]
    if desk.action.subject_id is None:
        return [*named, *(Taken(node.id, ()) for node in nodes if node.type == "drug_class")]
    current = [d for d in desk.patient.drugs if d.concept in desk.action.concepts or _interacts(desk, d)]
    return [*current, *(drug for drug in named if drug.concept not in {d.concept for d in current})]


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


def interaction_point(desk: Desk, found: Interaction) -> Point:
    """The sentence of an interaction; its first piece of evidence is the path."""
    saying = desk.saying
    slots = (
        ("first", saying.name(found.first.concept) + saying.ordered(found.first.orders)),
        ("second", saying.name(found.second.concept) + saying.ordered(found.second.orders)),
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
