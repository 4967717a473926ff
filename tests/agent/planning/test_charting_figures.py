"""A figure by day that the planner understood stays its own, without the days where they are not asked for."""

from agent.planning.charting import ChartPlanner
from agent.planning.link import Candidate, Link, Linked
from agent.planning.plan import Plan, QueryRecords
from agent.query.model import ClinicalQuery, Concept, Events, Group
from agent.scope import Scope

QUESTION = "daily max weight"
WEIGHT = Events(domain="vital", concepts=(Concept(values=("Daily Weight",), said="weight"),))
LINKED = Linked((Link(10, 16, "weight", (Candidate("vital", "name", "Daily Weight", 1.0, "exact", 9),)),))


class Behind:
    """A planner that always plans the same figure by day."""

    def __init__(self, figure: Group) -> None:
        self.query = ClinicalQuery(ask=figure, of=WEIGHT, patient=1)

    def plan(self, *_: object, **__: object) -> Plan:
        return Plan((QueryRecords(self.query),), 0.99)


def planned(figure: Group) -> Plan:
    scope = Scope(now="2025-03-01 12:00:00", patient=1)
    planner = ChartPlanner(Behind(figure), reads_words=True)  # type: ignore[arg-type]  # a plan is all it makes
    return planner.plan(QUESTION, "en", LINKED, scope)


def test_the_figures_alone_stay_alone() -> None:
    alone = Group(bucket="day", figure="max", show_group=False)
    plan = planned(alone)
    (action,) = plan.actions
    assert isinstance(action, QueryRecords)
    assert action.query.ask == alone
    assert plan.confidence == 0.99
