"""A patient as a walk sees one: what they have, by concept and by all that is above it, and what they take."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from importlib.resources import files

from knowledge.graph import Edge, KnowledgeGraph
from knowledge.patients import DrugOrder, PatientGraph, Problem, RowRef, Statement
from knowledge.store.store import TIME_FORMAT

_FINDING_DAYS = 30
"""A finding of a note counts so long; the next examination would have noted it again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A drug that a patient takes, with its orders, newest first."""

    concept: str
    orders: tuple[DrugOrder, ...]

    @property
    def rows(self) -> tuple[RowRef, ...]:
        """The rows that say so."""
        return tuple(order.row for order in self.orders)


class Patient:
    """One patient at one time.

    Args:
        patients: the patient graph.
        graph: the knowledge graph, for what is above a concept.
        subject_id: the patient, whom the caller knows the user may see.
        now: nothing later counts.
    """

    def __init__(self, patients: PatientGraph, graph: KnowledgeGraph, subject_id: int, now: str) -> None:
        self.patients = patients
        self.graph = graph
        self.subject_id = subject_id
        self.now = now

    @cached_property
    def orders(self) -> tuple[DrugOrder, ...]:
        """The orders that run now."""
        return self.patients.drugs(self.subject_id, self.now)

    @cached_property
    def drugs(self) -> tuple[Taken, ...]:
        """The drugs of those orders that are known to the graph, each once."""
        found: dict[str, list[DrugOrder]] = {}
        for order in self.orders:
            for concept in order.concepts:
                found.setdefault(concept, []).append(order)
        return tuple(Taken(concept, tuple(orders)) for concept, orders in found.items())

    @cached_property
    def unknown_orders(self) -> tuple[DrugOrder, ...]:
        """The orders of what the graph does not know."""
        return tuple(order for order in self.orders if not order.concepts)

    @cached_property
    def things(self) -> tuple[Problem, ...]:
        """The problems and findings that count now."""
        stated = (
            *self.patients.problems(self.subject_id, self.now),
            *self.patients.findings(self.subject_id, self.now),
        )
        return tuple(thing for thing in _joined(stated) if self._counts(thing))

    def having(self, concept: str, days: int | None = None) -> tuple[Problem, ...]:
        """What the patient has of a concept or of anything below it; with ``days``, what was said so lately."""
        found = self._below.get(concept, ())
        if days is None:
            return found
        return tuple(thing for thing in found if not thing.historical and self._within(thing, days))

    def allergic(self, concepts: Collection[str]) -> tuple[Statement, ...]:
        """The allergies to one of some drugs or classes."""
        return tuple(
            said for said in self.patients.allergies(self.subject_id) if said.concept in set(concepts)
        )

    def classes(self, drug: str) -> tuple[str, ...]:
        """The classes of a drug, nearest first."""
        return tuple(
            node.id for node in self.graph.nodes(self.graph.ancestors(drug)) if node.type == "drug_class"
        )

    def kinship(self, below: str, above: str) -> tuple[Edge, ...]:
        """The is_a edges that lead from a concept up to another; empty where they are the same."""
        return kinship(self.graph, below, above)

    @cached_property
    def _below(self) -> Mapping[str, tuple[Problem, ...]]:
        found: dict[str, list[Problem]] = {}
        for thing in self.things:
            if thing.concept is not None:
                for concept in (thing.concept, *self.graph.ancestors(thing.concept)):
                    found.setdefault(concept, []).append(thing)
        return {concept: tuple(things) for concept, things in found.items()}

    def _counts(self, thing: Problem) -> bool:
        """Whether what was said last of a thing is near enough to now; chronic things always are."""
        if thing.concept is None or thing.last is None:
            return True
        lasting = [
            days
            for concept in (thing.concept, *self.graph.ancestors(thing.concept))
            if (days := episodes().get(concept)) is not None
        ]
        if thing.kind == "finding":
            lasting.append(_FINDING_DAYS)
        return not lasting or self._within(thing, min(lasting))

    def _within(self, thing: Problem, days: int) -> bool:
        """Whether a thing was last said so lately; what has no time always was."""
        since = datetime.strptime(self.now, TIME_FORMAT) - timedelta(days=days)
        return thing.last is None or thing.last >= since.strftime(TIME_FORMAT)


def kinship(graph: KnowledgeGraph, below: str, above: str) -> tuple[Edge, ...]:
    """The shortest way of is_a edges from a concept up to another; empty where there is none to go."""
    ways: dict[str, tuple[Edge, ...]] = {below: ()}
    edge_of = [below]
    while edge_of and above not in ways:
        found = graph.edges(edge_of, ("is_a",))
        edge_of = []
        for edge in found:
            if edge.object not in ways:
                ways[edge.object] = (*ways[edge.subject], edge)
                edge_of.append(edge.object)
    return ways.get(above, ())


@cache
def episodes() -> Mapping[str, int]:
    """Acute states to the days after which an old statement no longer counts as present."""
    lines = files("agent.knowing").joinpath("episodes.tsv").read_text(encoding="utf-8").splitlines()
    return {row["concept"]: int(row["days"]) for row in csv.DictReader(lines, delimiter="\t")}


def _joined(stated: Collection[Problem]) -> tuple[Problem, ...]:
    """A concept that is coded as a problem and also noted as a finding is one thing."""
    things: dict[tuple[str | None, str], Problem] = {}
    for thing in stated:
        key = (thing.concept, thing.name)
        known = things.get(key)
        if known is None:
            things[key] = thing
            continue
        said = tuple(sorted((*known.statements, *thing.statements), key=lambda s: s.start or ""))
        things[key] = Problem(
            subject_id=known.subject_id,
            concept=known.concept,
            name=known.name,
            kind=known.kind,
            codes=known.codes,
            first=said[0].start,
            last=said[-1].start,
            historical=known.historical and thing.historical,
            statements=said,
        )
    return tuple(things.values())
