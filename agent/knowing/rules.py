"""The rules about drugs held against a patient: which hold, which do not, and which lack a value."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.knowing.desk import Desk
from agent.knowing.patient import Taken
from agent.knowing.recency import days_of
from agent.knowing.routes import holds
from agent.knowing.saying import newest
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


def _gravest(hits: Collection[Hit]) -> list[Hit]:
    """Without a dose that would need adjusting where the same drug must not be given at all for the same reason.

    Where a warning is relative, the drug may well be given, and the dose must be known.
    """
    barred = {
        (hit.rule.drug.concept, hit.rule.edge.object)
        for hit in hits
        if hit.rule.edge.relation == "contraindicated_when" and hit.rule.edge.severity != "relative"
    }
    return [
        hit
        for hit in hits
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
