"""Sentences from a result, without a model: what is said, which evidence it rests on, how it was computed.

A sentence carries no citation marks; the composer numbers the evidence. A number in a sentence is a cell of
its evidence or the result of one of its operations, so that a verifier can compute it again. Numbers that
belong to the question (a rank, a span of days) come as the operation ``asked``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.answer import Cell, Language
from agent.query.compile import PROVENANCE_CAP
from agent.query.domains import bindings
from agent.query.entries import culture_result, entry, measured
from agent.query.execute import EvidenceRows, Outcome
from agent.query.model import (
    Balance,
    Change,
    Condition,
    Count,
    Elapsed,
    Exists,
    Extent,
    Group,
    Percentile,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)
from agent.query.numerals import decimals_of, fixed, moment, number, recorded_decimals
from agent.query.phrases import label, phrase, phrases, pick_word, subject, value_word
from agent.query.reference import analyte_of, limits

SENTENCES_CAP = 15
UNSAID_DECIMALS = 4  # as many or more come from a computation, not from a measurement
OperationName = Literal[
    "count",
    "at_least",
    "min",
    "max",
    "mean",
    "median",
    "sum",
    "difference",
    "percent",
    "ratio",
    "share",
    "duration",
    "limit",
    "percentile",
    "asked",
    "rest",
    "searched",
]
_SYSTOLIC, _DIASTOLIC = "systolic", "diastolic"
_NAMING = frozenset({"name", "substance", "vaccine", "careunit"})
_MOMENTARY = frozenset(
    {"patient", "diagnosis", "procedure"}
)  # what matters of them is when they were recorded
_SELF_EXPLAINING = frozenset(
    {
        "reason",
        "organism",
        "specimen",
        "test",
        "careunit",
        "conclusion",
        "comments",
        "reaction",
        "severity",
        "antibiotic",
        "interpretation",
        "status",
        "title",
    }
)
_TIMES = frozenset({"time", "end", "end_time", "admittime", "dischtime", "deathtime", "dob", "dod"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A number that is computed.

    Attributes:
        name: how.
        inputs: indices into ``Outcome.evidence``; a difference is the last less the first, a ratio the last
            over the first.
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
        self._places = _decimals_by_name(self.evidence)

    def places(self, evidence: EvidenceRows | None) -> int | None:
        """The decimals that a number was written down with, else the most that its item's numbers have.

        ``None`` where they are more than anyone measures.
        """
        if evidence is None:
            return None
        values = evidence.values
        written = recorded_decimals(values.get("reported"), values.get("value"))
        if written is not None and written < UNSAID_DECIMALS:
            return written
        return self._places.get((values.get("name"), values.get("unit")))

    def say(self, key: str, /, **slots: object) -> str:
        """A sentence; its first word gets a capital unless it may be a code or an abbreviation."""
        text = phrase(self.language, key, **slots)
        word = text.split(" ", 1)[0].rstrip(":,.")
        return text[0].upper() + text[1:] if len(word) > 3 and word.isalpha() and word.islower() else text

    def pooled(self, evidence: EvidenceRows) -> str:
        """What a figure of many rows is about: the recorded name only where it can be no other."""
        one = sum(len(concept.values) for concept in self.of.concepts) == 1
        return self.subject(evidence if one or bindings()[self.of.domain].distinct_items else None)

    def subject(self, evidence: EvidenceRows | None = None) -> str:
        return subject(self.of, self.language, evidence.values.get("name") if evidence else None)

    def role(self, role: str) -> list[int]:
        return [i for i, e in enumerate(self.evidence) if e.role == role]

    def listed(self, sentences: list[Sentence], rest: int) -> list[Sentence]:
        """At most ``SENTENCES_CAP`` of them, and how many more there are."""
        if rest > 0 and self.evidence:
            last = (min(SENTENCES_CAP, len(self.evidence) - 1),)
            key = "row.more_at_least" if self.outcome.truncated else "row.more"
            more = Operation("rest", last, rest)
            sentences.append(Sentence(phrase(self.language, key, n=rest), last, (more,)))
        return sentences

    # -- rows ------------------------------------------------------------------------------------------

    def rows(self) -> list[Sentence]:
        rows = self.outcome.rows
        pressures = self._pressures()
        paired = set(pressures.values())
        sentences = [
            self._row(index, pressures.get(index))
            for index in range(min(len(rows), SENTENCES_CAP))
            if index not in paired
        ]
        return self.listed([s for s in sentences if s is not None], len(rows) - SENTENCES_CAP)

    def _pressures(self) -> dict[int, int]:
        """Rows of a systolic pressure to those of the diastolic one of the same series and time."""
        if "value" not in self.outcome.columns:
            return {}
        places: dict[tuple[Cell, ...], int] = {}
        for index in range(len(self.outcome.rows)):
            for i in self.outcome.behind(index)[:1]:
                values = self.evidence[i].values
                name = str(values.get("name")).casefold()
                places.setdefault((values.get("subject_id"), values.get("time"), name), index)
        found = {}
        for (patient, time, name), index in places.items():
            other = places.get((patient, time, str(name).replace(_SYSTOLIC, _DIASTOLIC)))
            if _SYSTOLIC in str(name) and other is not None:
                found[index] = other
        return found

    def _row(self, index: int, diastolic: int | None = None) -> Sentence | None:
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
            slots["value"] = measured(cells["value"], evidence.values, self.language, self.places(evidence))
            if diastolic is not None:
                behind = (*behind, *self.outcome.behind(diastolic))
                slots["value"] = self._pressure(index, diastolic)
                slots["subject"] = self._pressure_name(evidence)
            time = cells.get("time") or evidence.values.get("time")
            slots["time"] = moment(time)
            key = f"row.value{kind}" + ("" if time else "_untimed")
            if self.outcome.query.patient is None:
                slots["subject"] = self._of_patient(str(slots["subject"]), evidence)
        elif set(cells) <= {"time", "name", "unit"} and cells.get("time") is not None:
            key, slots["time"] = f"row.time{kind}", moment(cells["time"])
        else:
            slots["item"] = self._item(cells, evidence, picked=bool(kind))
            if not slots["item"]:
                return None
            if kind and ("name" in cells or not self.of.concepts):
                slots["subject"] = label(self.of, self.language)
            key = f"row.item{kind}"
            if self.outcome.query.patient is None and not kind and "subject_id" not in cells:
                about = evidence.values.get("subject_id")
                slots["item"] = phrase(self.language, "exists.of_patient", patient=about, entry=slots["item"])
        return Sentence(self.say(key, **slots), behind, operations)

    def _pressure(self, systolic: int, diastolic: int) -> str:
        upper, lower = (self.evidence[self.outcome.behind(index)[0]] for index in (systolic, diastolic))
        figures = "/".join(fixed(e.values.get("value"), self.places(e)) for e in (upper, lower))
        return f"{figures} {upper.values['unit']}" if upper.values.get("unit") else figures

    def _pressure_name(self, evidence: EvidenceRows) -> str:
        """The name of the series: what is left without "systolic"."""
        words = str(evidence.values.get("name")).split()
        name = " ".join(word for word in words if word.casefold() != _SYSTOLIC)
        return subject(self.of, self.language, name)

    def _of_patient(self, text: str, evidence: EvidenceRows) -> str:
        return phrase(self.language, "of_patient", subject=text, patient=evidence.values.get("subject_id"))

    def _item(self, cells: dict[str, Cell], evidence: EvidenceRows, *, picked: bool) -> str:
        """The cells of a row as one phrase: the name first, then what it says, each with its word."""
        lead, dose, facts = "", [], []
        for name, cell in cells.items():
            if name in _NAMING:
                lead = str(cell or "")
            elif name in ("dose", "dose_unit", "route", "frequency"):
                dose += [str(cell).strip()] if cell is not None else []
            elif name == "end" and cell is None:
                facts += [self._still_open()] if self._still_open() else []
            elif name == "organism" and cell is None:
                facts.append(culture_result(evidence.values, self.language))
            elif cell is not None and name != "unit":
                ended = cells.get("end") is not None
                facts.append(self._fact("began" if name == "time" and ended else name, cell))
        status = evidence.values.get("status")
        if "status" not in cells and str(status).casefold() in bindings()[self.of.domain].closed:
            facts.append(value_word("status", status, self.language))
        head = " ".join(part for part in (lead, *dose) if part)
        told = phrase(self.language, "list_separator").join(facts)
        if head:
            return phrase(self.language, "item.named", lead=head, facts=told) if told else head
        if picked or (len(cells) == 1 and told and self.of.domain in ("patient", "admission")):
            return told if picked else told[0].upper() + told[1:]
        kind = label(self.of, self.language)
        return phrase(self.language, "item.kind", kind=kind[0].upper() + kind[1:], facts=told) if told else ""

    def _still_open(self) -> str:
        """What there is to say of an event without an end, if its end was asked for."""
        return str(phrases(self.language)["open"].get(self.of.domain, ""))

    def _fact(self, name: str, cell: Cell) -> str:
        """One cell with the word for it; a time says whether something began or ended then."""
        words = phrases(self.language)["field"]
        if name == "began":
            return phrase(self.language, "began", time=moment(cell))
        if name in ("time", "end"):
            lasting = bindings()[self.of.domain].end is not None and self.of.domain not in _MOMENTARY
            key = "to" if name == "end" else "from" if lasting else "at"
            return phrase(self.language, key, time=moment(cell))
        shown = moment(cell) if name in _TIMES else value_word(name, number(cell), self.language)
        if name in _SELF_EXPLAINING:
            return shown.strip()
        return phrase(self.language, "item.fact", word=words.get(name, name), value=shown.strip())

    def amount(self, value: Cell, unit: Cell, decimals: int | None = None) -> str:
        """A number with its unit."""
        text = number(value, decimals)
        return f"{text} {unit}" if unit else text

    def figure(self, value: Cell, unit: Cell, places: int | None) -> str:
        """A number with the decimals of its item, and its unit."""
        text = fixed(value, places)
        return f"{text} {unit}" if unit else text

    # -- figures ---------------------------------------------------------------------------------------

    def count(self) -> list[Sentence]:
        ask, n = self.outcome.query.ask, int(self.outcome.rows[0][0] or 0)
        assert isinstance(ask, Count)
        behind = tuple(range(len(self.evidence)))
        own = {"patients": "patient", "admissions": "admission"}.get(ask.of, self.of.domain)
        plain = "_plain" if ask.of != "names" and not self.of.concepts and own == self.of.domain else ""
        kind = label(self.of, self.language, n if ask.of == "events" else 2)
        about = self.pooled(self.evidence[0]) if self.of.concepts and self.evidence else self.subject()
        about = about if self.of.concepts else kind
        text = self.say(f"count.{ask.of}{plain}", n=n, subject=about, label=kind)
        return [Sentence(text, behind, (Operation("count", behind, n),))]

    def exists(self) -> list[Sentence]:
        """Each entry there is: what kind it is and what it says. Whether that means yes is for the reader."""
        ask = self.outcome.query.ask
        assert isinstance(ask, Exists)
        sentences = []
        found = self.role("")
        if ask.among and not found:
            return self._none_among()
        for index in found[:SENTENCES_CAP]:
            piece = self.evidence[index]
            text = entry(piece, self.of, self.language, self.outcome.now, self.places(piece))
            if self.outcome.query.patient is None:
                about = piece.values.get("subject_id")
                text = phrase(self.language, "exists.of_patient", patient=about, entry=text)
            key = "exists.found_although" if ask.none and not index else "exists.found"
            count = (Operation("count", (index,), piece.count),) if piece.count > 1 else ()
            sentences.append(Sentence(self.say(key, entry=text), (index,), count))
        return self.listed(sentences, len(found) - SENTENCES_CAP)

    def _none_among(self) -> list[Sentence]:
        """No measurement beyond the limit: how many were looked at, and how far the furthest went."""
        side = "low" if Condition(field="value", value="low") in self.of.where else "high"
        looked_at, furthest = self.role("looked_at"), self.role("furthest")
        if not looked_at or not furthest:
            return []
        piece, last = self.evidence[looked_at[0]], self.evidence[furthest[0]]
        unit = last.values.get("unit")
        items = (value for concept in self.of.concepts for value in concept.values)
        limit = next((getattr(one, side) for one in limits(analyte_of(items), str(unit or ""))), None)
        behind = (*looked_at, *furthest)
        many = piece.count >= PROVENANCE_CAP
        operations = [Operation("at_least" if many else "count", tuple(looked_at), piece.count)]
        if limit is not None:
            operations.append(Operation("limit", (), limit))
        text = self.say(
            f"exists.none_{side}" if limit is not None else "exists.none_beyond",
            n=phrase(self.language, "more_than", n=piece.count) if many else piece.count,
            subject=self.subject(last),
            limit=self.amount(limit, unit),
            value=self.figure(last.values.get("value"), unit, self.places(last)),
            time=moment(last.values.get("time")),
        )
        return [Sentence(text, behind, tuple(operations))]

    def statistic(self) -> list[Sentence]:
        ask = self.outcome.query.ask
        assert isinstance(ask, Statistic)
        sentences = []
        for index, (value,) in enumerate(self.outcome.rows):
            behind = self.outcome.behind(index)
            if value is None or not behind:
                continue
            evidence = self.evidence[behind[0]]
            recorded = max(decimals_of(evidence.numbers), self.places(evidence) or 0)
            places = recorded + (ask.function in ("mean", "median"))
            counted = ask.per is not None and ask.inner in ("count", "patients", "admissions")
            unit = evidence.values.get("unit") if ask.field == "value" and not counted else None
            shown = self.amount(value, unit, places if ask.field == "value" else 2)
            if ask.field == "value" and ask.function in ("min", "max") and not counted:
                shown = self.figure(value, unit, self.places(evidence))
            named = self.pooled(evidence) if self.of.concepts else label(self.of, self.language, 2)
            if ask.per is not None:
                named = phrase(self.language, f"per.{ask.per}", subject=named)
            n = sum(self.evidence[i].count for i in behind)
            many = n >= PROVENANCE_CAP  # no more of them are looked at one by one
            counted_text = phrase(self.language, "more_than", n=n) if many else n
            text = self.say(f"statistic.{ask.function}", subject=named, value=shown, n=counted_text)
            count = Operation("at_least" if many else "count", behind, n)
            operations = (Operation(ask.function, behind, float(value)), count)
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
            if before is None or after is None:
                continue
            if ask.at_least is None or rows[index][-1] is None:  # of nothing, or less, there is no multiple
                sentences.append(self._changed(before, after, rows[index][-1], ask))
                continue
            furthest = next((i for i in behind if self.evidence[i].role == "furthest"), after)
            holds = self.outcome.query.patient is None or bool(rows[index][-1])
            sentences += self._verdict(before, after, furthest, ask.at_least, holds=holds)
        return self.listed(sentences, len(rows) - SENTENCES_CAP)

    def _changed(self, before: int, after: int, result: Cell, ask: Change) -> Sentence:
        behind = tuple(dict.fromkeys((before, after)))
        slots = self._two_values(before, after)
        if self._are_one(before, after):
            return Sentence(self.say("change.single", **slots), behind)
        if ask.as_comparison is not None:
            return Sentence(self.say(f"change.{'holds' if result else 'fails'}", **slots), behind)
        direction, sizes, operations = self._sizes(before, after)
        text = self.say(f"change.{direction}", **sizes, **slots)
        return Sentence(text.replace(" ()", "").replace("（）", ""), behind, operations)

    def _verdict(
        self, before: int, after: int, furthest: int, extent: Extent, *, holds: bool
    ) -> list[Sentence]:
        """Yes or no with the values; it rests on the furthest one, and the latest is said, too."""
        if self._are_one(before, after):
            return [Sentence(self.say("change.single", **self._two_values(before, after)), (before,))]
        verdict = "holds" if holds else "fails"
        first, last, far = (float(self.evidence[i].numbers[0] or 0) for i in (before, after, furthest))
        if far in (first, last) or (far > first) != (extent.direction == "rise"):
            return [self._by_extent(f"extent.{verdict}", before, after, extent)]
        return [
            self._by_extent(f"extent.{verdict}_between", before, furthest, extent),
            self._by_extent("extent.latest", before, after, extent),
        ]

    def _by_extent(self, key: str, before: int, after: int, extent: Extent) -> Sentence:
        old, new = (float(self.evidence[i].numbers[0] or 0) for i in (before, after))
        direction, sizes, found = self._sizes(before, after)
        change = phrase(self.language, f"extent.{direction}", **sizes).replace(" ()", "").replace("（）", "")
        operations, times = list(found), ""
        if old:
            ratio = new / old
            bound = extent.by if extent.direction == "rise" else 1 / extent.by
            shown = next((p for p in range(2, UNSAID_DECIMALS) if round(ratio, p) != round(bound, p)), 2)
            times = phrase(self.language, "extent.times", ratio=number(ratio, shown))
            operations.append(Operation("ratio", (before, after), ratio))
        pick = phrases(self.language)["pick"]["max" if extent.direction == "rise" else "min"]
        slots = {**self._two_values(before, after), "times": times, "change": change, "pick": pick}
        return Sentence(self.say(key, **slots), (before, after), tuple(operations))

    def _are_one(self, before: int, after: int) -> bool:
        earlier, later = self.evidence[before], self.evidence[after]
        return earlier.table == later.table and earlier.row_ids == later.row_ids

    def _two_values(self, before: int, after: int) -> dict[str, object]:
        """The earlier and the later value with their times, and whose they are."""
        earlier, later = self.evidence[before], self.evidence[after]
        unit = later.values.get("unit")
        text_subject = self.subject(later)
        if self.outcome.query.patient is None:
            text_subject = self._of_patient(text_subject, later)
        return {
            "subject": text_subject,
            "earlier": self.figure(earlier.numbers[0], unit, self.places(earlier)),
            "later": self.figure(later.numbers[0], unit, self.places(later)),
            "earlier_time": moment(earlier.values.get("time")),
            "later_time": moment(later.values.get("time")),
        }

    def _sizes(self, before: int, after: int) -> tuple[str, dict[str, str], tuple[Operation, ...]]:
        """Whether a value rose, fell or stayed the same, by how much, and by which share of the earlier one."""
        earlier, later = self.evidence[before], self.evidence[after]
        old, new = float(earlier.numbers[0] or 0), float(later.numbers[0] or 0)
        if old == new:
            return "same", {}, ()
        places = self.places(later)
        if places is None:
            places = decimals_of((earlier.numbers[0], later.numbers[0]))
        sizes = {"difference": self.figure(abs(new - old), later.values.get("unit"), places), "percent": ""}
        operations = [Operation("difference", (before, after), abs(new - old))]
        if old:
            share = abs(new - old) / abs(old) * 100
            sizes["percent"] = f"{number(share, 0 if share >= 10 else 1)}%"
            operations.append(Operation("percent", (before, after), share))
        return "rose" if new > old else "fell", sizes, tuple(operations)

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
            place = self.places(self.evidence[self.outcome.behind(index)[0]])
            slots[name] = self.figure(rows[index][value], rows[index][where["unit"]], place)
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
        peak, trough = (
            float(rows[high][value] or 0) > max(old, new),
            float(rows[low][value] or 0) < min(old, new),
        )
        turn = high if peak and not trough else low if trough and not peak else None
        if turn is not None:
            key = "peak" if peak else "trough"
        ends = tuple(
            dict.fromkeys(
                (
                    *behind,
                    *self.outcome.behind(last),
                    *(self.outcome.behind(turn) if turn is not None else ()),
                )
            )
        )
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
                "key": self._group_key(ask, row) or moment(evidence.values.get("time"))[:10],
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

    def _group_key(self, ask: Group, row: tuple[Cell, ...]) -> str:
        """What a row's group is called; nothing where the result does not name it."""
        if not ask.show_group:
            return ""
        words = [value_word(ask.by or "", row[0], self.language)]
        words += [value_word(ask.series, row[1], self.language)] if ask.series else []
        return phrase(self.language, "list_separator").join(words)

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
            back = tuple(i for i in behind if self.evidence[i].role == "readmitted")
            left = tuple(i for i in behind if self.evidence[i].role != "return")
            operations = (
                Operation("count", back, again),
                Operation("count", left, discharges),
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


def _decimals_by_name(evidence: tuple[EvidenceRows, ...]) -> dict[tuple[Cell, Cell], int | None]:
    """For each item the most decimals that its numbers were written down with, if no more than four."""
    found: dict[tuple[Cell, Cell], int] = {}
    for piece in evidence:
        values = piece.values
        if values.get("unit_recorded", values.get("unit")) != values.get("unit"):
            continue  # a converted number has as many decimals as the conversion gave it
        written = recorded_decimals(values.get("reported"), values.get("value"))
        places = decimals_of(piece.numbers) if written is None or piece.count > 1 else written
        item = (values.get("name"), values.get("unit"))
        found[item] = max(found.get(item, 0), places, written or 0)
    return {item: places if places < UNSAID_DECIMALS else None for item, places in found.items()}


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
