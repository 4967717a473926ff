"""Values over time: a curve through points of a course, with noise, rounded as the instrument reports."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

Points = Sequence[tuple[float, float, float]]


class Curve:
    """A curve whose points are drawn once from the ranges of the course.

    Args:
        points: (time fraction, low, high), in order of time.
        rng: source of chance.
    """

    def __init__(self, points: Points, rng: random.Random) -> None:
        # One draw of severity for the whole curve: a patient who is ill at its height stays the more ill.
        severity = rng.random()
        self._points = [
            (at, low + (high - low) * min(1.0, max(0.0, severity + rng.uniform(-0.15, 0.15))))
            for at, low, high in points
        ]

    def value(self, at: float) -> float:
        """The value at a time fraction, on straight lines between the points."""
        before = self._points[0]
        if at <= before[0]:
            return before[1]
        for after in self._points[1:]:
            if at <= after[0]:
                part = (at - before[0]) / (after[0] - before[0])
                return before[1] + (after[1] - before[1]) * part
            before = after
        return before[1]


class _HasRange(Protocol):
    @property
    def decimals(self) -> int: ...


def reported(value: float, item: _HasRange) -> tuple[float, str]:
    """The value as a number and as text, rounded as the item is reported."""
    text = f"{value:.{item.decimals}f}"
    return float(text), text


def rounds(start: datetime, end: datetime, hours: float, rng: random.Random) -> list[datetime]:
    """Times every ``hours`` between two moments, each a few minutes early or late."""
    times: list[datetime] = []
    time = start
    while time < end:
        times.append(time.replace(second=0, microsecond=0))
        time += timedelta(hours=hours, minutes=rng.randint(-9, 9))
    return times
