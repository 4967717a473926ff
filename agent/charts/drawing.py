"""What drawing a result gives. Kept apart from the drawing itself, which takes altair a moment to load."""

from dataclasses import dataclass
from typing import Any

from agent.charts.mark import Mark


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        mark: what it is drawn with.
        summary: what it shows, in one sentence.
        spread: of single values: how many they are, the lowest and the highest; they are in the summary.
        spec: Vega-Lite, with its data inline; every point of it names the ``table`` and ``row_ids`` behind it.
    """

    mark: Mark
    summary: str
    spread: tuple[float, ...]
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What became of a request for a chart; ``notes`` say what was changed or why there is none."""

    chart: Chart | None
    notes: tuple[str, ...]
