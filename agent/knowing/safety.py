"""Which current drugs are contraindicated or need another dose, and why: facts held against the patient's own rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent.knowing.desk import Desk
from agent.knowing.patient import Taken
from agent.knowing.point import Computation, GraphFinding, Piece, Point, Slots
from agent.knowing.recency import days_of
from agent.knowing.routes import holds, local
from agent.knowing.saying import Worded, newest
from agent.knowing.values import INPUTS
from agent.knowing.words import listed, word
from knowledge.facts import Verdict, parse
from knowledge.graph import Edge
from knowledge.patients import Problem, Statement

_RELATIONS = ("contraindicated_when", "dose_adjust_when")
_RANKS = {"absolute": 0, None: 1, "relative": 2, "dose": 3}
_MEASURED = ("lab", "vital")


@dataclass(frozen=True, slots=True)
class Rule:
    """A fact about a drug or about a class of it, with the way from the drug to the fact's subject."""

    drug: Taken
    way: tuple[Edge, ...]
    edge: Edge

    @property
    def path(self) -> tuple[Edge, ...]:
        """From the drug to what the fact says."""
        return (*self.way, self.edge)

    @property
    def rank(self) -> tuple[int, int]:
        """The graver first, then the nearer to the drug."""
        severity = "dose" if self.edge.relation == "dose_adjust_when" else self.edge.severity
        return _RANKS.get(severity, 1), len(self.way)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds, with what of the patient makes it hold."""

    rule: Rule
    verdict: Verdict | None = None
    thing: Problem | None = None
    allergy: Statement | None = None

    @property
    def ground(self) -> object:
        """What of the patient it rests on: a bleeding that fits two rules for a drug is told once."""
        if self.allergy is not None:
            return self.allergy.evidence
        return newest(self.thing).evidence if self.thing is not None else self.rule.edge.object


@dataclass(frozen=True, slots=True)
class Judgement:
    """All rules of some drugs, judged."""

    rules: int
    hits: tuple[Hit, ...]
    unknown: tuple[tuple[Rule, str], ...]  # with the concept whose value is missing


def safety(desk: Desk) -> GraphFinding:
    """The current drugs, or those that the question names, held against the patient's record."""
    patient, asked = desk.patient, set(desk.action.concepts)
    drugs = [
        drug for drug in patient.drugs if not asked or asked & {drug.concept, *patient.classes(drug.concept)}
    ]
    named = {drug.concept for drug in drugs}
    others = [
        Taken(node.id, ())
        for node in desk.graph.nodes(desk.action.concepts)
        if node.type == "drug" and node.id not in named
    ]
    points = [Point("safety.not_current", (("drug", desk.saying.name(drug.concept)),)) for drug in others]
    if not drugs and not others:
        points.append(Point("safety.no_drugs"))
    judged = judge(desk, [*drugs, *others])
    if desk.action.relations:
        judged = replace(judged, hits=tuple(h for h in judged.hits if h.allergy is not None), unknown=())
    told = {hit.rule.drug.concept for hit in judged.hits if hit.allergy is not None}
    direct = [p for drug in [*drugs, *others] if drug.concept not in told for p in _allergies(desk, drug)]
    points += [*direct, *(_hit(desk, hit) for hit in judged.hits)]
    points += _unknown(desk, judged)
    held = {hit.rule.drug.concept for hit in judged.hits} | {dict(p.slots)["drug"] for p in direct}
    clear = [
        drug for drug in drugs if drug.concept not in held and desk.saying.name(drug.concept) not in held
    ]
    if desk.action.relations:
        points += _without_allergy(desk, clear)
        clear = []
    spared = [drug for drug in clear if _is_local(desk, drug)]
    clear = [drug for drug in clear if drug not in spared]
    points += _clear(desk, clear, others=len(clear) < len(drugs))
    points += _local(desk, spared)
    free = [
        drug for drug in others if drug.concept not in held and desk.saying.name(drug.concept) not in held
    ]
    if free and not judged.unknown:
        names = [desk.saying.name(drug.concept) for drug in free]
        points.append(Point("safety.clear_asked", (("drugs", listed(desk.language, names)),)))
    if not asked:
        points += _not_known(desk)
    assumptions: list[tuple[str, Slots]] = [
        ("rules", (("rules", str(judged.rules)), ("drugs", str(len(drugs) + len(others)))))
    ]
    assumptions.append(("current", (("now", desk.scope.now),)))
    if any(
        value.name in ("egfr", "creatinine_clearance", "clearance_as_egfr")
        for point in points
        for value in point.computed
    ):
        assumptions.append(("egfr", ()))
    return GraphFinding(desk.action, tuple(points), tuple(assumptions))


def judge(desk: Desk, drugs: Sequence[Taken]) -> Judgement:
    """Hold every rule of some drugs against the patient; of rules that say the same, the nearest counts."""
    rules = [rule for drug in drugs for rule in rules_of(desk, drug)]
    hits: dict[tuple[object, ...], Hit] = {}
    unknown: dict[tuple[str, int], tuple[Rule, str]] = {}
    for rule in sorted(rules, key=lambda rule: rule.rank):
        hit, missing = _judge(desk, rule)
        if hit is not None:
            hits.setdefault((rule.drug.concept, rule.edge.relation, hit.ground), hit)
        elif missing is not None:
            unknown[rule.drug.concept, rule.edge.edge_id] = (rule, missing)
    return Judgement(len(rules), tuple(_gravest(hits.values())), tuple(unknown.values()))


