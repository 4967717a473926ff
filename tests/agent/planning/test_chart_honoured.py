"""A chart honours all that its question names, or it is not drawn."""

from collections.abc import Callable

import pytest

from agent.answer import Language
from agent.language import language_of
from agent.planning.chart_honoured import contradicted
from agent.planning.chart_words import find_chart
from agent.planning.charting import ChartPlanner
from agent.planning.link import Linked
from agent.planning.linker import Linker
from agent.planning.plan import Plan, QueryRecords, Refuse, Turn
from agent.query.model import ClinicalQuery, Concept, Condition, Count, Encounter, Events, Group, Rows, Trend
from agent.scope import Scope

OPEN = Scope(now="2025-03-01 12:00:00", patient=1)
MANY = Scope(now="2025-03-01 12:00:00")
CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),))


class Behind:
    """A planner that plans one query, whatever it is asked."""

    def __init__(self, query: ClinicalQuery | None = None) -> None:
        self.query = query

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        action = Refuse("low_confidence", "?") if self.query is None else QueryRecords(self.query)
        return Plan((action,), 0.9)


def planned(linker: Linker, question: str, scope: Scope, behind: ClinicalQuery | None = None) -> Plan:
    language = language_of(question)
    return ChartPlanner(Behind(behind)).plan(
        question, language, linker.link(question, language, scope), scope
    )


def query_of(plan: Plan) -> ClinicalQuery:
    (action,) = plan.actions
    assert isinstance(action, QueryRecords), action
    return action.query


def test_a_period_that_begins_in_the_chart_words_is_kept(linker: Linker) -> None:
    window = query_of(planned(linker, "creatinine curve for January 2025", OPEN)).of.window
    assert window is not None
    assert (window.start, window.end) == ("2025-01-01 00:00:00", "2025-02-01 00:00:00")


@pytest.mark.parametrize(
    "question", ["入院第一天的肌酐曲线", "plot creatinine on the first day of admission"]
)
def test_a_day_of_the_stay_is_a_restriction(linker: Linker, question: str) -> None:
    of = query_of(planned(linker, question, OPEN)).of
    assert of.encounter == Encounter(from_hours=0, to_hours=24)


@pytest.mark.parametrize(
    "question",
    [
        "plot her creatinine over the last 3 days, if any, roughly",  # a time
        "plot the creatinine values that exceeded 2, if any, roughly",  # a number
        "plot her creatinine on weekends, if any, roughly",
        "画一下她周末的肌酐大致情形",
    ],
)
def test_what_the_planner_behind_left_out_is_refused(linker: Linker, question: str) -> None:
    everything = ClinicalQuery(ask=Trend(), of=CREATININE, patient=1)
    assert isinstance(planned(linker, question, OPEN, everything).actions[0], Refuse)


def test_boxes_of_values_are_not_drawn_as_counts_of_patients(linker: Linker) -> None:
    counted = ClinicalQuery(ask=Group(by="race", figure="patients"), of=CREATININE)
    asked = planned(linker, "roughly the box plot of creatinine by race", MANY, counted)
    assert isinstance(asked.actions[0], Refuse)


@pytest.mark.parametrize(
    "question",
    ["boxplot of creatinine, men vs women", "box plot of creatinine, women and men", "男女肌酐的箱线图"],
)
def test_two_sexes_are_compared_and_not_asked_for_at_once(linker: Linker, question: str) -> None:
    query = query_of(planned(linker, question, MANY))
    assert query.ask == Rows(fields=("gender", "value", "unit"), distinct=False)
    assert query.of.where == ()


def test_a_query_that_nothing_can_fit_is_known() -> None:
    both = tuple(Condition(field="gender", value=value) for value in ("m", "f"))
    assert contradicted(ClinicalQuery(ask=Count(), of=Events(domain="lab", where=both)))
    assert not contradicted(ClinicalQuery(ask=Count(), of=Events(domain="lab", where=both[:1])))


@pytest.mark.parametrize(
    ("question", "mark"),
    [
        ("pain scores over the last 48 hours, plotted", None),
        ("What are the commonest allergies? bars please", "bar"),
        ("admissions by unit, columns", "bar"),
        ("what are our costs made up of? pie by type", "arc"),
        ("每季度ICU收治人次按病区堆积", "stacked_bar"),
    ],
)
def test_words_at_the_end_ask_for_a_chart(question: str, mark: str | None) -> None:
    words = find_chart(question, language_of(question))
    assert words is not None
    assert words.mark == mark


@pytest.mark.parametrize(
    "question", ["护理图表上最近一次疼痛评分是多少？", "where is it charted", "blood transfused, units"]
)
def test_a_record_that_is_called_a_chart_is_not_drawn(question: str) -> None:
    assert find_chart(question, language_of(question)) is None
