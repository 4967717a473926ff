"""Charts as they are planned: composed where every word is explained, else left to the planner behind."""

import pytest

from agent.language import language_of
from agent.planning.chart_words import find_chart
from agent.planning.charting import ChartPlanner, without_words
from agent.planning.link import Candidate, Link, Linked, PatientLink, TimeLink
from agent.planning.plan import Plan, QueryRecords, Refuse, SearchNotes, Turn
from agent.query.model import (
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Events,
    Group,
    Pick,
    Readmission,
    Rows,
    Top,
    Trend,
    Window,
)
from agent.scope import Scope

NOBODY = Scope(now="2025-03-01 12:00:00")
OPEN = Scope(now="2025-03-01 12:00:00", patient=1)
LATEST = ClinicalQuery(
    ask=Rows(fields=("time", "value", "unit")), of=Events(domain="lab", pick=Pick(which="last")), patient=1
)


class Behind:
    """A planner that always plans the same, and keeps the question it was given."""

    def __init__(self, *actions: QueryRecords | SearchNotes | Refuse) -> None:
        self.actions = actions or (Refuse("low_confidence", "?"),)
        self.question = ""

    def plan(self, question: str, *_: object) -> Plan:
        self.question = question
        return Plan(self.actions, 0.8)


def linked(question: str, **values: str) -> Linked:
    """A question in which the given words were linked to values of a domain."""
    links = []
    for said, domain in values.items():
        start = question.index(said)
        candidate = Candidate(domain, "name", said.title(), 1.0, "exact", 9)  # type: ignore[arg-type]
        links.append(Link(start, start + len(said), said, (candidate,)))
    return Linked(values=tuple(links))


def planned(
    question: str, scope: Scope = NOBODY, found: Linked | None = None, behind: Behind | None = None
) -> Plan:
    planner = ChartPlanner(behind or Behind())
    return planner.plan(question, language_of(question), found or linked(question), scope)


def query_of(plan: Plan) -> ClinicalQuery:
    assert isinstance(plan.actions[0], QueryRecords)
    return plan.actions[0].query


@pytest.mark.parametrize(
    ("question", "ask", "domain"),
    [
        ("plot monthly admissions", Group(bucket="month", figure="admissions"), "admission"),
        ("bar chart of admissions by month and sex",
         Group(bucket="month", series="gender", figure="admissions"), "admission"),
        ("按季度和性别统计住院人次，画堆叠柱状图",
         Group(bucket="quarter", series="gender", figure="admissions"), "admission"),
        ("pie chart of gender", Group(by="gender", figure="patients"), "patient"),
        ("性别构成饼图", Group(by="gender", figure="patients", share=True), "patient"),
        ("number of patients by insurance as a bar chart", Group(by="insurance", figure="patients"), "admission"),
        ("各科室ICU住院数的柱状图", Group(by="careunit"), "icu_stay"),
        ("top diagnoses as a bar chart", Top(n=10), "diagnosis"),
        ("most common organisms, bar chart", Top(n=10, field="organism"), "microbiology"),
        ("histogram of ages", Rows(fields=("age",), distinct=False), "patient"),
        ("年龄分布直方图", Rows(fields=("age",), distinct=False), "patient"),
        ("box plot of length of stay by admission type",
         Rows(fields=("admission_type", "duration"), distinct=False), "admission"),
        ("plot the average length of stay by month",
         Group(bucket="month", figure="mean", field="duration"), "admission"),
        ("scatter plot of age and length of stay", Rows(fields=("age", "duration"), distinct=False), "admission"),
        ("readmissions per quarter as a line chart", Readmission(bucket="quarter"), "admission"),
        ("plot costs by type", Group(by="type", figure="sum"), "cost"),
        ("prescriptions by route, chart", Group(by="route"), "drug"),
    ],
)  # fmt: skip
def test_what_its_words_explain_is_composed(question: str, ask: object, domain: str) -> None:
    query = query_of(planned(question))
    assert (query.ask, query.of.domain, query.patient) == (ask, domain, None)


def test_a_measured_value_of_the_open_patient_is_a_trend() -> None:
    question = "plot creatinine"
    query = query_of(planned(question, OPEN, linked(question, creatinine="lab")))
    assert query == ClinicalQuery(
        ask=Trend(),
        of=Events(domain="lab", concepts=(Concept(values=("Creatinine",), said="creatinine"),)),
        patient=1,
    )


def test_what_belongs_to_a_record_is_of_the_open_patient_and_who_people_are_is_of_all() -> None:
    for question, patient in (
        ("plot costs by type", 1),
        ("prescriptions by route as a bar chart", 1),
        ("prescriptions by gender as a bar chart", None),
        ("plot admissions by month", None),
        ("plot her admissions by year", 1),
    ):
        her = (PatientLink(5, 8, "her", 1, "scope"),) if "her" in question else ()
        assert query_of(planned(question, OPEN, Linked(patients=her))).patient == patient, question


