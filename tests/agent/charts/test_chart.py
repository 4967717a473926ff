"""What a chart draws: the right columns, titles, units and times, with the keys of the rows behind each point."""

from dataclasses import replace
from typing import Any

import pytest
from altair.vegalite import load_schema
from jsonschema import Draft7Validator
from outcomes import RISING, outcome, trend

from agent.charts.chart import draw
from agent.charts.drawing import Chart
from agent.charts.mark import AskedChart, Mark
from agent.charts.render import svg
from agent.query.execute import Outcome
from agent.query.model import (
    Balance,
    Concept,
    Condition,
    Count,
    Events,
    Group,
    Readmission,
    Related,
    Rows,
    Survival,
    Top,
    Window,
)

MONTHS = (("2025-01", 4), ("2025-02", 6), ("2025-05", 3))
BY_MONTH = outcome(
    Group(bucket="month", figure="admissions"), ("month", "admissions"), MONTHS,
    domain="admission", name=None, patient=None,
)  # fmt: skip
BY_MONTH_AND_SEX = outcome(
    Group(bucket="month", series="gender", figure="admissions"),
    ("month", "gender", "admissions"),
    [("2025-01", "f", 3), ("2025-01", "m", 1), ("2025-02", "f", 6)],
    domain="admission", name=None, patient=None,
)  # fmt: skip
BY_SEX = outcome(
    Group(by="gender", figure="patients", share=True), ("gender", "patients", "share"),
    [("f", 3, 0.75), ("m", 1, 0.25)], domain="patient", name=None, patient=None,
)  # fmt: skip
BY_TYPE_AND_SEX = outcome(
    Group(by="admission_type", series="gender", figure="admissions"),
    ("admission_type", "gender", "admissions"),
    [("urgent", "f", 3), ("elective", "f", 9), ("urgent", "m", 2)],
    domain="admission", name=None, patient=None,
)  # fmt: skip
TOP = outcome(
    Top(n=3), ("name", "events"), [("hypertension", 4), ("asthma", 9)],
    domain="diagnosis", name=None, patient=None,
)  # fmt: skip
AGES = outcome(
    Rows(fields=("age",), distinct=False), ("age",), [(n,) for n in (34, 65, 66, 67, 84, 85)],
    domain="patient", name=None, patient=None,
)  # fmt: skip
STAYS = outcome(
    Rows(fields=("admission_type", "duration"), distinct=False),
    ("admission_type", "duration"),
    [("urgent", 4.5), ("elective", 1.0), ("urgent", 7.0), ("elective", None)],
    domain="admission", name=None, patient=None,
)  # fmt: skip
ALL_SHAPES = {
    "trend": trend(RISING),
    "buckets": BY_MONTH,
    "split buckets": BY_MONTH_AND_SEX,
    "shares": BY_SEX,
    "split groups": BY_TYPE_AND_SEX,
    "top": TOP,
    "values": AGES,
    "grouped": STAYS,
    "pairs": outcome(
        Rows(fields=("age", "duration")), ("age", "duration"), [(60, 3.0), (70, 4.5)], domain="admission"
    ),
    "events": outcome(
        Rows(fields=("name", "time")), ("name", "time"), [("aspirin", "2025-01-01")], domain="drug", name=None
    ),
    "balance": outcome(Balance(per="day"), ("day", "balance"), [("2025-01-01", -300.5)], domain="input"),
    "readmission": outcome(
        Readmission(bucket="quarter"), ("quarter", "readmissions", "discharges"),
        [("2024-Q4", 0, 3), ("2025-Q1", 2, 5)], domain="admission", name=None, patient=None,
    ),
    "survival": outcome(
        Survival(days=30, by="name"), ("name", "survival"), [("sepsis", 0.5), ("stroke", 0.8)],
        domain="diagnosis", name=None, patient=None,
    ),
    "two items": outcome(
        Group(bucket="day", figure="mean"), ("day", "mean"), [("2025-01-01", 1.5), ("2025-01-02", 2)]
    ),
}  # fmt: skip
MARKS: tuple[Mark, ...] = ("line", "bar", "stacked_bar", "arc", "point", "histogram", "box")


