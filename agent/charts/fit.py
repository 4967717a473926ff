"""Which marks a frame can be drawn with, and which one it is."""

from collections.abc import Mapping
from dataclasses import replace

from agent.answer import Language
from agent.charts.frame import Frame, Shape
from agent.charts.mark import AskedChart, Mark
from agent.charts.words import headed, word
from agent.query.derived import ORDERED

MOST_SLICES = 8
"""A pie with more slices cannot be read; the smallest are added up."""
MOST_LINES = 8
"""More series than this are a tangle, and more than the palette can tell apart."""
_FITS: Mapping[Shape, tuple[Mark, ...]] = {
    "series": ("line", "point", "bar", "histogram", "box"),
    "buckets": ("line", "bar", "point"),
    "categories": ("bar", "point"),
    "values": ("histogram", "box"),
    "grouped": ("box", "point", "histogram"),
    "events": ("point",),
    "pairs": ("point",),
}
_BARRED: frozenset[Mark] = frozenset({"stacked_bar", "arc", "histogram"})
"""Marks in whose place a bar comes closest to what was asked for."""


def marks_of(frame: Frame) -> tuple[Mark, ...]:
    """The marks that fit a frame, the best first."""
    fitting: list[Mark] = list(_FITS[frame.shape])
    if frame.shape == "series" and frame.series is not None and len(frame.texts(frame.series)) > MOST_LINES:
        fitting.remove("line")
    if frame.shape == "categories" and frame.across is not None and frame.across.name in ORDERED:
        fitting.append("line")
    if frame.shape not in ("buckets", "categories") or not frame.counted:
        return tuple(fitting)
    if frame.series is not None:
        return ("stacked_bar", *fitting)
    if frame.shape == "categories":
        if all(number >= 0 for number in frame.numbers()):
            few = len(frame.points) <= MOST_SLICES
            fitting.insert(0 if frame.shares and few else len(fitting), "arc")
        if is_numeric(frame):
            fitting.insert(0, "histogram")
    return tuple(fitting)


def fitted(frame: Frame, mark: Mark, language: Language) -> Frame:
    """The frame as its mark reads it: a histogram or box of values in time leaves the time aside."""
    if mark not in ("histogram", "box") or frame.shape != "series" or frame.value is None:
        return frame
    by = frame.series if mark == "box" else None
    key, slots = ("grouped", {"by": by.title.lower()}) if by else ("values", {})
    title = headed(word(language, f"title.{key}", value=frame.value.title, **slots))
    return replace(frame, shape="grouped" if by else "values", across=by, series=None, title=title)


def is_numeric(frame: Frame) -> bool:
    """Whether the groups of a frame are numbers, such as ages."""
    across = frame.across
    return across is not None and all(
        isinstance(point.cells.get(across.name), int | float) for point in frame.points
    )


def mark_of(frame: Frame, asked: AskedChart) -> tuple[Mark, bool]:
    """The mark to draw a frame with, and whether it replaces one that was asked for."""
    fitting = marks_of(frame)
    if asked == "auto":
        return fitting[0], False
    if asked in fitting:
        return asked, False
    return ("bar" if asked in _BARRED and "bar" in fitting else fitting[0]), True