def rules_of(desk: Desk, drug: Taken) -> Iterator[Rule]:
    """The rules about a drug and about its classes, each with the orders for whose route it holds."""
    lineage = (drug.concept, *desk.patient.classes(drug.concept))
    for subject in lineage:
        way = desk.patient.kinship(drug.concept, subject)
        for edge in desk.graph.edges((subject,), _RELATIONS):
            allergy = desk.graph.node(edge.object).type == "drug_class"
            orders = tuple(o for o in drug.orders if allergy or holds(edge, o.route, lineage))
            if orders or not drug.orders:
                yield Rule(Taken(drug.concept, orders), way, edge)


def _gravest(hits) -> list[Hit]:
    """Without a dose that would need adjusting where the same drug must not be given at all for the same reason.

    Where a warning is relative, the drug may well be given, and the dose must be known.
    """
    every = list(hits)
    barred = {
        (hit.rule.drug.concept, hit.rule.edge.object)
        for hit in every
        if hit.rule.edge.relation == "contraindicated_when" and hit.rule.edge.severity != "relative"
    }
    return [
        hit
        for hit in every
        if hit.rule.edge.relation == "contraindicated_when"
        or (hit.rule.drug.concept, hit.rule.edge.object) not in barred
    ]


def _judge(desk: Desk, rule: Rule) -> tuple[Hit | None, str | None]:
    """The hit where a rule holds; else the concept without a value, where only that keeps it open."""
    edge = rule.edge
    kind = desk.graph.node(edge.object).type
    thing = allergy = None
    if kind == "drug_class":
        allergy = next(iter(desk.patient.allergic((edge.object, *desk.graph.descendants(edge.object)))), None)
        if allergy is None:
            return None, None
    elif kind not in _MEASURED:
        thing = next(iter(desk.patient.having(edge.object, days_of(edge))), None)
        if thing is None:
            return None, None
    if edge.condition is None:
        return Hit(rule, None, thing, allergy), None
    verdict = desk.values.judge(parse(edge.condition))
    if verdict.outcome == "true":
        return Hit(rule, verdict, thing, allergy), None
    if verdict.outcome == "false":
        return None, None
    open_ = verdict.because[0]
    return None, open_.concept or open_.comparison.name


def _hit(desk: Desk, hit: Hit) -> Point:
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
    severity = "dose" if edge.relation == "dose_adjust_when" else edge.severity or "none"
    slots = (
        ("drug", saying.name(hit.rule.drug.concept)),
        ("severity", word(desk.language, f"severity.{severity}")),
        ("path", saying.path(path)),
        ("because", because),
        ("detail", saying.detail(edge)),
    )
    pieces = (desk.cites.path(path), *evidence, *desk.cites.rows(hit.rule.drug.rows))
    return Point("safety.hit", slots, pieces, tuple(c for each in said for c in each.computed))


def _allergies(desk: Desk, drug: Taken) -> Iterator[Point]:
    """The patient's allergies to a drug itself or to a class of it."""
    for said in desk.patient.allergic((drug.concept, *desk.patient.classes(drug.concept))):
        worded = _allergy_worded(desk, said)
        way = desk.patient.kinship(drug.concept, said.concept or "")
        slots = (
            ("drug", desk.saying.name(drug.concept)),
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


def _clear(desk: Desk, drugs: Sequence[Taken], *, others: bool) -> Iterator[Point]:
    if drugs:
        names = [desk.saying.name(drug.concept) for drug in drugs]
        slots = (("n", str(len(drugs))), ("drugs", listed(desk.language, names)))
        # One row for each drug: the sentence counts drugs, not orders.
        pieces = desk.cites.rows(drug.rows[0] for drug in drugs)
        computed = (Computation("count", float(len(drugs))),)
        yield Point("safety.clear_other" if others else "safety.clear", slots, pieces, computed)


def _without_allergy(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    if drugs:
        names = [desk.saying.name(drug.concept) for drug in drugs]
        slots = (("n", str(len(drugs))), ("drugs", listed(desk.language, names)))
        pieces = desk.cites.rows(drug.rows[0] for drug in drugs)
        yield Point("safety.no_allergy", slots, pieces, (Computation("count", float(len(drugs))),))


def _is_local(desk: Desk, drug: Taken) -> bool:
    lineage = (drug.concept, *desk.patient.classes(drug.concept))
    return bool(drug.orders) and all(local(order.route, lineage) for order in drug.orders)


def _local(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    if drugs:
        names = [f"{desk.saying.name(drug.concept)} ({drug.orders[0].route})" for drug in drugs]
        slots = (("n", str(len(drugs))), ("drugs", listed(desk.language, names)))
        pieces = desk.cites.rows(drug.rows[0] for drug in drugs)
        yield Point("safety.local", slots, pieces, (Computation("count", float(len(drugs))),))


def _not_known(desk: Desk) -> Iterator[Point]:
    orders = desk.patient.unknown_orders
    if orders:
        names = dict.fromkeys(order.wording for order in orders)
        slots = (("n", str(len(orders))), ("drugs", listed(desk.language, [*names])))
        pieces = desk.cites.rows(order.row for order in orders)
        yield Point("safety.not_known", slots, pieces, (Computation("count", float(len(orders))),))
