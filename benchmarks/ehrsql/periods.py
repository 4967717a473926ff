"""Predicates on a time column (``strftime('%Y-%m', t) = '2100-03'``) as one window of the typed query.

The published queries say a time in three ways: a prefix of the timestamp (year, month, day), a period relative
to "now" (``start of month``, ``-1 month``), and a part within such a period (the month of last year).
"""

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Literal

from sqlglot import exp

from agent.query.model import Bucket, Window
from benchmarks.ehrsql.sql import Unexpressed, text

FORMAT = "%Y-%m-%d %H:%M:%S"
BUCKETS: dict[str, Bucket] = {"%Y": "year", "%Y-%m": "month", "%Y-%m-%d": "day"}
LENGTHS = {"year": 4, "month": 7, "day": 10}
PARTS = ("%m", "%d", "%m-%d")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Moment:
    """A call of ``strftime`` or ``datetime``: what it is applied to, its format and its modifiers."""

    def __init__(self, of: exp.Expr, form: str | None, modifiers: tuple[str, ...]) -> None:
        self.of, self.form, self.modifiers = of, form, modifiers

    @property
    def column(self) -> exp.Column | None:
        """The time column, where it is not "now"."""
        return self.of if isinstance(self.of, exp.Column) else None

    @property
    def is_now(self) -> bool:
        """Whether it is applied to the current time."""
        return isinstance(self.of, exp.CurrentTime)


def moment(node: exp.Expr | None) -> Moment | None:
    """The call as a ``Moment``, ``None`` where it is none."""
    if isinstance(node, exp.TimeToStr):
        of = node.this.this if isinstance(node.this, exp.TsOrDsToTimestamp) else node.this
        return Moment(of, text(node.args.get("format")), ())
    if isinstance(node, exp.Anonymous) and node.name.lower() == "datetime" and node.expressions:
        of, *rest = node.expressions
        modifiers = tuple(text(part) or "" for part in rest)
        return Moment(of, None, modifiers)
    return None


def timed_column(test: exp.Expr) -> exp.Column | None:
    """The time column that a predicate compares with a literal or "now", ``None`` where it does not."""
    if isinstance(test, exp.EQ | exp.GTE) and (left := moment(test.this)) is not None:
        return left.column
    if isinstance(test, exp.EQ) and isinstance(test.this, exp.Column):
        return test.this if TIMESTAMP.fullmatch(text(test.expression) or "") else None
    return None


class Period:
    """Collects the predicates on one time column.

    Args:
        now: the current time of the data set.
    """

    def __init__(self, now: str) -> None:
        self._now = now
        self._prefix: str | None = None
        self._part: str | None = None
        self._since: str | None = None
        self._instant: str | None = None

    def add(self, test: exp.Expr) -> None:
        """Take in a predicate that ``timed_column`` has recognised."""
        before = [self._prefix, self._part, self._since, self._instant]
        since, left, right = isinstance(test, exp.GTE), moment(test.this), moment(test.expression)
        if left is None:
            self._instant = text(test.expression)
        elif right is None:
            self._literal(left, text(test.expression) or "", since)
        elif right.is_now:
            self._relative(left, right, since)
        else:
            raise Unexpressed("two times of one event are compared")
        after = [self._prefix, self._part, self._since, self._instant]
        if any(old is not None and old != new for old, new in zip(before, after, strict=True)):
            raise Unexpressed("two periods of one kind")

    def _literal(self, left: Moment, said: str, since: bool) -> None:
        if left.form in BUCKETS and since:
            self._since = _start(said)
        elif left.form in BUCKETS:
            self._prefix = said
        elif left.form in PARTS and not since:
            self._part = said
        else:
            raise Unexpressed("a time is compared in an unknown format")

    def _relative(self, left: Moment, right: Moment, since: bool) -> None:
        moved = self._moved(right.modifiers)
        if since and not left.modifiers:
            self._since = moved
            return
        unit = left.modifiers[0].removeprefix("start of ") if left.modifiers else ""
        if since or unit not in LENGTHS or right.modifiers[:1] != left.modifiers:
            raise Unexpressed("a time is compared with the current time in an unknown way")
        self._prefix = moved[: LENGTHS[unit]]

    def _moved(self, modifiers: tuple[str, ...]) -> str:
        marks = ", ?" * len(modifiers)
        with closing(sqlite3.connect(":memory:")) as engine:
            return engine.execute(f"SELECT DATETIME(?{marks})", (self._now, *modifiers)).fetchone()[0]

    def window(self, on: Literal["time", "end"] = "time") -> Window | None:
        """The window that the predicates describe together, ``None`` where there was none."""
        if self._instant is not None:
            end = datetime.strptime(self._instant, FORMAT) + timedelta(seconds=1)
            return Window(start=self._instant, end=end.strftime(FORMAT), on=on)
        if self._prefix is not None and self._since is not None:
            raise Unexpressed("a period and a beginning are given together")
        if self._prefix is not None:
            prefix = "-".join(part for part in (self._prefix, self._part) if part)
            return Window(start=_start(prefix), end=_end(prefix), on=on)
        if self._part is not None:
            raise Unexpressed("a month or day without a year")
        return None if self._since is None else Window(start=self._since, on=on)


def _start(prefix: str) -> str:
    """The first second of a year, month or day."""
    return prefix + "0000-01-01 00:00:00"[len(prefix) :]


def _end(prefix: str) -> str:
    """The first second after it."""
    first = datetime.strptime(_start(prefix), FORMAT)
    if len(prefix) == LENGTHS["day"]:
        after = first + timedelta(days=1)
    elif len(prefix) == LENGTHS["month"]:
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = first.replace(year=first.year + 1)
    return after.strftime(FORMAT)
