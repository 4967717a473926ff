"""Charts composed of every dimension, figure and filter that a question names, in whatever order it names them."""

import pytest

from agent.charts.mark import Mark
from agent.language import language_of
from agent.planning.chart_limits import limits
from agent.planning.chart_query import chart_query
from agent.planning.link import Candidate, Link, Linked, TimeLink
from agent.query.model import (
    ClinicalQuery,
    Concept,
    Condition,
    Encounter,
    Events,
    Group,
    Related,
    Rows,
    Top,
    Trend,
    Window,
)

WORDS = {
    "creatinine": ("lab", "name", "Creatinine"),
    "potassium": ("lab", "name", "Potassium"),
    "血钾": ("lab", "name", "Potassium"),
    "diabetes": ("diagnosis", "name", "Type 2 diabetes"),
    "糖尿病": ("diagnosis", "name", "Type 2 diabetes"),
    "heparin": ("drug", "name", "Heparin"),
    "warfarin": ("drug", "name", "Warfarin"),
    "e. coli": ("microbiology", "organism", "ESCHERICHIA COLI"),
    "emergency": ("admission", "admission_type", "EW EMER."),
    "急诊": ("admission", "admission_type", "EW EMER."),
}
DIABETES = Events(domain="diagnosis", concepts=(Concept(values=("Type 2 diabetes",), said="diabetes"),))


def composed(question: str, mark: Mark | None = "bar", patient: int | None = None) -> ClinicalQuery | None:
    low = question.lower()
    links = []
    for said, (domain, field, value) in WORDS.items():
        if said in low:
            start = low.index(said)
            candidate = Candidate(domain, field, value, 1.0, "exact", 9)  # type: ignore[arg-type]
            links.append(Link(start, start + len(said), question[start : start + len(said)], (candidate,)))
    times = ()
    if "2025" in question:
        window = Window(start="2025-01-01 00:00:00", end="2026-01-01 00:00:00")
        start = low.index("2025")
        times = (TimeLink(start, start + 4, "2025", window),)
    found = Linked(values=tuple(sorted(links, key=lambda link: link.start)), times=times)
    asked = chart_query(question, language_of(question), found, patient, mark)
    return asked.query if asked else None


@pytest.mark.parametrize(
    ("question", "ask"),
    [
        ("admissions by day of the week", Group(by="weekday", figure="admissions")),
        ("what time of day are patients admitted", Group(by="hour_of_day", figure="admissions")),
        ("discharges per weekday", Group(by="end_weekday", figure="admissions")),
        ("patients by age group", Group(by="age_band", figure="patients")),
        ("各年龄段患者人数", Group(by="age_band", figure="patients")),
        ("deaths by month", Group(bucket="month", figure="patients", on="end")),
        ("每月出院人次", Group(bucket="month", figure="admissions", on="end")),
        ("median length of stay by insurance", Group(by="insurance", figure="median", field="duration")),
        ("insurance: median length of stay", Group(by="insurance", figure="median", field="duration")),
        ("mean length of stay by month of admission", Group(bucket="month", figure="mean", field="duration")),
        ("patients by ward", Group(by="careunit", figure="patients")),
        ("ICU stays by unit", Group(by="careunit")),
        ("the eight commonest diagnoses", Top(n=8)),
        ("top ten drugs by number of patients", Top(n=10, by="patients")),
        ("最多的五种诊断", Top(n=5)),
        ("admissions by eye colour", None),
        ("admissions of twins by month", None),
    ],
)
def test_dimensions_and_figures_are_composed_in_any_order(question: str, ask: object) -> None:
    query = composed(question)
    assert (query.ask if query else None) == ask


