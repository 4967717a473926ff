"""From a frame and a mark to a Vega-Lite specification, through altair, which checks it against the schema.

Data is inline, text of the records is data and never an expression, a field name or an address.
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import altair as alt

from agent.answer import Cell, Language
from agent.charts.axis import bar_size, number_axis, time_axis, time_format
from agent.charts.fit import is_numeric
from agent.charts.frame import Column, Frame
from agent.charts.mark import Mark
from agent.charts.palette import DASHES, look
from agent.charts.thin import BINS, MOST_POINTS, bins
from agent.charts.words import word
from agent.query.derived import ORDERED, WEEKDAYS
from agent.query.phrases import value_word

_WIDTH, _HEIGHT, _STEP = 560, 300, 24
_TITLE_LIMIT = 560
_MOST_DOTS = 200  # a line with more points than this is drawn without a dot for each
Encoded = tuple[alt.Chart, dict[str, Any]]


def specification(frame: Frame, mark: Mark, language: Language, summary: str) -> dict[str, Any]:
    """The specification of a chart.

    Args:
        frame: prepared for the mark.
        mark: one that fits the frame.
        language: of titles.
        summary: one sentence that says what the chart shows, for readers who do not see it.
    """
    values = _values(frame, mark)
    chart, size = _MARKS[mark](frame, language)
    title = alt.TitleParams(_clean(frame.title), limit=_TITLE_LIMIT)
    if frame.subtitle:
        title = alt.TitleParams(_clean(frame.title), subtitle=_clean(frame.subtitle), limit=_TITLE_LIMIT)
    spec = chart.properties(title=title, description=_clean(summary), **size).to_dict()
    data: dict[str, Any] = {"values": values}
    channel = spec["encoding"].get("x", {})
    if channel.get("type") == "temporal" and frame.across is not None:
        data["format"] = {"type": "json", "parse": {frame.across.name: time_format(frame)}}
    return {**spec, "data": data, **look("light")}


def _values(frame: Frame, mark: Mark) -> list[dict[str, Any]]:
    """The points as the inline data of the chart, each with the keys of its rows."""
    numbers = frame.numbers()
    if _is_binned(frame, mark):
        name = frame.value.name if frame.value else ""
        return [{name: b.start, f"{name}_end": b.end, "count": b.count} for b in bins(numbers)]
    rows = []
    for point in frame.points:
        row: dict[str, Any] = {name: _cell(cell) for name, cell in point.cells.items()}
        if point.table is not None:
            row |= {"table": point.table, "row_ids": list(point.row_ids)}
        rows.append(row)
    return rows


def _is_binned(frame: Frame, mark: Mark) -> bool:
    return mark == "histogram" and frame.shape != "categories" and len(frame.points) > MOST_POINTS


def _cell(cell: Cell) -> Cell:
    return _clean(cell) if isinstance(cell, str) else cell


def _clean(text: str) -> str:
    """Without control characters and lone surrogates, which no picture format may hold."""
    return "".join(
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs") else " " * (char in "\n\t")
        for char in text
    )


# -- marks ---------------------------------------------------------------------------------------------


def _line(frame: Frame, language: Language) -> Encoded:
    across, value = _parts(frame)
    dots = len(frame.points) <= _MOST_DOTS
    chart = alt.Chart().mark_line(point=alt.OverlayMarkDef(size=36) if dots else False, tooltip=True)
    zero = frame.shape == "buckets" and frame.counted
    chart = chart.encode(
        x=time_axis(frame, across) if frame.is_timed else _places(frame, across),
        y=alt.Y(**number_axis(value, language, zero=zero, percent=frame.percent, figures=frame.numbers())),
        **_colour(frame, dashed=True),
    )
    return chart, _wide()


def _point(frame: Frame, language: Language) -> Encoded:
    across = frame.across
    assert across is not None
    mark = alt.Chart().mark_point(filled=True, size=42, opacity=0.8, tooltip=True)
    if frame.value is None:
        assert frame.series is not None
        groups = alt.Y(field=frame.series.name, type="nominal", title=frame.series.title, sort=None)
        chart = mark.encode(x=time_axis(frame, across), y=groups)
        return chart, {"width": _WIDTH, "height": {"step": _STEP}}
    if frame.shape == "pairs":
        first, second = (number_axis(column, language, zero=False) for column in (across, frame.value))
        return mark.encode(x=alt.X(**first), y=alt.Y(**second)), _wide()
    if frame.is_timed:
        figures = alt.Y(**number_axis(frame.value, language, zero=False, figures=frame.numbers()))
        return mark.encode(x=time_axis(frame, across), y=figures, **_colour(frame)), _wide()
    return mark.encode(**_across(frame, language, zero=frame.counted), **_colour(frame)), _tall()


def _bar(frame: Frame, language: Language) -> Encoded:
    across, value = _parts(frame)
    if not frame.is_timed:
        offset = {"yOffset": alt.YOffset(field=frame.series.name)} if frame.series else {}
        chart = alt.Chart().mark_bar(tooltip=True)
        return chart.encode(**_across(frame, language, zero=True), **offset, **_colour(frame)), _tall()
    figures = alt.Y(**number_axis(value, language, zero=True, percent=frame.percent))
    if (
        frame.series is not None and frame.bucket is not None
    ):  # side by side, which needs a place for each time
        axis = alt.X(field=across.name, type="ordinal", title=across.title)
        chart = alt.Chart().mark_bar(tooltip=True)
        return chart.encode(
            x=axis, y=figures, xOffset=alt.XOffset(field=frame.series.name), **_colour(frame)
        ), _wide()
    chart = alt.Chart().mark_bar(size=bar_size(frame, across), tooltip=True)
    return chart.encode(x=time_axis(frame, across), y=figures, **_colour(frame)), _wide()


def _stacked(frame: Frame, language: Language) -> Encoded:
    across, value = _parts(frame)
    if frame.is_timed:
        chart = alt.Chart().mark_bar(size=bar_size(frame, across), tooltip=True)
        figures = alt.Y(**number_axis(value, language, zero=True))
        return chart.encode(x=time_axis(frame, across), y=figures, **_colour(frame)), _wide()
    chart = alt.Chart().mark_bar(tooltip=True)
    return chart.encode(**_across(frame, language, zero=True), **_colour(frame)), _tall()


def _arc(frame: Frame, language: Language) -> Encoded:
    across, value = _parts(frame)
    chart = alt.Chart().mark_arc(tooltip=True)
    sectors = alt.Theta(field=value.name, type="quantitative", title=value.titled(language), stack=True)
    colour = alt.Color(field=across.name, type="nominal", title=across.title, sort=_ordered(frame, across))
    order = alt.Order(field=value.name, type="quantitative", sort="descending")
    return chart.encode(theta=sectors, color=colour, order=order), {"width": 280, "height": 280}


def _histogram(frame: Frame, language: Language) -> Encoded:
    value = frame.value
    assert value is not None
    mark = alt.Chart().mark_bar(tooltip=True, binSpacing=1)
    if frame.shape == "categories":  # counts by a number, such as age
        across, _ = _parts(frame)
        bars = alt.X(field=across.name, type="quantitative", title=across.title, bin=alt.Bin(maxbins=BINS))
        heights = alt.Y(field=value.name, type="quantitative", aggregate="sum", title=value.titled(language))
        return mark.encode(x=bars, y=heights), _wide()
    title, count = value.titled(language), word(language, "axis.count")
    if _is_binned(frame, "histogram"):
        bars = alt.X(field=value.name, type="quantitative", title=title, bin="binned")
        heights = alt.Y(field="count", type="quantitative", title=count)
        return mark.encode(x=bars, x2=alt.X2(field=f"{value.name}_end"), y=heights), _wide()
    bars = alt.X(field=value.name, type="quantitative", title=title, bin=alt.Bin(maxbins=BINS))
    return mark.encode(x=bars, y=alt.Y(aggregate="count", type="quantitative", title=count)), _wide()


def _box(frame: Frame, language: Language) -> Encoded:
    value = frame.value
    assert value is not None
    mark = alt.Chart().mark_boxplot(extent=1.5)
    scale = alt.Scale(zero=False)
    figures = alt.X(field=value.name, type="quantitative", title=value.titled(language), scale=scale)
    group = frame.across if frame.shape == "grouped" else frame.series
    if group is None:
        return mark.encode(x=figures), {"width": _WIDTH, "height": 3 * _STEP}
    groups = alt.Y(field=group.name, type="nominal", title=group.title)
    return mark.encode(x=figures, y=groups), _tall()


_MARKS: Mapping[Mark, Callable[[Frame, Language], Encoded]] = {
    "line": _line,
    "bar": _bar,
    "stacked_bar": _stacked,
    "arc": _arc,
    "point": _point,
    "histogram": _histogram,
    "box": _box,
}


# -- channels ------------------------------------------------------------------------------------------


def _parts(frame: Frame) -> tuple[Column, Column]:
    assert frame.across is not None and frame.value is not None
    return frame.across, frame.value


def _across(frame: Frame, language: Language, *, zero: bool) -> dict[str, Any]:
    """Groups from top to bottom, because their names are long, and figures from left to right."""
    across, value = _parts(frame)
    figures = number_axis(value, language, zero=zero, percent=frame.percent)
    if is_numeric(frame):
        return {"x": alt.X(field=across.name, type="ordinal", title=across.title), "y": alt.Y(**figures)}
    groups = alt.Y(field=across.name, type="nominal", title=across.title, sort=_ordered(frame, across))
    return {"y": groups, "x": alt.X(**figures)}


def _places(frame: Frame, across: Column) -> alt.X:
    """Groups from left to right that have an order of their own: ages, hours, days of the week."""
    return alt.X(field=across.name, type="ordinal", title=across.title, sort=_ordered(frame, across))


@cache
def _week() -> Mapping[str, int]:
    """The days of the week in both languages, from Monday."""
    days = (*WEEKDAYS[1:], WEEKDAYS[0])
    languages: tuple[Language, ...] = ("en", "zh")
    return {value_word("weekday", day, each): n for each in languages for n, day in enumerate(days)}


def _ordered(frame: Frame, column: Column) -> list[str] | None:
    """The groups from the largest to the smallest figure; single values keep the order of the result."""
    if frame.value is None or frame.shape != "categories":
        return None
    if column.name in ORDERED:
        texts = dict.fromkeys(str(_cell(point.cells[column.name])) for point in frame.points)
        return sorted(texts, key=lambda text: _week().get(text, 0))
    sums: dict[str, float] = {}
    for point in frame.points:
        text, figure = str(_cell(point.cells[column.name])), point.cells[frame.value.name]
        sums[text] = sums.get(text, 0.0) + float(figure or 0)
    return sorted(sums, key=lambda text: (-sums[text], text))


def _colour(frame: Frame, *, dashed: bool = False) -> dict[str, Any]:
    """The series by colour and, for lines, by dash, so that colour is never the only sign."""
    if frame.series is None or frame.value is None:
        return {}
    series = frame.series
    found: dict[str, Any] = {"color": alt.Color(field=series.name, type="nominal", title=series.title)}
    if dashed:
        dashes = alt.Scale(range=[list(dash) for dash in DASHES])
        found["strokeDash"] = alt.StrokeDash(
            field=series.name, type="nominal", title=series.title, scale=dashes
        )
    return found


def _wide() -> dict[str, Any]:
    return {"width": _WIDTH, "height": _HEIGHT}


def _tall() -> dict[str, Any]:
    return {"width": _WIDTH, "height": {"step": _STEP}}