def drawn(result: Outcome, asked: AskedChart = "auto", language: str = "en") -> Chart:
    chart = draw(result, asked, "zh" if language == "zh" else "en").chart
    assert chart is not None
    return chart


def encoding(result: Outcome, asked: AskedChart = "auto", language: str = "en") -> dict[str, Any]:
    return drawn(result, asked, language).spec["encoding"]


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    return Draft7Validator(load_schema())


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_whatever_is_asked_for_the_specification_is_valid(shape: str, schema: Draft7Validator) -> None:
    for asked in ("auto", *MARKS):
        for language in ("en", "zh"):
            spec = drawn(ALL_SHAPES[shape], asked, language).spec
            assert list(schema.iter_errors(spec)) == []
            assert "url" not in str(spec["data"])


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_every_shape_can_be_drawn_as_a_picture(shape: str) -> None:
    picture = svg(drawn(ALL_SHAPES[shape]).spec)
    assert picture.startswith("<svg")
    assert "NaN" not in picture
    assert "undefined" not in picture


@pytest.mark.parametrize(
    ("shape", "mark"),
    [
        ("trend", "line"),
        ("buckets", "line"),
        ("split buckets", "stacked_bar"),
        ("shares", "arc"),
        ("split groups", "stacked_bar"),
        ("top", "bar"),
        ("values", "histogram"),
        ("grouped", "box"),
        ("pairs", "point"),
        ("events", "point"),
        ("balance", "line"),
        ("survival", "bar"),
    ],
)
def test_without_a_mark_the_shape_of_the_result_decides(shape: str, mark: Mark) -> None:
    assert drawn(ALL_SHAPES[shape]).mark == mark


def test_a_trend_has_time_across_and_the_value_with_its_unit_up() -> None:
    found = encoding(trend(RISING))
    assert (found["x"]["field"], found["x"]["type"], found["x"]["title"]) == ("time", "temporal", "Time")
    assert (found["y"]["field"], found["y"]["type"]) == ("value", "quantitative")
    assert found["y"]["title"] == "Creatinine (mg/dL)"
    assert encoding(trend(RISING), language="zh")["y"]["title"] == "Creatinine（mg/dL）"


def test_times_are_drawn_as_recorded_wherever_the_reader_is() -> None:
    spec = drawn(trend(RISING)).spec
    assert spec["data"]["format"]["parse"] == {"time": "utc:'%Y-%m-%d %H:%M:%S'"}
    assert spec["encoding"]["x"]["scale"]["type"] == "utc"
    assert [row["time"] for row in spec["data"]["values"]] == [time for time, _ in RISING]


def test_a_date_without_a_time_is_the_beginning_of_its_day() -> None:
    spec = drawn(trend([("2025-01-01", 1), ("2025-01-02T08:30:00", 2)])).spec
    assert [row["time"] for row in spec["data"]["values"]] == ["2025-01-01 00:00:00", "2025-01-02 08:30:00"]


def test_every_point_names_the_rows_it_rests_on() -> None:
    values = drawn(trend(RISING)).spec["data"]["values"]
    assert [(row["table"], row["row_ids"]) for row in values] == [("labevents", [100 + i]) for i in range(3)]


def test_equal_rows_of_a_list_have_their_evidence_in_common() -> None:
    twice = outcome(Rows(fields=("age",), distinct=False), ("age",), [(60,), (60,)], domain="patient")
    shared = Outcome(**{f: getattr(twice, f) for f in Outcome.__slots__} | {"evidence": twice.evidence[1:]})
    assert [row["row_ids"] for row in drawn(shared).spec["data"]["values"]] == [[101], [101]]


