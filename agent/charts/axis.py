"""The axes of time and of numbers of a chart, as altair channels. Times are drawn as recorded, in no time zone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import altair as alt

from agent.answer import Language
from agent.charts.buckets import pattern, start
from agent.charts.frame import Column, Frame

MOST_TICKS = 10
MOMENT = "%Y-%m-%d %H:%M:%S"
_PADDING = 12
_MOST_HOURS = 60
_HOURS = (1, 2, 3, 6, 12)
_DAYS = (1, 2, 7, 14, 28, 91, 182, 365, 730, 1826, 3652)


def time_format(frame: Frame) -> str:
    """How the frame's times are written, for the parser of Vega-Lite; ``utc`` keeps the hours as they are."""
    return f"utc:'{pattern(frame.bucket) if frame.bucket else MOMENT}'"


def time_axis(frame: Frame, column: Column) -> alt.X:
    """The channel of a time or of a bucket of time."""
    if frame.bucket is None:
        times = [datetime.strptime(text, MOMENT) for text in frame.texts(column)]
        ticks, written = _ticks(min(times), max(times))
        axis = alt.Axis(format=written, values=[_tick(time) for time in ticks], labelOverlap=True)
        scale = alt.Scale(type="utc", padding=_PADDING)
    else:
        buckets = sorted(frame.texts(column))
        times = [start(frame.bucket, text) for text in buckets]
        step = -(-len(times) // MOST_TICKS)
        axis = alt.Axis(
            format=pattern(frame.bucket),
            values=[_tick(time) for time in times[::step]],
            labelOverlap=True,
        )
        scale = alt.Scale(type="utc", padding=_PADDING + bar_size(frame, column) // 2)
    return alt.X(field=column.name, type="temporal", title=column.title, scale=scale, axis=axis)


def bar_size(frame: Frame, column: Column, width: int = 560) -> int:
    """The width of a bar in pixels, so that neighbours in time do not overlap."""
    texts = sorted(frame.texts(column))
    times = [start(frame.bucket, t) if frame.bucket else datetime.strptime(t, MOMENT) for t in texts]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times) if after > before]
    if not gaps:
        return 40
    places = (times[-1] - times[0]).total_seconds() / min(gaps) + 1
    return int(max(2, min(40, 0.75 * width / places)))


def number_axis(
    column: Column, language: Language, *, zero: bool, percent: bool = False, figures: Sequence[float] = ()
) -> dict[str, Any]:
    """The figures, for the channel ``x`` or ``y``.

    Args:
        column: of the figures.
        language: of the title.
        zero: the axis begins at 0.
        percent: figures are shares.
        figures: all of them; where they are one value, the axis reaches as far above it as below.
    """
    scale = alt.Scale(zero=zero, nice=True)
    if not zero and figures and min(figures) == max(figures):  # else its one tick is rounded to another value
        reach = abs(figures[0]) / 2 or 1.0
        scale = alt.Scale(domain=[figures[0] - reach, figures[0] + reach])
    return {
        "field": column.name,
        "type": "quantitative",
        "title": column.title if percent else column.titled(language),
        "scale": scale,
        "axis": alt.Axis(format=".0%") if percent else alt.Axis(),
    }


def _tick(time: datetime) -> alt.DateTime:
    return alt.DateTime(
        year=time.year, month=time.month, date=time.day, hours=time.hour, minutes=time.minute, utc=True
    )


def _ticks(first: datetime, last: datetime) -> tuple[list[datetime], str]:
    """The times to name on an axis, and how: hours of one or two days, else midnights."""
    hours = (last - first).total_seconds() / 3600
    if hours <= _MOST_HOURS:
        step = next((step for step in _HOURS if hours <= step * MOST_TICKS), _HOURS[-1])
        begin, written = first.replace(hour=first.hour // step * step, minute=0, second=0), "%m-%d %H:%M"
        span = timedelta(hours=step)
    else:
        days = next((days for days in _DAYS if hours / 24 <= days * MOST_TICKS), _DAYS[-1])
        begin, written = first.replace(hour=0, minute=0, second=0), "%Y-%m-%d"
        span = timedelta(days=days)
    ticks = [begin + n * span for n in range(2 * MOST_TICKS)]
    return [time for time in ticks if first <= time <= last] or [first], written
