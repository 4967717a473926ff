"""Which current drugs are contraindicated, need another dose or interact, and why: the gravest first, drug by drug."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.knowing.current import asked_drugs, is_local, not_current, not_known, told_of
from agent.knowing.desk import Desk
from agent.knowing.interactions import GRAVE, Interaction, among, interaction_point
from agent.knowing.patient import Taken
from agent.knowing.point import Computation, GraphFinding, Piece, Point, Slots
from agent.knowing.rules import Hit, Judgement, Rule, judge
from agent.knowing.saying import Worded, newest
from agent.knowing.values import INPUTS
from agent.knowing.words import listed, word
from knowledge.graph import Edge
from knowledge.patients import Statement

_GROUPS = ("absolute", "relative", "dose")
"""What is wrong with a drug by itself, the gravest first; interactions follow."""
_ALLERGIES = ("allergic_to",)
_PAIRS = ("interacts_with",)


def safety(desk: Desk) -> GraphFinding:
    """The current drugs, or those that the question names, held against the patient's record.

    Where all current drugs are asked about and several are told of, each group has a heading that counts them.
    """
    drugs, others = asked_drugs(desk, desk.action.concepts)
    every = [*drugs, *others]
    judged = judge(desk, every)
    if desk.action.relations == _ALLERGIES:
        judged = replace(judged, hits=tuple(h for h in judged.hits if h.allergy is not None), unknown=())
    points = [*not_current(desk, others)] or ([] if drugs else [Point("safety.no_drugs")])
    by_rule = {hit.rule.drug.concept for hit in judged.hits if hit.allergy is not None}
    allergic = {d.concept: [*_allergies(desk, d)] for d in every if d.concept not in by_rule}
    pairs, checked = _pairs(desk) if desk.action.relations == _PAIRS else ([], 0)
    headed = not desk.action.concepts and len(judged.hits) + sum(map(len, allergic.values())) + len(pairs) > 1
    points += _groups(desk, judged.hits, [d for d in every if allergic.get(d.concept)], allergic, headed)
    points += _interacting(desk, pairs, headed)
    points += _unknown(desk, judged)
    told = {hit.rule.drug.concept for hit in judged.hits} | {c for c, found in allergic.items() if found}
    told |= {drug.concept for pair in pairs for drug in (pair.first, pair.second)}
    points += _free(desk, judged, [d for d in drugs if d.concept not in told], others=bool(told))
    points += _free_asked(desk, judged, [d for d in others if d.concept not in told])
    if checked and not pairs:
        points.append(Point("safety.no_pairs_asked" if desk.action.concepts else "safety.no_pairs"))
    if not desk.action.concepts:
        points += not_known(desk)
    return GraphFinding(desk.action, tuple(points), _assumed(desk, judged, points, len(every), checked))


def _groups(
    desk: Desk,
    hits: Sequence[Hit],
    drugs: Sequence[Taken],
    allergic: dict[str, list[Point]],
    headed: bool,
) -> Iterator[Point]:
    """What is wrong with drugs by themselves, by severity and drug; ``drugs`` are those of an allergy on record."""
    key = "safety.hit_grouped" if headed else "safety.hit"
    for severity in _GROUPS:
        of = [hit for hit in hits if _group(hit) == severity]
        direct = drugs if severity == "absolute" else ()
        named = {drug.concept: drug for drug in (*direct, *(hit.rule.drug for hit in of))}
        if headed:
            yield from told_of(desk, f"safety.heading_{severity}", list(named.values()))
        for concept in named:
            yield from allergic[concept] if direct and concept in allergic else ()
            yield from (_hit(desk, hit, key) for hit in of if hit.rule.drug.concept == concept)


def _group(hit: Hit) -> str:
    severity = _severity(hit)
    return "absolute" if severity == "none" else severity


def _severity(hit: Hit) -> str:
    edge = hit.rule.edge
    return "dose" if edge.relation == "dose_adjust_when" else edge.severity or "none"


def _pairs(desk: Desk) -> tuple[list[Interaction], int]:
    """The interactions of the drugs asked about, else the grave ones, and how many pairs were looked at."""
    found, checked = among(desk)
    every = bool(desk.action.concepts)
    return [one for one in found if every or one.edge.severity in GRAVE], checked


def _interacting(desk: Desk, pairs: Sequence[Interaction], headed: bool) -> Iterator[Point]:
    points = [interaction_point(desk, pair) for pair in pairs]
    if points and headed:
        computed = (Computation("count", float(len(points))),)
        paths = tuple(dict.fromkeys(point.evidence[0] for point in points))
        yield Point("safety.heading_pairs", (("n", str(len(points))),), paths, computed)
    yield from points


def _hit(desk: Desk, hit: Hit, key: str) -> Point:
    saying, edge = desk.saying, hit.rule.edge
    said: list[Worded] = []
    path: tuple[Edge, ...] = hit.rule.path
    evidence: list[Piece] = []
    if hit.allergy is not None:
        said.append(_allergy_worded(desk, hit.allergy))
        evidence.append(desk.cites.said(hit.allergy))
        path += tuple(reversed(desk.patient.kinship(hit.allergy.concept or "", edge.object)))
    if hit.thing is not None:
        said.append(saying.thing(hit.thing))
        evidence.append(desk.cites.said(newest(hit.thing)))
        path += tuple(reversed(desk.patient.kinship(hit.thing.concept or "", edge.object)))
    for judged in hit.verdict.because if hit.verdict is not None else ():
        value = desk.values.value(judged.concept or "")
        assert value is not None, "a comparison that holds has a value"
        said.append(saying.value(value, judged.comparison.unit, judged.comparison.name))
        evidence += desk.cites.rows(value.rows)
    because = said[0].text
    for other in said[1:]:
        because = word(desk.language, "value.joined", first=because, second=other.text)
    slots = (
        ("drug", saying.name(hit.rule.drug.concept)),
        ("ordered", saying.ordered(hit.rule.drug.orders)),
        ("severity", word(desk.language, f"severity.{_severity(hit)}")),
        ("path", saying.path(path)),
        ("because", because),
        ("detail", saying.detail(edge)),
    )
    pieces = (desk.cites.path(path), *evidence, *desk.cites.rows(hit.rule.drug.rows))
    return Point(key, slots, pieces, tuple(c for each in said for c in each.computed))


def _allergies(desk: Desk, drug: Taken) -> Iterator[Point]:
    """The patient's allergies to a drug itself or to a class of it."""
    for said in desk.patient.allergic((drug.concept, *desk.patient.classes(drug.concept))):
        worded = _allergy_worded(desk, said)
        way = desk.patient.kinship(drug.concept, said.concept or "")
        slots = (
            ("drug", desk.saying.name(drug.concept)),
            ("ordered", desk.saying.ordered(drug.orders)),
            ("because", worded.text),
            ("path", desk.saying.path(way)),
        )
        pieces = (desk.cites.said(said), *desk.cites.rows(drug.rows))
        if way:
            yield Point("safety.allergy", slots, (desk.cites.path(way), *pieces), worded.computed)
        else:
            yield Point("safety.allergy_same", slots, pieces, worded.computed)


