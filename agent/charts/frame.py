"""What of a result is drawn: which column is the time, the group and the number, what they are called, their unit.

A frame knows neither marks nor Vega-Lite; ``reader.py`` makes it of a result. Its points keep the keys of the
rows that they rest on.
"""

from dataclasses import dataclass
from typing import Literal

from agent.answer import Cell, Language
from agent.charts.words import word
from agent.query.model import Bucket

Shape = Literal["series", "buckets", "categories", "values", "grouped", "events", "pairs"]
KEYS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Point:
    """One row of the result, or several that were added up.

    Attributes:
        cells: by the names of the frame's columns.
        table, row_ids: the rows it rests on, at most ``KEYS_SHOWN`` of them.
    """

    cells: dict[str, Cell]
    table: str | None = None
    row_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the points, what it is called, and the unit of its numbers."""

    name: str
    title: str
    unit: str | None = None

    def titled(self, language: Language) -> str:
        """The title of its axis."""
        if self.unit is None:
            return self.title
        return word(language, "axis.unit", title=self.title, unit=self.unit)


@dataclass(frozen=True, slots=True)
class Frame:
    """A result, ready to be drawn.

    Attributes:
        shape: ``series``: values in time; ``buckets``, ``categories``: a figure for each bucket of time or group;
            ``values``, ``grouped``: single values, of all or by group; ``events``: what happened when;
            ``pairs``: two numbers of the same events.
        points: in the order of the result.
        value: the numbers; none for ``events``.
        across: the time, bucket, group or other number that they are drawn against; none for ``values``.
        series: what the points are told apart by, by colour.
        bucket: of ``buckets``.
        counted: figures are counts or sums, so that they can be stacked, added up, and are parts of a whole.
        zeros: a bucket without a figure is one of 0.
        shares: the shares of the groups were asked for.
        percent: figures are shares from 0 to 1.
        title, subtitle: of the chart.
        left_out: results without a number that are not among the points.
    """

    shape: Shape
    points: tuple[Point, ...]
    value: Column | None
    across: Column | None
    title: str
    subtitle: str = ""
    series: Column | None = None
    bucket: Bucket | None = None
    counted: bool = False
    zeros: bool = False
    shares: bool = False
    percent: bool = False
    left_out: int = 0

    @property
    def is_timed(self) -> bool:
        """Whether the points are drawn against time."""
        return self.shape in ("series", "buckets", "events")

    def numbers(self) -> list[float]:
        """The figures of all points."""
        name = self.value.name if self.value else ""
        return [float(n) for point in self.points if isinstance(n := point.cells.get(name), int | float)]

    def texts(self, column: Column) -> list[str]:
        """The different texts of a column, in the order of the points."""
        return list(dict.fromkeys(str(point.cells.get(column.name)) for point in self.points))
