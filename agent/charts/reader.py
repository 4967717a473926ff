"""Makes the frame of a chart from a result: one reading for each thing that a query can ask.

What is drawn follows from the typed query and its columns; no text of a record decides anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from agent.answer import Cell, Language
from agent.charts.frame import KEYS_SHOWN, Column, Frame, Point, Shape
from agent.charts.restriction import conditions, restrictions
from agent.charts.words import field_word, headed, word
from agent.query.domains import shared_fields
from agent.query.execute import Outcome
from agent.query.model import (
    Balance,
    Bucket,
    Change,
    Group,
    Readmission,
    Rows,
    Survival,
    Top,
    Trend,
)
from agent.query.phrases import label, phrases, subject, value_word

_TIMES = frozenset({"time", "end", "admittime", "dischtime", "deathtime", "dob", "dod"})
_KEYS = frozenset({"subject_id", "hadm_id", "stay_id", "event_id", "code", "mrn", "n"})
_COUNTS = frozenset({"events", "patients", "admissions", "cultures"})
_DAYS = frozenset({"duration"})


def frame_of(outcome: Outcome, language: Language) -> Frame | None:
    """What can be drawn of a result; ``None`` for a single figure, or where there is neither number nor time."""
    builder = _BUILDERS.get(type(outcome.query.ask))
    frame = builder(_Reader(outcome, language)) if builder else None
    if frame is None or not frame.points:
        return None
    return replace(frame, title=headed(frame.title))


class _Reader:
    """Reads one outcome in one language."""

    def __init__(self, outcome: Outcome, language: Language) -> None:
        self.outcome = outcome
        self.language: Language = language
        self.of = outcome.query.of
        self.places = {name: place for place, name in enumerate(outcome.columns)}
        self.last = {row: index for index, row in enumerate(outcome.rows)}

    # -- parts -----------------------------------------------------------------------------------------

    def point(self, index: int, cells: dict[str, Cell]) -> Point:
        same = self.last[self.outcome.rows[index]]  # equal rows of a list have their evidence in common
        behind = [self.outcome.evidence[i] for i in self.outcome.behind(same)]
        behind = [piece for piece in behind if piece.result_row == same]
        if not behind:
            return Point(cells)
        keys = tuple(key for piece in behind for key in piece.row_ids if piece.table == behind[0].table)
        return Point(cells, behind[0].table, keys[:KEYS_SHOWN])

    def unit(self) -> str | None:
        """The one unit of the rows behind the result, or ``None`` where there are none or several."""
        if "unit" in self.places:
            found = {row[self.places["unit"]] for row in self.outcome.rows}
        else:
            found = {piece.values.get("unit") for piece in self.outcome.evidence}
        units = {str(unit).strip() for unit in found if unit}
        return units.pop() if len({unit.casefold() for unit in units}) == 1 else None

    def about(self) -> str:
        """What the values are of."""
        recorded = {piece.values.get("name") for piece in self.outcome.evidence}
        return subject(self.of, self.language, recorded.pop() if len(recorded) == 1 else None)

    def subtitle(self, *, named: bool) -> str:
        """Whose values they are, what is left out, and of which concepts where the title does not say."""
        whose = [c for c in self.of.concepts if c.field in shared_fields()]
        parts = [self.about()] if named and len(whose) < len(self.of.concepts) else []
        parts += [concept.said or ", ".join(concept.values) for concept in whose]
        if self.outcome.query.patient is not None:
            parts.append(word(self.language, "patient", patient=self.outcome.query.patient))
        parts += restrictions(self.of, self.language)
        return " · ".join(parts)

    def column(self, name: str, unit: str | None = None) -> Column:
        return Column(name, headed(field_word(self.language, name)), unit)

    def time(self, name: str = "time") -> Column:
        title = word(self.language, "axis.time") if name == "time" else field_word(self.language, name)
        return Column(name, headed(title))

    def shown(self, name: str, cell: Cell) -> Cell:
        """A coded text in words; numbers stay."""
        return value_word(name, cell, self.language) if isinstance(cell, str) else cell

    def title(self, shape: Shape, value: str, by: str = "", series: str = "") -> str:
        if series:
            by = word(self.language, "title.split", by=by, series=series)
        return word(self.language, f"title.{shape}", value=value, by=by)

    def records(self) -> list[dict[str, Cell]]:
        return [dict(zip(self.outcome.columns, row, strict=True)) for row in self.outcome.rows]

    # -- values ----------------------------------------------------------------------------------------

    def trend(self) -> Frame | None:
        records, series = self.records(), None
        names = {record.get("name") for record in records}
        units = {str(record.get("unit") or "").casefold() for record in records}
        if "subject_id" in self.places and len({r["subject_id"] for r in records}) > 1:
            series = self.column("subject_id")
        if len(names) > 1:
            series = self.column("name")
        elif len(units) > 1 and series is None:
            series = self.column("unit")
        if len(names) > 1 and len(units) > 1:
            for record in records:
                unit = record.get("unit")
                record["name"] = f"{record['name']} ({unit})" if unit else record["name"]
        return self._values(records, "value", "time", series, self.about())

    def rows(self) -> Frame | None:
        """The lines of a list: a number against time or group, else what happened when."""
        records = self.records()
        numbers = [name for name in self.outcome.columns if _is_number(name, records)]
        times = [name for name in self.outcome.columns if name in _TIMES]
        groups = [
            name
            for name in self.outcome.columns
            if name not in (*numbers, *times, "unit") and any(r[name] is not None for r in records)
        ]
        groups.sort(key=lambda name: name in _KEYS)
        told = [name for name in groups if len({r[name] for r in records}) > 1]
        if len(numbers) > 1 and not times and "value" not in numbers:
            return self._pairs(records, numbers[0], numbers[1])
        if numbers:
            value = "value" if "value" in numbers else numbers[0]
            by = next((self.column(name) for name in told if name not in _KEYS), None)
            about = self.about() if value == "value" else field_word(self.language, value)
            return self._values(records, value, times[0] if times else None, by, about)
        if times and groups:
            return self._events(records, times[0], groups[0])
        return None

    def _pairs(self, records: list[dict[str, Cell]], first: str, second: str) -> Frame:
        points = []
        for index, record in enumerate(records):
            cells: dict[str, Cell] = {name: _number(record[name]) for name in (first, second)}
            if None not in cells.values():
                points.append(self.point(index, cells))
        across, value = (self.column(name, _days(name, self.language)) for name in (first, second))
        return Frame(
            shape="pairs",
            points=tuple(points),
            value=value,
            across=across,
            title=self.title("pairs", value.title, across.title.lower()),
            subtitle=self.subtitle(named=True),
        )

    def _values(
        self,
        records: list[dict[str, Cell]],
        value: str,
        time: str | None,
        by: Column | None,
        about: str,
    ) -> Frame:
        points = []
        for index, record in enumerate(records):
            number, moment = _number(record[value]), _moment(record[time]) if time else ""
            if number is None or moment is None:
                continue
            cells: dict[str, Cell] = {time: moment, value: number} if time else {value: number}
            if by is not None:
                cells[by.name] = self.shown(by.name, str(record[by.name]))
            points.append(self.point(index, cells))
        unit = self.unit() if value == "value" else _days(value, self.language)
        shape: Shape = "series" if time else "grouped" if by else "values"
        return Frame(
            shape=shape,
            points=tuple(points),
            value=Column(value, headed(about), unit),
            across=self.time(time) if time else by,
            series=by if time else None,
            title=self.title(shape, about, by.title.lower() if by else ""),
            subtitle=self.subtitle(named=value != "value"),
            left_out=sum(record[value] is not None for record in records) - len(points),
        )

    def change(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Change)
        if "subject_id" not in self.places or ask.as_comparison is not None or ask.at_least is not None:
            return None
        about = word(self.language, "figure.change", subject=self.about())
        frame = self._values(self.records(), "change", None, None, about)
        return replace(frame, value=Column("change", headed(about), self.unit()))

    def _events(self, records: list[dict[str, Cell]], time: str, group: str) -> Frame:
        points = [
            self.point(index, {time: moment, group: self.shown(group, str(record[group]))})
            for index, record in enumerate(records)
            if (moment := _moment(record[time])) is not None and record[group] is not None
        ]
        what = label(self.of, self.language, 2)
        return Frame(
            shape="events",
            points=tuple(points),
            value=None,
            across=self.time(time),
            series=self.column(group),
            title=self.title("events", "", what),
            subtitle=self.subtitle(named=True),
        )

    # -- figures ---------------------------------------------------------------------------------------

    def _counted(self, figure: str) -> str:
        return word(self.language, f"figure.{figure}", label=label(self.of, self.language, 2))

    def _figures(
        self,
        points: Sequence[Point],
        value: str,
        about: str,
        across: Column,
        *,
        counted: bool,
        bucket: Bucket | None = None,
        series: Column | None = None,
        unit: str | None = None,
        zeros: bool = False,
        shares: bool = False,
        percent: bool = False,
    ) -> Frame:
        shape: Shape = "buckets" if bucket else "categories"
        split = series.title.lower() if series else ""
        return Frame(
            shape=shape,
            points=tuple(points),
            value=Column(value, headed(about), word(self.language, "axis.percent") if percent else unit),
            across=across,
            series=series,
            bucket=bucket,
            counted=counted,
            zeros=zeros,
            shares=shares,
            percent=percent,
            title=self.title(shape, about, across.title.lower(), split),
            subtitle=self.subtitle(named=counted),
        )

    def _read(self, *names: str) -> list[Point]:
        """The named cells of every row that has a figure, which is the last of them."""
        return [
            self.point(index, {name: self.shown(name, record[name]) for name in names})
            for index, record in enumerate(self.records())
            if isinstance(record[names[-1]], int | float) and record[names[0]] is not None
        ]

    def bucket(self, bucket: Bucket) -> Column:
        return Column(bucket, headed(word(self.language, f"bucket.{bucket}")))

    def group(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Group)
        key = ask.bucket or ask.by
        if key is None or key not in self.places:
            return None
        counted, rate = ask.figure in _COUNTS, ask.figure == "rate"
        measured = self.about() if ask.field == "value" else field_word(self.language, ask.field)
        if rate:
            met = ", ".join(conditions(ask.met, self.language))
            about = word(self.language, "figure.rate", label=label(self.of, self.language, 2), met=met)
        elif counted:
            about = self._counted(ask.figure)
        else:
            about = word(self.language, f"figure.{ask.figure}", subject=measured)
        shares = ("share",) if ask.share else ()
        parts = (ask.series,) if ask.series else ()
        unit = None
        if not (counted or rate):
            unit = self.unit() if ask.field == "value" else _days(ask.field, self.language)
        return self._figures(
            self._read(key, *parts, *shares, ask.figure),
            ask.figure,
            about,
            self.bucket(ask.bucket) if ask.bucket else self.column(key),
            counted=counted or ask.figure == "sum",
            bucket=ask.bucket,
            series=self.column(ask.series) if ask.series else None,
            unit=unit,
            zeros=counted,
            shares=ask.share,
            percent=rate,
        )

    def top(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Top)
        if ask.by not in self.places:
            return None
        about = self._counted(ask.by) if ask.by != "cost" else word(self.language, "figure.cost")
        return self._figures(
            self._read(ask.field, ask.by), ask.by, about, self.column(ask.field), counted=True
        )

    def readmission(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Readmission)
        if ask.bucket is None:
            return None
        about = word(self.language, "figure.readmissions", days=ask.days)
        points = self._read(ask.bucket, "readmissions")
        return self._figures(
            points,
            "readmissions",
            about,
            self.bucket(ask.bucket),
            counted=True,
            bucket=ask.bucket,
            zeros=True,
        )

    def balance(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Balance)
        if ask.per is None:
            return None
        about, points = word(self.language, "figure.balance"), self._read(ask.per, "balance")
        return self._figures(
            points, "balance", about, self.bucket(ask.per), counted=False, bucket=ask.per, unit="mL"
        )

    def survival(self) -> Frame | None:
        ask = self.outcome.query.ask
        assert isinstance(ask, Survival)
        if ask.by is None or "survival" not in self.places:
            return None
        about, points = (
            word(self.language, "figure.survival", days=ask.days),
            self._read(ask.by, "survival"),
        )
        return self._figures(points, "survival", about, self.column(ask.by), counted=False, percent=True)


def _number(cell: Cell) -> float | int | None:
    """A cell as a number; a dose is text in the records, so text that is a number counts."""
    if not isinstance(cell, str):
        return cell
    try:
        return float(cell)
    except ValueError:
        return None


def _moment(cell: Cell) -> str | None:
    """A time in full (a date is the beginning of its day), as the records have it, in no time zone."""
    try:
        return datetime.fromisoformat(str(cell)).replace(tzinfo=None).isoformat(" ", "seconds")
    except ValueError:
        return None


def _is_number(name: str, records: list[dict[str, Cell]]) -> bool:
    """Whether a column holds numbers to draw: not keys, and mostly numbers."""
    if name in _KEYS or name in _TIMES:
        return False
    held = [record[name] for record in records if record[name] is not None]
    return bool(held) and 2 * sum(_number(cell) is not None for cell in held) > len(held)


def _days(field: str, language: Language) -> str | None:
    """The unit of a field that is a span of time."""
    return phrases(language)["unit"]["days"] if field in _DAYS else None


_BUILDERS: dict[type, Callable[[_Reader], Frame | None]] = {
    Trend: _Reader.trend,
    Rows: _Reader.rows,
    Change: _Reader.change,
    Group: _Reader.group,
    Top: _Reader.top,
    Readmission: _Reader.readmission,
    Balance: _Reader.balance,
    Survival: _Reader.survival,
}
