"""Makes a frame fit to be drawn with its mark: smaller groups together, no gaps of counts, fewer points.

Whatever that changes is said in a note, in the language of the question.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from agent.answer import Language
from agent.charts.buckets import between
from agent.charts.fit import MOST_LINES, MOST_SLICES
from agent.charts.frame import Frame, Point
from agent.charts.mark import Mark
from agent.charts.thin import MOST_GROUPS, along, by_rank, largest
from agent.charts.words import word

_Step = Callable[[Frame, Mark, Language], tuple[Frame, str]]


def prepare(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, tuple[str, ...]]:
    """The frame as it is drawn, and what is to be said about that."""
    notes = []
    for step in _STEPS:
        frame, note = step(frame, mark, language)
        notes += [note] if note else []
    return frame, tuple(notes)


def _without_texts(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, str]:
    """Results such as "hemolyzed" are no points; they are counted."""
    return frame, word(language, "note.text_left_out", n=frame.left_out) if frame.left_out else ""


def _few_series(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, str]:
    if frame.series is None or frame.value is None or mark in ("histogram", "box", "point"):
        return frame, ""
    return _fewer(frame, frame.series.name, MOST_LINES, language, added=frame.counted)


def _few_groups(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, str]:
    if frame.shape != "categories" or frame.across is None or mark == "histogram":
        return frame, ""
    most = MOST_SLICES if mark == "arc" else MOST_GROUPS
    return _fewer(frame, frame.across.name, most, language, added=mark == "arc")


def _fewer(frame: Frame, column: str, most: int, language: Language, *, added: bool) -> tuple[Frame, str]:
    fewer = largest(frame, column, most, word(language, "other") if added else None)
    if fewer is frame:
        return frame, ""
    return fewer, word(language, f"note.{'merged' if added else 'largest'}", n=most - added)


def _with_zeros(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, str]:
    """A line would lead past a month without any; a bar is missing there anyway."""
    if mark != "line" or not frame.zeros or frame.bucket is None:
        return frame, ""
    filled = tuple(_filled(frame))
    if len(filled) <= len(frame.points):
        return frame, ""
    return replace(frame, points=filled), word(language, "note.zeros")


def _filled(frame: Frame) -> Iterator[Point]:
    assert frame.bucket is not None and frame.across is not None and frame.value is not None
    names = [frame.across.name, *([frame.series.name] if frame.series else [])]
    known = {tuple(point.cells[name] for name in names): point for point in frame.points}
    buckets = sorted(frame.texts(frame.across))
    for bucket in between(frame.bucket, buckets[0], buckets[-1]):
        for series in frame.texts(frame.series) if frame.series else [None]:
            key = (bucket,) if series is None else (bucket, series)
            empty = Point({**dict(zip(names, key, strict=True)), frame.value.name: 0})
            yield known.get(key, empty)


def _few_points(frame: Frame, mark: Mark, language: Language) -> tuple[Frame, str]:
    if mark == "histogram":  # its bars are counted from all values, however many they are
        return frame, ""
    ranked = mark == "box" or frame.shape == "grouped"
    thinned = by_rank(frame) if ranked else along(frame)
    if thinned is frame:
        return frame, ""
    key = f"note.{'ranked' if ranked else 'thinned'}"
    return thinned, word(language, key, drawn=len(thinned.points), all=len(frame.points))


_STEPS: tuple[_Step, ...] = (_without_texts, _few_series, _few_groups, _with_zeros, _few_points)
"""In the order in which they are done."""