def test_quarters_and_weeks_are_times_too() -> None:
    found = drawn(ALL_SHAPES["readmission"]).spec
    assert found["data"]["format"]["parse"] == {"quarter": "utc:'%Y-Q%q'"}
    assert ">2025-Q1<" in svg(found)


def test_bars_of_groups_go_from_the_largest_to_the_smallest() -> None:
    found = encoding(TOP)
    assert (found["y"]["field"], found["y"]["sort"]) == ("name", ["asthma", "hypertension"])
    assert (found["x"]["field"], found["x"]["title"]) == ("events", "Number of diagnoses")


def test_a_stack_is_told_apart_by_colour() -> None:
    found = encoding(BY_MONTH_AND_SEX)
    assert (found["x"]["field"], found["y"]["field"]) == ("month", "admissions")
    assert found["color"]["field"] == "gender"


def test_lines_differ_by_dash_as_well_as_by_colour() -> None:
    found = encoding(BY_MONTH_AND_SEX, "line")
    assert found["strokeDash"]["field"] == found["color"]["field"] == "gender"


def test_a_pie_has_the_figure_as_angle_and_the_group_as_colour() -> None:
    found = encoding(BY_SEX)
    assert (found["theta"]["field"], found["color"]["field"]) == ("patients", "gender")
    assert [row["gender"] for row in drawn(BY_SEX).spec["data"]["values"]] == ["female", "male"]
    assert [row["gender"] for row in drawn(BY_SEX, language="zh").spec["data"]["values"]] == ["女", "男"]


def test_a_histogram_counts_values_in_bins() -> None:
    found = encoding(AGES)
    assert (found["x"]["field"], found["x"]["bin"], found["y"]["aggregate"]) == (
        "age",
        {"maxbins": 30},
        "count",
    )


def test_a_histogram_of_counted_ages_adds_the_counts_up() -> None:
    counted = outcome(
        Group(by="age", figure="patients"), ("age", "patients"), [(60, 4), (70, 2)], name=None, patient=None
    )
    found = encoding(counted, "histogram")
    assert (found["x"]["field"], found["y"]["field"], found["y"]["aggregate"]) == ("age", "patients", "sum")


def test_a_histogram_of_a_trend_leaves_the_time_aside() -> None:
    spec = drawn(trend(RISING), "histogram").spec
    assert spec["title"]["text"] == "Distribution of Creatinine"
    assert spec["encoding"]["x"]["field"] == "value"


def test_boxes_stand_beside_each_other_by_group() -> None:
    found = encoding(STAYS)
    assert (found["y"]["field"], found["x"]["field"]) == ("admission_type", "duration")
    assert found["x"]["title"] == "Length of stay (days)"


def test_rates_are_shown_as_percent() -> None:
    found = encoding(ALL_SHAPES["survival"])
    assert found["x"]["axis"]["format"] == ".0%"


def test_the_title_says_what_of_whom() -> None:
    title = drawn(trend(RISING)).spec["title"]
    assert (title["text"], title["subtitle"]) == ("Creatinine over time", "Patient 1")
    assert drawn(BY_MONTH, language="zh").spec["title"]["text"] == "各月住院次数"


def test_a_chart_of_some_patients_says_so() -> None:
    women = BY_MONTH.query.of.model_copy(
        update={
            "where": (Condition(field="gender", value="f"), Condition(field="age", op=">", value=65)),
            "related": (Related(events=Events(domain="drug", concepts=(Concept(values=("aspirin",)),))),),
            "window": Window(start="2025-01-01 00:00:00", said="in 2025"),
        }
    )
    some = replace(BY_MONTH, query=BY_MONTH.query.model_copy(update={"of": women}))
    assert drawn(some).spec["title"]["subtitle"] == "gender: female · age > 65 · with aspirin · in 2025"
    assert (
        drawn(some, language="zh").spec["title"]["subtitle"] == "性别：女 · 年龄 > 65 · 有aspirin · in 2025"
    )


