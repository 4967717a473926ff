"""The drugs that a question about the current ones is about, and sentences that tell of several at once."""

from collections.abc import Iterator, Sequence

from agent.knowing.desk import Desk
from agent.knowing.patient import Taken
from agent.knowing.point import Computation, Point
from agent.knowing.routes import local
from agent.knowing.words import listed
from knowledge.patients import RowRef


def asked_drugs(desk: Desk, asked: Sequence[str]) -> tuple[list[Taken], list[Taken]]:
    """The current drugs that are among those asked about (all where none is), and those asked about but not current."""
    chosen = set(asked)
    drugs = [
        drug
        for drug in desk.patient.drugs
        if not chosen or chosen & {drug.concept, *desk.patient.classes(drug.concept)}
    ]
    named = {drug.concept for drug in drugs}
    nodes = desk.graph.nodes(asked)
    return drugs, [Taken(node.id, ()) for node in nodes if node.type == "drug" and node.id not in named]


def is_local(desk: Desk, drug: Taken) -> bool:
    """Whether a drug is given only where it acts, so that no rule but an allergy holds for it."""
    lineage = (drug.concept, *desk.patient.classes(drug.concept))
    return bool(drug.orders) and all(local(order.route, lineage) for order in drug.orders)


def told_of(desk: Desk, key: str, drugs: Sequence[Taken], **more: str) -> Iterator[Point]:
    """One sentence about some current drugs, with their number and a row for each; none where there is none.

    Two drugs of one order are one: a tablet that combines them.
    """
    ordered: dict[RowRef, list[str]] = {}
    for drug in drugs:
        ordered.setdefault(drug.rows[0], []).append(desk.saying.name(drug.concept))
    if ordered:
        names = [" + ".join(together) for together in ordered.values()]
        slots = (("n", str(len(names))), ("drugs", listed(desk.language, names)), *more.items())
        yield Point(key, slots, desk.cites.rows(ordered), (Computation("count", float(len(names))),))


def not_current(desk: Desk, drugs: Sequence[Taken]) -> Iterator[Point]:
    """Those asked about that are not among the current orders."""
    for drug in drugs:
        yield Point("safety.not_current", (("drug", desk.saying.name(drug.concept)),))


def not_known(desk: Desk) -> Iterator[Point]:
    """The current orders of which the graph knows nothing."""
    orders = desk.patient.unknown_orders
    if orders:
        names = dict.fromkeys(order.wording for order in orders)
        slots = (("n", str(len(orders))), ("drugs", listed(desk.language, [*names])))
        pieces = desk.cites.rows(order.row for order in orders)
        yield Point("safety.not_known", slots, pieces, (Computation("count", float(len(orders))),))