@pytest.mark.parametrize(
    ("question", "met", "bucket"),
    [
        ("readmission rate by month", Condition(field="readmitted_after", op="<=", value=30), "month"),
        ("resistance rate of e. coli by year", Condition(field="interpretation", value="R"), "year"),
        ("share of women per month", Condition(field="gender", value="f"), "month"),
        ("各月急诊占比", Concept(field="admission_type", values=("EW EMER.",), said="急诊"), "month"),
    ],
)
def test_a_share_in_time_is_a_rate(question: str, met: Condition | Concept, bucket: str) -> None:
    query = composed(question, "line")
    assert query is not None and isinstance(query.ask, Group)
    assert (query.ask.figure, query.ask.met, query.ask.bucket) == ("rate", (met,), bucket)


def test_a_limit_is_of_the_age_the_stay_or_the_value() -> None:
    for question, condition in (
        ("admissions of patients over 65 by month", Condition(field="age", op=">", value=65)),
        ("65岁以上患者的性别构成", Condition(field="age", op=">=", value=65)),
        ("stays longer than 7 days by insurance", Condition(field="duration", op=">", value=7)),
        ("number of patients with potassium above 5.5 by month", Condition(field="value", op=">", value=5.5)),
        ("每月血钾大于5.5的患者人数", Condition(field="value", op=">", value=5.5)),
    ):
        query = composed(question)
        assert query is not None and condition in query.of.where, question
    assert composed("admissions of patients over 65 kg by month") is None


def test_limits_are_read_with_their_bounds() -> None:
    for text, op, value in (
        ("at least 3 days", ">=", 3),
        ("不超过10", "<=", 10),
        ("80岁及以上", ">=", 80),
        ("aged 70 or older", ">=", 70),
        ("未满18岁", "<", 18),
        ("elderly", ">=", 65),
    ):
        longest = max(limits(text), key=lambda limit: limit.end - limit.start)
        assert (longest.op, longest.value) == (op, value), text


def test_another_event_restricts_whose_figures_they_are() -> None:
    query = composed("mean creatinine by sex in patients with diabetes")
    assert query is not None
    assert query.ask == Group(by="gender", figure="mean")
    assert query.of.related == (Related(events=DIABETES),)
    query = composed("creatinine of patients without diabetes", "histogram")
    assert query is not None and query.of.related == (Related(events=DIABETES, negated=True),)
    stays = composed("length of stay of diabetes admissions by sex", "box")
    assert stays is not None and stays.of.related == (Related(events=DIABETES, relation="same_admission"),)


def test_men_against_women_is_by_sex_and_women_alone_a_restriction() -> None:
    for question in ("age at admission, men against women", "age at admission of women and men"):
        query = composed(question, "box")
        assert query is not None and query.ask == Rows(fields=("gender", "age"), distinct=False), question
        assert not query.of.where
    query = composed("ages of women", "histogram")
    assert query is not None and query.of.where == (Condition(field="gender", value="f"),)


def test_names_side_by_side_are_drawn_apart() -> None:
    query = composed("monthly heparin and warfarin orders", "line")
    assert query is not None and query.ask == Group(bucket="month", series="name")


def test_a_window_of_discharges_is_of_their_end_and_no_window_is_of_births() -> None:
    query = composed("discharges by month in 2025", "line")
    assert query is not None and query.of.window is not None and query.of.window.on == "end"
    query = composed("patients by sex in 2025")
    assert query is not None and query.of.domain == "admission"
    assert query.ask == Group(by="gender", figure="patients")


def test_a_stay_named_by_its_time_is_all_of_that_stay() -> None:
    query = composed("potassium of the 2025 admission", "line", patient=1)
    assert query is not None and query.ask == Trend() and query.of.window is None
    (related,) = query.of.related
    assert (related.relation, related.events.domain) == ("same_admission", "admission")


def test_in_the_icu_is_the_stay_there() -> None:
    query = composed("potassium while she was in the ICU", "line", patient=1)
    assert query is not None and query.of.encounter == Encounter(kind="icu_stay")


def test_over_time_narrows_nothing_and_the_mean_of_stays_is_no_mean_of_charges() -> None:
    query = composed("potassium over time", "line", patient=1)
    assert query is not None and query.ask == Trend()
    assert composed("mean cost per admission by insurance") is None
