"""Sentences from a result, without a model: what is said, which evidence it rests on, how it was computed.

A sentence carries no citation marks; the composer numbers the evidence. A number in a sentence is a cell of
its evidence or the result of one of its operations, so that a verifier can compute it again. Numbers that
belong to the question (a rank, a span of days) come as the operation ``asked``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.answer import Cell, Language
from agent.query.execute import EvidenceRows, Outcome
from agent.query.model import (
    Balance,
    Change,
    Count,
    Elapsed,
    Exists,
    Group,
    Percentile,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)
from agent.query.numerals import decimals_of, moment, number
from agent.query.phrases import label, phrase, phrases, pick_word, subject

SENTENCES_CAP = 15
OperationName = Literal[
    "count",
    "min",
    "max",
    "mean",
    "median",
    "sum",
    "difference",
    "percent",
    "share",
    "duration",
    "percentile",
    "asked",
]
_TIMES = frozenset({"time", "end", "end_time", "admittime", "dischtime", "deathtime", "dob", "dod"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A number that is computed.

    Attributes:
        name: how.
        inputs: indices into ``Outcome.evidence``; a difference is the last less the first.
        result: as exact as it was computed; the sentence shows it rounded.
    """

    name: OperationName
    inputs: tuple[int, ...]
    result: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, the indices of its evidence, and the operations behind its numbers."""

    text: str
    evidence: tuple[int, ...]
    operations: tuple[Operation, ...] = ()


def realise(outcome: Outcome, language: Language) -> tuple[Sentence, ...] | None:
    """Say a result; ``None`` where no row stands behind it (except a count, which may be none)."""
    if outcome.empty and not isinstance(outcome.query.ask, Count):
        return None
    return tuple(_SPEAKERS[type(outcome.query.ask)](_Speaker(outcome, language))) or None


class _Speaker:
    """Says one outcome in one language."""

    def __init__(self, outcome: Outcome, language: Language) -> None:
        self.outcome = outcome
        self.language: Language = language
        self.of, self.evidence = outcome.query.of, outcome.evidence

    def say(self, key: str, /, **slots: object) -> str:
        """A sentence; its first word gets a capital unless it may be a code or an abbreviation."""
        text = phrase(self.language, key, **slots)
        word = text.split(" ", 1)[0].rstrip(":,.")
        return text[0].upper() + text[1:] if len(word) > 3 and word.isalpha() and word.islower() else text

    def subject(self, evidence: EvidenceRows | None = None) -> str:
        return subject(self.of, self.language, evidence.values.get("name") if evidence else None)

    def role(self, role: str) -> list[int]:
        return [i for i, e in enumerate(self.evidence) if e.role == role]

    def listed(self, sentences: list[Sentence], rest: int) -> list[Sentence]:
        """At most ``SENTENCES_CAP`` of them, and how many more there are."""
        if rest > 0:
            last = tuple(range(len(self.evidence)))[SENTENCES_CAP : SENTENCES_CAP + 1]
            more = Operation("count", last, rest)
            sentences.append(Sentence(phrase(self.language, "row.more", n=rest), last, (more,)))
        return sentences

    # -- rows ------------------------------------------------------------------------------------------

    def rows(self) -> list[Sentence]:
        rows = self.outcome.rows
        sentences = [self._row(index) for index in range(min(len(rows), SENTENCES_CAP))]
        return self.listed([s for s in sentences if s is not None], len(rows) - SENTENCES_CAP)

    def _row(self, index: int) -> Sentence | None:
        behind = self.outcome.behind(index)
        if not behind:
            return None
        evidence = self.evidence[behind[0]]
        cells = dict(zip(self.outcome.columns, self.outcome.rows[index], strict=True))
        pick = self.of.pick
        slots: dict[str, object] = {"subject": self.subject(evidence)}
        operations: tuple[Operation, ...] = ()
        if pick is not None:
            slots["pick"] = pick_word(pick, self.language)
            if pick.n > 1:
                operations = tuple(Operation("asked", (), n) for n in (pick.n, pick.n - 1))
        kind = "_pick" if pick is not None and pick.each == "patient" else ""
        if cells.get("value") is not None:
            slots["value"] = self.amount(cells["value"], cells.get("unit") or evidence.values.get("unit"))
            time = cells.get("time") or evidence.values.get("time")
            slots["time"] = moment(time)
            key = f"row.value{kind}" + ("" if time else "_untimed")
            if self.outcome.query.patient is None:
                slots["subject"] = self._of_patient(str(slots["subject"]), evidence)
        elif set(cells) <= {"time", "name", "unit"} and cells.get("time") is not None:
            key, slots["time"] = f"row.time{kind}", moment(cells["time"])
        else:
            slots["item"] = self._item(cells)
            if not slots["item"]:
                return None
            if kind and "name" in cells:
                slots["subject"] = label(self.of, self.language)
            key = f"row.item{kind}"
        return Sentence(self.say(key, **slots), behind, operations)

    def _of_patient(self, text: str, evidence: EvidenceRows) -> str:
        return phrase(self.language, "of_patient", subject=text, patient=evidence.values.get("subject_id"))

    def _item(self, cells: dict[str, Cell]) -> str:
        """The cells of a row as one phrase: the name first, a number with its unit, a time last."""
        words = phrases(self.language)["field"]
        lead, parts, since = "", [], ""
        for name, cell in cells.items():
            if cell is None or name in ("unit", "dose_unit"):
                continue
            if name in ("name", "substance", "vaccine"):
                lead = str(cell)
            elif name == "dose":
                parts.append(self.amount(cell, cells.get("dose_unit")))
            elif name == "time":
                since = (
                    phrase(self.language, "from", time=moment(cell)) if cells.get("name") else moment(cell)
                )
            elif name in ("route", "frequency"):
                parts.append(str(cell))
            else:
                shown = moment(cell) if name in _TIMES else number(cell)
                parts.append(f"{words.get(name, name)} {shown}")
        separator = phrase(self.language, "list_separator")
        rest = separator.join(
            [" ".join(parts[:3]) if "dose" in cells else separator.join(parts), since]
        ).strip(separator)
        if "dose" in cells and len(parts) > 3:
            rest = separator.join([rest, *parts[3:]])
        return f"{lead} {rest}".strip() if "dose" in cells else separator.join(x for x in (lead, rest) if x)

    def amount(self, value: Cell, unit: Cell, decimals: int | None = None) -> str:
        """A number with its unit."""
        text = number(value, decimals)
        return f"{text} {unit}" if unit else text

    # -- figures ---------------------------------------------------------------------------------------

    def count(self) -> list[Sentence]:
        ask, n = self.outcome.query.ask, int(self.outcome.rows[0][0] or 0)
        assert isinstance(ask, Count)
        behind = tuple(range(len(self.evidence)))
        plain = "_plain" if ask.of == "events" and not self.of.concepts else ""
        kind = label(self.of, self.language, n if ask.of == "events" else 2)
        about = self.subject(self.evidence[0] if self.evidence else None) if self.of.concepts else kind
        text = self.say(f"count.{ask.of}{plain}", n=n, subject=about, label=kind)
        return [Sentence(text, behind, (Operation("count", behind, n),))]

    def exists(self) -> list[Sentence]:
        ask, first = self.outcome.query.ask, self.evidence[0]
        assert isinstance(ask, Exists)
        time = moment(first.values.get("time"))
        key = "found_although" if ask.none else "found_time" if time else "found"
        return [Sentence(self.say(f"exists.{key}", subject=self.subject(first), time=time), (0,))]

    def statistic(self) -> list[Sentence]:
        ask = self.outcome.query.ask
        assert isinstance(ask, Statistic)
        sentences = []
        for index, (value,) in enumerate(self.outcome.rows):
            behind = self.outcome.behind(index)
            if value is None or not behind:
                continue
            evidence = self.evidence[behind[0]]
            places = decimals_of(evidence.numbers) + (ask.function in ("mean", "median"))
            counted = ask.per is not None and ask.inner in ("count", "patients", "admissions")
            unit = evidence.values.get("unit") if ask.field == "value" and not counted else None
            shown = self.amount(value, unit, places if ask.field == "value" else 2)
            named = self.subject(evidence) if self.of.concepts else label(self.of, self.language, 2)
            if ask.per is not None:
                named = phrase(self.language, f"per.{ask.per}", subject=named)
            n = sum(self.evidence[i].count for i in behind)
            text = self.say(f"statistic.{ask.function}", subject=named, value=shown, n=n)
            operations = (Operation(ask.function, behind, float(value)), Operation("count", behind, n))
            sentences.append(Sentence(text, behind, operations))
        return sentences

    def change(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Change)
        sentences = []
        for index in range(min(len(rows), SENTENCES_CAP)):
            behind = self.outcome.behind(index)
            before = next((i for i in behind if self.evidence[i].role == "earlier"), None)
            after = next((i for i in behind if self.evidence[i].role == "later"), None)
            if before is not None and after is not None:
                sentences.append(self._changed(before, after, rows[index][-1], ask))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def _changed(self, before: int, after: int, result: Cell, ask: Change) -> Sentence:
        earlier, later = self.evidence[before], self.evidence[after]
        old, new = float(earlier.numbers[0] or 0), float(later.numbers[0] or 0)
        unit = later.values.get("unit")
        text_subject = self.subject(later)
        if self.outcome.query.patient is None:
            text_subject = self._of_patient(text_subject, later)
        slots: dict[str, object] = {
            "subject": text_subject,
            "earlier": self.amount(earlier.numbers[0], unit),
            "later": self.amount(later.numbers[0], unit),
            "earlier_time": moment(earlier.values.get("time")),
            "later_time": moment(later.values.get("time")),
        }
        behind = tuple(dict.fromkeys((before, after)))
        if earlier.table == later.table and earlier.row_ids == later.row_ids:
            return Sentence(self.say("change.single", **slots), behind)
        if ask.as_comparison is not None:
            return Sentence(self.say(f"change.{'holds' if result else 'fails'}", **slots), behind)
        if old == new:
            return Sentence(self.say("change.same", **slots), behind)
        places = decimals_of((earlier.numbers[0], later.numbers[0]))
        operations = [Operation("difference", behind, abs(new - old))]
        percent = ""
        if old:
            share = abs(new - old) / abs(old) * 100
            percent = f"{number(share, 0 if share >= 10 else 1)}%"
            operations.append(Operation("percent", behind, share))
        key = f"change.{'rose' if new > old else 'fell'}"
        text = self.say(key, difference=self.amount(abs(new - old), unit, places), percent=percent, **slots)
        return Sentence(text.replace(" ()", "").replace("（）", ""), behind, tuple(operations))

    def trend(self) -> list[Sentence]:
        where = {name: i for i, name in enumerate(self.outcome.columns)}
        series: dict[tuple[Cell, ...], list[int]] = {}
        for index, row in enumerate(self.outcome.rows):
            key = tuple(row[where[name]] for name in ("subject_id", "name", "unit") if name in where)
            if row[where["value"]] is not None:
                series.setdefault(key, []).append(index)
        sentences = []
        for indices in list(series.values())[:SENTENCES_CAP]:
            sentences += self._series(indices, where)
        return sentences

    def _series(self, indices: list[int], where: dict[str, int]) -> list[Sentence]:
        rows = self.outcome.rows
        value, time = where["value"], where["time"]
        low = min(indices, key=lambda i: float(rows[i][value] or 0))
        high = max(indices, key=lambda i: float(rows[i][value] or 0))
        first, last = indices[0], indices[-1]
        slots: dict[str, object] = {}
        for name, index in (("first", first), ("last", last), ("low", low), ("high", high)):
            slots[name] = self.amount(rows[index][value], rows[index][where["unit"]])
            slots[f"{name}_time"] = moment(rows[index][time])
        behind = self.outcome.behind(first)
        about = self.evidence[behind[0]] if behind else None
        slots["subject"] = self.subject(about)
        if "subject_id" in where and about is not None:
            slots["subject"] = self._of_patient(str(slots["subject"]), about)
        if len(indices) == 1:
            return [Sentence(self.say("trend.single", **slots), behind)]
        old, new = float(rows[first][value] or 0), float(rows[last][value] or 0)
        key = "same" if old == new else "rose" if new > old else "fell"
        ends = (*behind, *self.outcome.behind(last))
        extremes = tuple(dict.fromkeys((*self.outcome.behind(low), *self.outcome.behind(high))))
        everything = tuple(i for index in indices for i in self.outcome.behind(index))
        count = Operation("count", everything, len(indices))
        lowest = Operation("min", everything, float(rows[low][value] or 0))
        highest = Operation("max", everything, float(rows[high][value] or 0))
        return [
            Sentence(self.say(f"trend.{key}", **slots), ends),
            Sentence(self.say("trend.range", n=len(indices), **slots), extremes, (lowest, highest, count)),
        ]

    def top(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Top)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if ask.show_count:
                figure = float(row[1] or 0)
                name: OperationName = "sum" if ask.by == "cost" else "count"
                text = phrase(self.language, "top.counted", key=row[0], n=number(row[1]))
                sentences.append(Sentence(text, behind, (Operation(name, behind, figure),)))
            else:
                sentences.append(Sentence(phrase(self.language, "top.plain", key=row[0]), behind))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def group(self) -> list[Sentence]:
        ask, rows, columns = self.outcome.query.ask, self.outcome.rows, self.outcome.columns
        assert isinstance(ask, Group)
        counted = ask.figure in ("events", "patients", "admissions")
        name: OperationName = "count" if counted else ask.figure  # type: ignore[assignment]
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            cells = dict(zip(columns, row, strict=True))
            behind = self.outcome.behind(index)
            if not behind or cells[ask.figure] is None:
                continue
            evidence, figure = self.evidence[behind[0]], float(cells[ask.figure] or 0)
            unit = None if counted or ask.field != "value" else evidence.values.get("unit")
            places = None if counted else decimals_of(evidence.numbers) + (ask.figure == "mean")
            slots = {
                "key": row[0] if ask.show_group else moment(evidence.values.get("time"))[:10],
                "value": self.amount(cells[ask.figure], unit, places),
            }
            operations = [Operation(name, behind, figure)]
            if ask.share:
                share = float(cells["share"] or 0) * 100
                operations.append(Operation("share", behind, share))
                slots["share"] = f"{number(share, 1)}%"
            text = phrase(self.language, "group.share" if ask.share else "group.figure", **slots)
            sentences.append(Sentence(text, behind, tuple(operations)))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def elapsed(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Elapsed)
        sentences = []
        for index, (value,) in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if value is None or not behind:
                continue
            evidence = self.evidence[behind[0]]
            still = "_open" if ask.what == "duration" and "end_time" not in evidence.values else ""
            named = self.subject(evidence) if self.of.concepts else label(self.of, self.language)
            text = self.say(
                f"elapsed.{ask.what}{still}",
                value=number(value, 1),
                unit=phrases(self.language)["unit"][ask.unit],
                subject=named,
                time=moment(evidence.values.get("time")),
            )
            sentences.append(Sentence(text, behind, (Operation("duration", behind, float(value)),)))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def balance(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Balance)
        if ask.per is not None:
            sentences = []
            for index, (day, value) in enumerate(rows[:SENTENCES_CAP]):
                behind = self.outcome.behind(index)
                text = self.say("balance.day", key=day, value=number(value, 1))
                sentences.append(
                    Sentence(text, behind, (Operation("difference", behind, float(value or 0)),))
                )
            return self.listed(sentences, len(rows) - SENTENCES_CAP)
        total = float(rows[0][0] or 0)
        sums = {
            role: sum(float(n or 0) for i in self.role(role) for n in self.evidence[i].numbers)
            for role in ("input", "output")
        }
        complete = not any(e.truncated for e in self.evidence)
        behind = tuple(range(len(self.evidence)))
        operations = [Operation("difference", behind, total)]
        operations += [
            Operation("sum", tuple(self.role(role)), value) for role, value in sums.items() if complete
        ]
        shown = {role: number(value, 1) for role, value in sums.items()}
        text = self.say("balance.all", value=number(total, 1), **shown)
        if not complete:
            text = self.say("balance.day", key=label(self.of, self.language), value=number(total, 1))
        return [Sentence(text, behind, tuple(operations))]

    def readmission(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Readmission)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            again, discharges = int(row[-2] or 0), int(row[-1] or 0)
            behind = self.outcome.behind(index)
            operations = (
                Operation("count", behind, again),
                Operation("count", behind, discharges),
                Operation("asked", (), ask.days),
            )
            slots = {"n": again, "of": discharges, "days": ask.days, "key": row[0]}
            text = self.say("readmission.bucket" if ask.bucket else "readmission.all", **slots)
            sentences.append(Sentence(text, behind, operations))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def survival(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Survival)
        sentences = []
        for index, row in enumerate(rows[:SENTENCES_CAP]):
            behind = self.outcome.behind(index)
            if not behind or row[-1] is None:
                continue
            if ask.by is not None and not ask.show_rate:
                sentences.append(Sentence(phrase(self.language, "top.plain", key=row[0]), behind))
                continue
            share = float(row[-1]) * 100
            about = str(row[0]) if ask.by is not None else self.subject(self.evidence[behind[0]])
            text = self.say("survival", subject=about, share=f"{number(share, 1)}%", days=ask.days)
            operations = (Operation("share", behind, share), Operation("asked", (), ask.days))
            sentences.append(Sentence(text, behind, operations))
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def percentile(self) -> list[Sentence]:
        ask, rows = self.outcome.query.ask, self.outcome.rows
        assert isinstance(ask, Percentile)
        if not rows or rows[0][0] is None:
            return []
        behind = self.outcome.behind(0)
        share = float(rows[0][0]) * 100
        about = self.subject(self.evidence[behind[0]])
        text = self.say("percentile", subject=about, value=number(ask.value), share=f"{number(share, 1)}%")
        return [
            Sentence(
                text, behind, (Operation("percentile", behind, share), Operation("asked", (), ask.value))
            )
        ]


_SPEAKERS: dict[type, Callable[[_Speaker], list[Sentence]]] = {
    Rows: _Speaker.rows,
    Count: _Speaker.count,
    Exists: _Speaker.exists,
    Statistic: _Speaker.statistic,
    Change: _Speaker.change,
    Trend: _Speaker.trend,
    Top: _Speaker.top,
    Group: _Speaker.group,
    Elapsed: _Speaker.elapsed,
    Balance: _Speaker.balance,
    Readmission: _Speaker.readmission,
    Survival: _Speaker.survival,
    Percentile: _Speaker.percentile,
}
