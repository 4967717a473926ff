"""Fewer points where there are more than a chart can show, by rules that keep what a reader looks for.

What is left out is said beside the chart; figures in sentences are always of all rows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.answer import Cell
from agent.charts.frame import KEYS_SHOWN, Frame, Point

MOST_POINTS = 2000
MOST_GROUPS = 30
BINS = 30


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from ``start`` up to ``end``, and how many they are."""

    start: float
    end: float
    count: int


def along(frame: Frame) -> Frame:
    """Of each series the first and last point and, stretch by stretch, the lowest and highest."""
    if len(frame.points) <= MOST_POINTS or frame.value is None:
        return frame
    series = _series(frame)
    share = MOST_POINTS / len(frame.points)
    kept: list[Point] = []
    for points in series.values():
        kept += _extremes(points, frame.value.name, max(2, int(len(points) * share)))
    return replace(frame, points=tuple(kept))


def by_rank(frame: Frame) -> Frame:
    """Of each group as many values as its share of the whole, evenly by rank, so that quartiles stay."""
    if len(frame.points) <= MOST_POINTS or frame.value is None:
        return frame
    name, share = frame.value.name, MOST_POINTS / len(frame.points)
    kept: list[Point] = []
    for points in _groups(frame).values():
        ranked = sorted(points, key=lambda point: _figure(point, name))
        wanted = min(len(ranked), max(5, int(len(ranked) * share)))
        step = (len(ranked) - 1) / max(1, wanted - 1)
        kept += [ranked[round(place * step)] for place in range(wanted)]
    return replace(frame, points=tuple(kept))


def bins(values: Sequence[float]) -> list[Bin]:
    """Bins of one width that hold all values; the last one includes its end."""
    low, high = min(values), max(values)
    width = (high - low) / BINS or 1.0
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / width))] += 1
    return [Bin(low + place * width, low + (place + 1) * width, n) for place, n in enumerate(counts)]


def largest(frame: Frame, column: str, most: int, other: str | None) -> Frame:
    """Only the ``most`` texts of a column with the largest sums; the rest is added up as ``other`` or left out."""
    assert frame.value is not None
    sums: defaultdict[Cell, float] = defaultdict(float)
    for point in frame.points:
        sums[point.cells[column]] += abs(_figure(point, frame.value.name))
    if len(sums) <= most:
        return frame
    named = set(sorted(sums, key=lambda text: -sums[text])[: most - (other is not None)])
    kept = [point for point in frame.points if point.cells[column] in named]
    rest = [point for point in frame.points if point.cells[column] not in named]
    return replace(frame, points=(*kept, *(_added(rest, frame, column, other) if other else ())))


def _added(rest: list[Point], frame: Frame, column: str, other: str) -> list[Point]:
    """The points of the smaller groups as one group; at each place of the axis where the column is the colour."""
    assert frame.value is not None and frame.across is not None
    places: defaultdict[Cell, list[Point]] = defaultdict(list)
    for point in rest:
        places[point.cells[frame.across.name] if column != frame.across.name else other].append(point)
    return [
        Point(
            {
                **points[0].cells,
                frame.across.name: place,
                column: other,
                frame.value.name: sum(_figure(point, frame.value.name) for point in points),
            },
            points[0].table,
            tuple(key for point in points for key in point.row_ids)[:KEYS_SHOWN],
        )
        for place, points in places.items()
    ]


def _series(frame: Frame) -> dict[Cell, list[Point]]:
    name = frame.series.name if frame.series else ""
    found: dict[Cell, list[Point]] = {}
    for point in frame.points:
        found.setdefault(point.cells.get(name), []).append(point)
    return found


def _groups(frame: Frame) -> dict[Cell, list[Point]]:
    name = frame.across.name if frame.shape == "grouped" and frame.across else ""
    found: dict[Cell, list[Point]] = {}
    for point in frame.points:
        found.setdefault(point.cells.get(name), []).append(point)
    return found


def _extremes(points: list[Point], name: str, most: int) -> list[Point]:
    stretches = max(1, (most - 2) // 2)
    size = len(points) / stretches
    chosen = {0, len(points) - 1}
    for place in range(stretches):
        inside = range(int(place * size), max(int(place * size) + 1, int((place + 1) * size)))
        chosen.add(min(inside, key=lambda i: _figure(points[i], name)))
        chosen.add(max(inside, key=lambda i: _figure(points[i], name)))
    return [points[place] for place in sorted(chosen)]


def _figure(point: Point, name: str) -> float:
    cell = point.cells.get(name)
    return float(cell) if isinstance(cell, int | float) else 0.0
