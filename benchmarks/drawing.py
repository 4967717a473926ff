"""What a Vega-Lite specification draws: its mark, and its inline data as seen through its channels.

It reads the parts of Vega-Lite that say so (``data``, ``mark``, ``encoding``, ``layer``) and knows nothing of how
the specification was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SIMPLE_MARKS = {"line": "line", "arc": "arc", "point": "point", "circle": "point", "boxplot": "box"}
Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A mark and what it draws.

    Attributes:
        mark: ``line``, ``bar``, ``stacked_bar``, ``arc``, ``point``, ``histogram`` or ``box``.
        rows: across, series, figure; across and series are empty where nothing is drawn there.
    """

    mark: str
    rows: list[tuple[str, str, float]]


def read_drawing(spec: Spec) -> Drawing | None:
    """The main mark of a specification; ``None`` if it draws no data that can be read.

    Of several layers the line counts, else the first with data: points upon a line and rules of a reference
    range belong to the same chart.
    """
    drawings = [found for unit in _units(spec) if (found := _drawing(unit)) is not None]
    lines = [found for found in drawings if found.mark == "line"]
    return next(iter([*lines, *drawings]), None)


def _units(spec: Spec) -> Iterable[dict[str, Any]]:
    """The layers, each with the data and encoding that it inherits."""
    if "layer" not in spec:
        yield dict(spec)
        return
    for layer in spec["layer"]:
        data = layer.get("data", spec.get("data"))
        encoding = {**spec.get("encoding", {}), **layer.get("encoding", {})}
        yield from _units({**layer, "data": data, "encoding": encoding})


def _drawing(unit: Spec) -> Drawing | None:
    values = (unit.get("data") or {}).get("values")
    mark = unit.get("mark")
    kind = mark.get("type") if isinstance(mark, Mapping) else mark
    channels: Mapping[str, Any] = unit.get("encoding", {})
    if not isinstance(values, list) or not channels:
        return None
    if kind == "arc":
        return _read("arc", values, channels.get("color"), None, channels.get("theta"))
    x, y = channels.get("x", {}), channels.get("y", {})
    if kind == "bar" and (x.get("bin") or y.get("bin")):
        binned, counted = (x, y) if x.get("bin") else (y, x)
        return _histogram(values, binned, counted)
    upright = y.get("type") == "quantitative"
    across, figure = (x, y) if upright else (y, x)
    color = channels.get("color", {})
    series = color if color.get("field") not in (None, across.get("field")) else channels.get("detail")
    if kind == "bar":
        stacked = bool(series) and "xOffset" not in channels and "yOffset" not in channels
        return _read("stacked_bar" if stacked else "bar", values, across, series, figure)
    if kind in SIMPLE_MARKS:
        return _read(SIMPLE_MARKS[kind], values, across, None if kind == "boxplot" else series, figure)
    return None


def _histogram(values: list[Spec], binned: Spec, counted: Spec) -> Drawing | None:
    """Single values, or values with how often each stands; of counted bins the values are not to be had."""
    if binned["bin"] == "binned" or "field" not in binned:
        return Drawing("histogram", [])
    times = counted.get("field")
    rows = [
        ("", "", float(row[binned["field"]]))
        for row in values
        for _ in range(int(row[times]) if times is not None else 1)
    ]
    return Drawing("histogram", rows)


def _read(
    mark: str, values: list[Spec], across: Spec | None, series: Spec | None, figure: Spec | None
) -> Drawing | None:
    if not figure or "field" not in figure or figure.get("type") != "quantitative":
        return None
    rows = [
        (_text(row, across), _text(row, series), float(row[figure["field"]]))
        for row in values
        if row.get(figure["field"]) is not None
    ]
    return Drawing(mark, rows) if rows else None


def _text(row: Spec, channel: Spec | None) -> str:
    cell = row.get(channel["field"]) if channel and "field" in channel else None
    return "" if cell is None else str(cell)