def test_who_does_not_see_it_reads_what_it_shows() -> None:
    chart = drawn(trend(RISING))
    assert chart.spec["description"] == chart.summary
    assert "3 points" in chart.summary
    assert "lowest 1.2 mg/dL, highest 2.8 mg/dL" in chart.summary


@pytest.mark.parametrize(
    ("shape", "asked", "instead"),
    [
        ("trend", "arc", "bar"),
        ("buckets", "stacked_bar", "bar"),
        ("buckets", "histogram", "bar"),
        ("top", "line", "bar"),
        ("values", "arc", "histogram"),
        ("grouped", "stacked_bar", "box"),
        ("survival", "arc", "bar"),
    ],
)
def test_a_mark_that_does_not_fit_is_replaced_which_is_said(shape: str, asked: Mark, instead: Mark) -> None:
    for language, word in (("en", "is drawn instead"), ("zh", "改画")):
        drawing = draw(ALL_SHAPES[shape], asked, "zh" if language == "zh" else "en")
        assert drawing.chart is not None
        assert drawing.chart.mark == instead
        assert any(word in note for note in drawing.notes)


def test_a_mark_that_fits_is_kept_without_a_word() -> None:
    drawing = draw(BY_MONTH, "bar", "en")
    assert drawing.chart is not None
    assert (drawing.chart.mark, drawing.notes) == ("bar", ())


def test_a_single_figure_is_no_chart() -> None:
    for language in ("en", "zh"):
        drawing = draw(outcome(Count(), ("count",), [(7,)]), "auto", "zh" if language == "zh" else "en")
        assert drawing.chart is None
        assert len(drawing.notes) == 1


def test_a_result_without_rows_is_no_chart() -> None:
    assert draw(trend([]), "line", "en").chart is None
    assert draw(outcome(Top(), ("name", "events"), []), "auto", "en").chart is None


def test_results_without_a_number_are_left_out_which_is_said() -> None:
    told = outcome(
        Rows(fields=("time", "value")), ("time", "value"),
        [("2025-01-01 08:00:00", "hemolyzed"), ("2025-01-02 08:00:00", "1.4"), ("2025-01-03 08:00:00", 1.5)],
    )  # fmt: skip
    drawing = draw(told, "line", "en")
    assert drawing.chart is not None
    assert [row["value"] for row in drawing.chart.spec["data"]["values"]] == [1.4, 1.5]
    assert any(note.startswith("1 result") for note in drawing.notes)


def test_one_point_is_drawn_as_a_dot() -> None:
    spec = drawn(trend(RISING[:1])).spec
    assert spec["mark"]["point"]
    assert "<path" in svg(spec)


def test_a_month_without_any_is_a_zero_of_a_line_and_a_gap_between_bars() -> None:
    drawing = draw(BY_MONTH, "line", "en")
    assert drawing.chart is not None
    rows = drawing.chart.spec["data"]["values"]
    assert [(row["month"], row["admissions"]) for row in rows] == [
        ("2025-01", 4), ("2025-02", 6), ("2025-03", 0), ("2025-04", 0), ("2025-05", 3),
    ]  # fmt: skip
    assert drawing.notes == ("Times without any are drawn as 0.",)
    assert len(drawn(BY_MONTH, "bar").spec["data"]["values"]) == 3


def test_a_mean_of_nothing_is_not_zero() -> None:
    means = outcome(
        Group(bucket="month", figure="mean"), ("month", "mean"), [("2025-01", 4.0), ("2025-03", 6.0)]
    )
    assert len(drawn(means, "line").spec["data"]["values"]) == 2


def test_one_value_again_and_again_is_not_rounded_on_its_axis() -> None:
    spec = drawn(trend([(time, 0.9) for time, _ in RISING])).spec
    assert spec["encoding"]["y"]["scale"]["domain"] == [0.45, 1.35]
    assert ">0.9<" in svg(spec)