def _allergy_worded(desk: Desk, said: Statement) -> Worded:
    name = desk.saying.name(said.concept) if said.concept is not None else said.name
    row = desk.cites.said(said)
    assert row.kind == "row", "allergies come from rows"
    return Worded(word(desk.language, "thing.allergy", name=name, table=row.table, row_id=row.row_ids[0]))


def _unknown(desk: Desk, judged: Judgement) -> Iterator[Point]:
    missing: dict[str, list[Rule]] = {}
    for rule, concept in judged.unknown:
        missing.setdefault(concept, []).append(rule)
    for concept, rules in missing.items():
        drugs = dict.fromkeys(desk.saying.name(rule.drug.concept) for rule in rules)
        slots = (
            ("name", _lacking(desk, concept)),
            ("n", str(len(rules))),
            ("drugs", listed(desk.language, [*drugs])),
        )
        pieces = tuple(desk.cites.path(rule.path) for rule in rules)
        yield Point("safety.unknown", slots, pieces, (Computation("count", float(len(rules))),))


def _lacking(desk: Desk, concept: str) -> str:
    """What has no value; of a derived value what it would be derived from."""
    name = desk.saying.name(concept)
    inputs = [desk.saying.name(one) for one in INPUTS.get(concept, ()) if desk.values.value(one) is None]
    if not inputs:
        return name
    return word(desk.language, "safety.lacking", name=name, inputs=listed(desk.language, inputs))


def _free(desk: Desk, judged: Judgement, drugs: Sequence[Taken], *, others: bool) -> Iterator[Point]:
    """The current drugs for which nothing held: in one sentence those of which all could be checked."""
    if desk.action.relations == _ALLERGIES:
        yield from told_of(desk, "safety.no_allergy", drugs)
        return
    spared = [drug for drug in drugs if is_local(desk, drug)]
    open_ = {rule.drug.concept for rule, _ in judged.unknown}
    clear = [drug for drug in drugs if drug not in spared and drug.concept not in open_]
    others = others or len(clear) < len(drugs)
    yield from told_of(desk, "safety.clear_other" if others else "safety.clear", clear)
    yield from _local(desk, spared)


def _free_asked(desk: Desk, judged: Judgement, drugs: Sequence[Taken]) -> Iterator[Point]:
    """The drugs asked about that are not current and for which nothing held that could be checked."""
    if drugs:
        names = listed(desk.language, [desk.saying.name(drug.concept) for drug in drugs])
        yield Point("safety.clear_rest" if judged.unknown else "safety.clear_asked", (("drugs", names),))


def _local(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    if drugs:
        names = [f"{desk.saying.name(drug.concept)} ({drug.orders[0].route})" for drug in drugs]
        slots = (("n", str(len(drugs))), ("drugs", listed(desk.language, names)))
        pieces = desk.cites.rows(drug.rows[0] for drug in drugs)
        yield Point("safety.local", slots, pieces, (Computation("count", float(len(drugs))),))


def _assumed(
    desk: Desk, judged: Judgement, points: Sequence[Point], drugs: int, pairs: int
) -> tuple[tuple[str, Slots], ...]:
    """What was looked at, and what the computed values take for granted."""
    said: list[tuple[str, Slots]] = [("rules", (("rules", str(judged.rules)), ("drugs", str(drugs))))]
    if pairs:
        said.append(("pairs" if desk.action.concepts else "grave_pairs", (("pairs", str(pairs)),)))
    said.append(("current", (("now", desk.scope.now),)))
    kidney = ("egfr", "creatinine_clearance", "clearance_as_egfr")
    if any(value.name in kidney for point in points for value in point.computed):
        said.append(("egfr", ()))
    return tuple(said)