def test_a_measured_value_of_many_is_a_distribution_or_a_mean_in_time() -> None:
    question = "histogram of glucose of all patients"
    query = query_of(planned(question, OPEN, linked(question, glucose="lab")))
    assert (query.ask, query.patient) == (Rows(fields=("value", "unit"), distinct=False), None)
    question = "plot glucose by month"
    assert query_of(planned(question, found=linked(question, glucose="lab"))).ask == Group(
        bucket="month", figure="mean"
    )


def test_two_items_are_drawn_together() -> None:
    question = "plot sodium and chloride"
    query = query_of(planned(question, OPEN, linked(question, sodium="lab", chloride="lab")))
    assert query.of.concepts[0].values == ("Sodium", "Chloride")


def test_a_window_is_kept_and_a_patient_who_is_open_is_not_taken_for_the_hospital() -> None:
    question = "plot admissions by month in 2024"
    window = Window(start="2024-01-01 00:00:00", end="2025-01-01 00:00:00")
    found = Linked(times=(TimeLink(25, 32, "in 2024", window),))
    plan = planned(question, OPEN, found)
    assert (query_of(plan).of.window, query_of(plan).patient) == (window, None)
    assert plan.assumptions == ("counts all patients that you may see",)


@pytest.mark.parametrize(
    "question",
    [
        "plot admissions of twins by month",
        "plot admissions of patients over 65 kg by month",
        "bar chart of admissions by eye colour",
        "plot admissions by month without transfers out",
        "按月画出双胞胎住院人次",
    ],
)
def test_what_is_not_explained_in_full_is_left_to_the_planner_behind(question: str) -> None:
    behind = Behind()
    plan = planned(question, behind=behind)
    assert isinstance(plan.actions[0], Refuse)
    assert behind.question


def test_a_group_that_the_planner_behind_dropped_is_refused_not_drawn() -> None:
    monthly = ClinicalQuery(ask=Group(bucket="month", figure="admissions"), of=Events(domain="admission"))
    plan = planned(
        "plot the admissions by month and insurance, worst first", behind=Behind(QueryRecords(monthly))
    )
    assert isinstance(plan.actions[0], Refuse)
    assert "insurance" in plan.actions[0].text


@pytest.mark.parametrize("question", ["plot births by month", "每月分娩人数柱状图"])
def test_words_that_a_query_of_everybody_does_not_honour_are_refused(question: str) -> None:
    monthly = ClinicalQuery(ask=Group(bucket="month", figure="admissions"), of=Events(domain="admission"))
    assert isinstance(planned(question, behind=Behind(QueryRecords(monthly))).actions[0], Refuse)


@pytest.mark.parametrize("question", ["plot admissions of women by month", "按月画出女性患者住院人次"])
def test_a_restriction_that_is_understood_is_kept(question: str) -> None:
    assert query_of(planned(question)).of.where == (Condition(field="gender", value="f"),)


def test_the_planner_behind_sees_no_chart_words_and_its_query_is_drawn() -> None:
    behind = Behind(QueryRecords(LATEST), SearchNotes("x", 1))
    plan = planned("please plot the worrying thing as a bar chart", OPEN, behind=behind)
    assert behind.question.split() == ["the", "worrying", "thing"]
    assert plan.actions == (QueryRecords(LATEST, chart="bar"),)


def test_notes_are_not_drawn() -> None:
    plan = planned("plot what the nurse said", OPEN, behind=Behind(SearchNotes("x", 1)))
    assert isinstance(plan.actions[0], Refuse)


def test_a_question_without_a_chart_goes_to_the_planner_as_it_is() -> None:
    behind = Behind(QueryRecords(LATEST))
    question = "is it noted in her chart?"
    assert planned(question, OPEN, behind=behind).actions == (QueryRecords(LATEST),)
    assert behind.question == question


def test_nothing_but_chart_words_draws_the_last_result_again() -> None:
    counted = QueryRecords(ClinicalQuery(ask=Count(), of=Events(domain="admission")), chart="auto")
    history = (Turn("how many", Plan((counted,), 0.9)),)
    for question, mark in (("as a pie chart", "arc"), ("换成柱状图", "bar")):
        plan = ChartPlanner(Behind()).plan(question, language_of(question), Linked(), NOBODY, history)
        assert plan.actions == (QueryRecords(counted.query, chart=mark),)


def test_a_patient_who_may_not_be_seen_is_not_drawn() -> None:
    scope = Scope(now="2025-03-01 12:00:00", patient=1, permitted=frozenset({2}))
    question = "plot creatinine"
    action = planned(question, scope, linked(question, creatinine="lab")).actions[0]
    assert isinstance(action, Refuse)
    assert action.reason == "no_permission"


def test_a_link_of_the_chart_words_is_none_of_what_is_drawn() -> None:
    question = "box plot of her glucose"
    found = linked(question, box="drug", glucose="lab")
    words = find_chart(question, "en")
    assert words is not None
    kept = without_words(
        Linked(values=found.values, patients=(PatientLink(12, 15, "her", 1, "scope"),)), words
    )
    assert [link.text for link in kept.values] == ["glucose"]
