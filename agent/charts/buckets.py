"""The buckets of time that figures are grouped by, as the axis of a chart: how they are written, and the next one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.query.model import Bucket

MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class _Step:
    """How a bucket is written (``pattern`` for the axis) and when the next one begins."""

    pattern: str
    next: Callable[[datetime], datetime]


def _months(n: int) -> Callable[[datetime], datetime]:
    def later(time: datetime) -> datetime:
        months = time.year * 12 + time.month - 1 + n
        return time.replace(year=months // 12, month=months % 12 + 1)

    return later


def _plus(span: timedelta) -> Callable[[datetime], datetime]:
    return lambda time: time + span


_STEPS: Mapping[Bucket, _Step] = {
    "hour": _Step("%Y-%m-%d %H:00", _plus(timedelta(hours=1))),
    "day": _Step("%Y-%m-%d", _plus(timedelta(days=1))),
    "week": _Step("%Y-%m-%d", _plus(timedelta(days=7))),
    "month": _Step("%Y-%m", _months(1)),
    "quarter": _Step("%Y-Q%q", _months(3)),
    "year": _Step("%Y", _months(12)),
}


def pattern(bucket: Bucket) -> str:
    """The d3 time format of a bucket as the compiler of queries writes it (``2100-Q4``: ``%Y-Q%q``)."""
    return _STEPS[bucket].pattern


def start(bucket: Bucket, text: str) -> datetime:
    """When a bucket begins.

    Raises:
        ValueError: the text is no such bucket.
    """
    if bucket == "quarter":
        year, _, quarter = text.partition("-Q")
        return datetime(int(year), 3 * int(quarter) - 2, 1)
    return datetime.strptime(text, _STEPS[bucket].pattern)


def written(bucket: Bucket, time: datetime) -> str:
    """A bucket as the compiler of queries writes it."""
    if bucket == "quarter":
        return f"{time.year:04d}-Q{(time.month + 2) // 3}"
    return time.strftime(_STEPS[bucket].pattern)


def between(bucket: Bucket, first: str, last: str) -> list[str]:
    """All buckets from the first to the last; none where they are more than ``MOST_STEPS``."""
    time, end = start(bucket, first), start(bucket, last)
    found = []
    while time <= end:
        if len(found) >= MOST_STEPS:
            return []
        found.append(written(bucket, time))
        time = _STEPS[bucket].next(time)
    return found
