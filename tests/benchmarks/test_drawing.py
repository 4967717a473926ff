"""What a Vega-Lite specification draws is read from its marks and channels, however it is put together."""

from typing import Any

import pytest

from benchmarks.drawing import read_drawing

TIMES: list[dict[str, Any]] = [
    {"time": "2026-02-28 05:00:00", "value": 1.5},
    {"time": "2026-03-01", "value": 2},
]
GROUPS: list[dict[str, Any]] = [{"by": "A", "n": 3, "sex": "f"}, {"by": "B", "n": 4, "sex": "m"}]
TIME = {"field": "time", "type": "temporal"}
VALUE = {"field": "value", "type": "quantitative"}
BY = {"field": "by", "type": "nominal"}
N = {"field": "n", "type": "quantitative"}
SEX = {"field": "sex", "type": "nominal"}


def spec(mark: object, values: list[dict[str, Any]], **encoding: object) -> dict[str, Any]:
    return {"mark": mark, "data": {"values": values}, "encoding": encoding}


def test_a_line_is_read_through_its_channels() -> None:
    drawing = read_drawing(spec({"type": "line", "point": True}, TIMES, x=TIME, y=VALUE))
    assert drawing is not None
    assert drawing.mark == "line"
    assert drawing.rows == [("2026-02-28 05:00:00", "", 1.5), ("2026-03-01", "", 2.0)]


@pytest.mark.parametrize("channels", [{"x": BY, "y": N}, {"x": N, "y": BY}], ids=["upright", "lying"])
def test_bars_may_stand_or_lie(channels: dict[str, object]) -> None:
    drawing = read_drawing(spec("bar", GROUPS, **channels))
    assert drawing is not None
    assert drawing.mark == "bar"
    assert drawing.rows == [("A", "", 3.0), ("B", "", 4.0)]


def test_bars_in_the_colours_of_their_own_groups_are_not_stacked() -> None:
    own, other = (read_drawing(spec("bar", GROUPS, x=BY, y=N, color=color)) for color in (BY, SEX))
    assert own is not None and own.mark == "bar"
    assert other is not None and other.mark == "stacked_bar"
    assert other.rows == [("A", "f", 3.0), ("B", "m", 4.0)]


def test_bars_beside_each_other_are_not_stacked() -> None:
    drawing = read_drawing(spec("bar", GROUPS, x=BY, y=N, color=SEX, xOffset=SEX))
    assert drawing is not None and drawing.mark == "bar"


def test_the_slices_of_a_pie_are_read() -> None:
    drawing = read_drawing(spec("arc", GROUPS, theta=N, color=BY))
    assert drawing is not None
    assert (drawing.mark, drawing.rows) == ("arc", [("A", "", 3.0), ("B", "", 4.0)])


def test_a_histogram_has_every_value_as_often_as_it_is_counted() -> None:
    binned = {**VALUE, "bin": {"maxbins": 20}}
    single = read_drawing(spec("bar", TIMES, x=binned, y={"aggregate": "count"}))
    assert single is not None
    assert (single.mark, single.rows) == ("histogram", [("", "", 1.5), ("", "", 2.0)])
    ages = [{"value": 60, "n": 2}, {"value": 61, "n": 1}]
    counted = read_drawing(spec("bar", ages, x=binned, y={**N, "aggregate": "sum"}))
    assert counted is not None
    assert counted.rows == [("", "", 60.0), ("", "", 60.0), ("", "", 61.0)]


def test_values_that_were_counted_into_bins_are_not_to_be_had() -> None:
    drawing = read_drawing(spec("bar", TIMES, x={**VALUE, "bin": "binned"}, y=N))
    assert drawing is not None
    assert (drawing.mark, drawing.rows) == ("histogram", [])


def test_a_box_has_its_group_and_its_colour_is_no_series() -> None:
    drawing = read_drawing(spec("boxplot", GROUPS, x=SEX, y=N, color=SEX))
    assert drawing is not None
    assert (drawing.mark, drawing.rows) == ("box", [("f", "", 3.0), ("m", "", 4.0)])


def test_of_layers_the_line_counts_and_inherits_data_and_channels() -> None:
    layered = {
        "data": {"values": TIMES},
        "encoding": {"x": TIME},
        "layer": [
            {"mark": "rule", "data": {"values": [{"limit": 5}]}, "encoding": {"y": {"field": "limit"}}},
            {"mark": "point", "encoding": {"y": VALUE}},
            {"mark": "line", "encoding": {"y": VALUE}},
        ],
    }
    drawing = read_drawing(layered)
    assert drawing is not None
    assert drawing.mark == "line" and len(drawing.rows) == 2


def test_nothing_is_read_where_nothing_is_drawn() -> None:
    assert read_drawing({"mark": "line", "data": {"url": "elsewhere.json"}, "encoding": {"x": TIME}}) is None
    assert read_drawing(spec("line", [{"time": "2026-03-01", "value": None}], x=TIME, y=VALUE)) is None


def test_events_without_a_figure_are_no_data() -> None:
    assert read_drawing(spec("point", [{"time": "2026-03-01", "by": "A"}], x=TIME, y=BY)) is None
