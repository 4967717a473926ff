"""Charts of many points and groups, and of text that would like to be more than text."""

import json
from xml.etree import ElementTree

import pytest
from outcomes import outcome, trend

from agent.charts.chart import draw
from agent.charts.drawing import Drawing
from agent.charts.mark import AskedChart
from agent.charts.render import png, rendered, svg
from agent.charts.thin import MOST_POINTS
from agent.query.execute import Outcome
from agent.query.model import Group, Rows, Top

HOSTILE = (
    "<script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    "${alert(1)} {{x}} `x`",
    "datum['x'] || 1",
    '"}],"url":"http://example.org/x.csv',
    "a" * 400,
)


def many_values(n: int) -> Outcome:
    return trend(
        [
            (f"2025-{1 + i % 12:02d}-{1 + i // 12 % 28:02d} {i // 336 % 24:02d}:{i // 8064:02d}:00", float(i))
            for i in range(n)
        ]
    )


def chart_of(result: Outcome, asked: AskedChart) -> Drawing:
    drawing = draw(result, asked, "en")
    assert drawing.chart is not None
    return drawing


@pytest.mark.parametrize("mark", ["line", "point"])
def test_of_ten_thousand_points_the_first_last_lowest_and_highest_stay(mark: AskedChart) -> None:
    result = many_values(10_000)
    drawing = chart_of(result, mark)
    assert drawing.chart is not None
    shown = [row["value"] for row in drawing.chart.spec["data"]["values"]]
    assert len(shown) <= MOST_POINTS
    assert (shown[0], shown[-1]) == (result.rows[0][1], result.rows[-1][1])
    assert {0.0, 9999.0} <= set(shown)
    assert any(f"{len(shown)} of 10000 points" in note for note in drawing.notes)


def test_a_histogram_counts_all_of_ten_thousand_values() -> None:
    drawing = chart_of(many_values(10_000), "histogram")
    assert drawing.chart is not None
    bins = drawing.chart.spec["data"]["values"]
    assert sum(row["count"] for row in bins) == 10_000
    assert len(bins) == 30
    assert drawing.chart.spec["encoding"]["x"]["bin"] == "binned"
    assert svg(drawing.chart.spec).startswith("<svg")


def test_a_box_of_ten_thousand_values_keeps_median_and_extremes() -> None:
    drawing = chart_of(many_values(10_000), "box")
    assert drawing.chart is not None
    shown = sorted(row["value"] for row in drawing.chart.spec["data"]["values"])
    assert len(shown) <= MOST_POINTS
    assert (shown[0], shown[-1]) == (0.0, 9999.0)
    assert shown[len(shown) // 2] == pytest.approx(5000, abs=10)


def test_a_result_that_was_cut_is_said_to_be() -> None:
    cut = outcome(
        Rows(fields=("age",)), ("age",), [(60,), (61,)], domain="patient", name=None, truncated=True
    )
    assert "Only the first 2 rows of the result are drawn." in draw(cut, "auto", "en").notes


def test_the_smallest_slices_of_a_pie_are_added_up() -> None:
    groups = [(f"insurer {n}", 20 - n) for n in range(12)]
    drawing = chart_of(
        outcome(Group(by="insurance", figure="patients"), ("insurance", "patients"), groups, name=None), "arc"
    )
    assert drawing.chart is not None
    rows = drawing.chart.spec["data"]["values"]
    assert len(rows) == 8
    assert rows[-1]["insurance"] == "other"
    assert sum(row["patients"] for row in rows) == sum(n for _, n in groups)
    assert "others are added up" in drawing.notes[0]


def test_of_a_hundred_groups_the_largest_are_drawn() -> None:
    groups = [(f"group {n}", 1 + n) for n in range(100)]
    drawing = chart_of(outcome(Top(n=100), ("name", "events"), groups, name=None), "bar")
    assert drawing.chart is not None
    assert {row["name"] for row in drawing.chart.spec["data"]["values"]} == {
        f"group {n}" for n in range(70, 100)
    }
    assert drawing.notes == ("Only the 30 largest groups are drawn.",)


def test_a_pie_of_negative_figures_is_not_drawn() -> None:
    sums = outcome(Group(by="type", figure="sum"), ("type", "sum"), [("a", -5.0), ("b", 7.0)], name=None)
    drawing = draw(sums, "arc", "en")
    assert drawing.chart is not None
    assert drawing.chart.mark == "bar"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_nothing_else(text: str) -> None:
    result = outcome(
        Top(n=2), ("name", "events"), [(text, 4), ("asthma", 2)], name=text, unit=text, patient=None
    )
    for asked in ("bar", "arc"):
        chart = draw(result, asked, "en").chart
        assert chart is not None
        assert [row["name"] for row in chart.spec["data"]["values"]] == [text, "asthma"]
        tree = ElementTree.fromstring(svg(chart.spec))
        tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert tags <= {"svg", "g", "path", "text", "rect", "defs", "clipPath", "line", "tspan", "title"}
        assert not any(name.startswith("on") or "href" in name for e in tree.iter() for name in e.attrib)
        page = rendered(chart.spec, "html").decode()
        assert "<script" not in page
        assert "<img" not in page


def test_control_characters_and_reversed_text_do_not_reach_the_picture() -> None:
    name = "glu\x00co\u202ese\x1b[31m\ud800"
    chart = draw(outcome(Top(n=1), ("name", "events"), [(name, 4)], name=name), "bar", "en").chart
    assert chart is not None
    assert chart.spec["data"]["values"][0]["name"] == "glucose[31m"
    assert ElementTree.fromstring(svg(chart.spec)) is not None
    json.dumps(chart.spec, ensure_ascii=False).encode("utf-8")


def test_pictures_come_in_all_forms_and_on_dark_ground() -> None:
    chart = draw(many_values(3), "auto", "zh").chart
    assert chart is not None
    assert png(chart.spec).startswith(b"\x89PNG")
    assert svg(chart.spec, "dark") != svg(chart.spec)
    assert json.loads(rendered(chart.spec, "json")) == chart.spec
    page = rendered(chart.spec, "html").decode()
    assert chart.summary in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        'xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
