"""Which current drugs can do something: prolong the QT interval, harm the kidneys, raise potassium, cause bleeding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.knowing.current import asked_drugs, is_local, not_current, not_known, told_of
from agent.knowing.desk import Desk
from agent.knowing.effect_words import measured_by
from agent.knowing.patient import Taken
from agent.knowing.point import GraphFinding, Point
from agent.knowing.words import listed, word
from knowledge.facts import parse
from knowledge.graph import Edge

_RELATIONS = ("adverse_effect", "causes")
_RANKS = {"serious": 0, "common": 1, None: 1, "uncommon": 2}
_DEFINED = 1
"""The rank of a drug that belongs to a class whose members do it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A drug with the path to what it can do."""

    drug: Taken
    path: tuple[Edge, ...]
    rank: int

    @property
    def fact(self) -> Edge:
        """The relation that says so."""
        return next((edge for edge in self.path if edge.relation in _RELATIONS), self.path[-1])


def effects(desk: Desk) -> GraphFinding:
    """The current drugs, or those asked about, that can do what the question names; the gravest first."""
    drugs, others = asked_drugs(desk, desk.action.drugs)
    every = [*drugs, *others]
    spared = [drug for drug in drugs if is_local(desk, drug)]
    judged = [(drug, _effect(desk, drug)) for drug in every if drug not in spared]
    found = sorted((effect for _, effect in judged if effect is not None), key=lambda one: one.rank)
    free = [drug for drug, effect in judged if effect is None]
    points = [*not_current(desk, others)]
    if not every:
        points.append(Point("safety.no_drugs"))
    elif not found:
        points += _none(desk, free)
    else:
        points += _count(desk, found, len(judged))
        points += [_point(desk, one) for one in found]
        points += _free(desk, free)
    points += _values(desk)
    points += told_of(desk, "safety.local_effect", spared)
    if not desk.action.drugs:
        points += not_known(desk)
    return GraphFinding(
        desk.action, tuple(points), (("effects", ()), ("current", (("now", desk.scope.now),)))
    )


def _effect(desk: Desk, drug: Taken) -> Effect | None:
    """The gravest and nearest way from a drug to what is asked about."""
    lineage = (drug.concept, *desk.patient.classes(drug.concept))
    found: list[Effect] = []
    for concept in desk.action.concepts:
        if desk.graph.node(concept).type == "drug_class":
            if concept in lineage:
                found.append(Effect(drug, desk.patient.kinship(drug.concept, concept), _DEFINED))
            continue
        kinds = {concept, *desk.graph.descendants(concept)}
        for edge in desk.graph.edges(lineage, _RELATIONS):
            if edge.object in kinds:
                up = desk.patient.kinship(drug.concept, edge.subject)
                down = desk.patient.kinship(edge.object, concept)
                found.append(Effect(drug, (*up, edge, *down), _RANKS.get(edge.severity, _DEFINED)))
    return min(found, key=lambda one: (one.rank, len(one.path)), default=None)


def _point(desk: Desk, one: Effect) -> Point:
    severity = one.fact.severity
    slots = (
        ("drug", desk.saying.name(one.drug.concept)),
        ("ordered", desk.saying.ordered(one.drug.orders)),
        ("path", desk.saying.path(one.path)),
        ("severity", word(desk.language, f"facts_severity.{severity}") if severity else ""),
        ("detail", desk.saying.detail(one.fact)),
    )
    return Point("effects.hit", slots, (desk.cites.path(one.path), *desk.cites.rows(one.drug.rows)))


def _count(desk: Desk, found: Sequence[Effect], of: int) -> Iterator[Point]:
    """How many of how many current drugs, where more than one was asked about."""
    current = [one.drug for one in found if one.drug.orders]
    if of > 1 and current:
        yield from told_of(desk, "effects.count", current, effect=desk.saying.name(desk.action.concepts[0]))


def _none(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    effect = desk.saying.name(desk.action.concepts[0])
    names = listed(desk.language, [desk.saying.name(drug.concept) for drug in drugs])
    rows = desk.cites.rows(drug.rows[0] for drug in drugs if drug.rows)
    if drugs:
        yield Point("effects.none", (("effect", effect), ("drugs", names)), rows)


def _free(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    yield from told_of(desk, "effects.free", [drug for drug in drugs if drug.orders])


def _values(desk: Desk) -> Iterator[Point]:
    """The newest values that show whether it has come to that."""
    concepts = measured_by(desk.action.concepts) or dict.fromkeys(
        judged.concept
        for edge in desk.graph.edges(desk.action.concepts, ("diagnosed_by",))
        if edge.condition is not None
        for judged in desk.values.judge(parse(edge.condition)).because[:1]
        if judged.concept is not None
    )
    for concept in concepts:
        value = desk.values.value(concept)
        if value is None:
            yield Point("effects.no_value", (("name", desk.saying.name(concept)),))
        else:
            worded = desk.saying.value(value)
            yield Point(
                "effects.value", (("because", worded.text),), desk.cites.rows(value.rows), worded.computed
            )
