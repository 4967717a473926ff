"""Sentences about rows of the record: a value, an entry, whether there is one."""

from typing import Literal

from agent.answer import Cell
from agent.query.among import limit_of, looks_among, side_of
from agent.query.domains import bindings
from agent.query.entries import culture_result, entry, measured
from agent.query.execute import EvidenceRows
from agent.query.model import Exists
from agent.query.numerals import fixed, moment, number
from agent.query.phrases import label, phrase, phrases, pick_word, subject, value_word
from agent.query.provenance import PROVENANCE_CAP
from agent.query.reference import analyte_of, limits
from agent.query.restrictions import tested
from agent.query.sentence import Operation, Sentence
from agent.query.speaker import SENTENCES_CAP, Speaker

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


class RowSpeaker(Speaker):
    """Says rows and entries."""

    def rows(self) -> list[Sentence]:
        """Each row of a list, pressures of one series and time together."""
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
                slots["subject"] = self.of_patient(str(slots["subject"]), evidence)
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

    def exists(self) -> list[Sentence]:
        """Each entry there is: what kind it is and what it says. Whether that means yes is for the reader."""
        ask = self.outcome.query.ask
        assert isinstance(ask, Exists)
        sentences = []
        found = self.role("")
        if not found and looks_among(self.outcome.query):
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
        side = side_of(self.of)
        looked_at, furthest = self.role("looked_at"), self.role("furthest")
        if not looked_at or not furthest:
            return []
        piece, last = self.evidence[looked_at[0]], self.evidence[furthest[0]]
        unit = last.values.get("unit")
        behind = (*looked_at, *furthest)
        many = piece.count >= PROVENANCE_CAP
        operations = [Operation("at_least" if many else "count", tuple(looked_at), piece.count)]
        limit, asked = self._limit(side, str(unit or "")), limit_of(self.of)
        if limit is not None:
            operations.append(limit)
        number_asked = asked is not None and not isinstance(asked.value, str)
        key = f"test_{side}" if number_asked else side if limit is not None else "beyond"
        text = self.say(
            f"exists.none_{key}",
            n=phrase(self.language, "more_than", n=piece.count) if many else piece.count,
            subject=self.subject(last),
            limit="" if limit is None else self.amount(limit.result, unit),
            test=tested(asked, self.language) if asked is not None else "",
            value=self.figure(last.values.get("value"), unit, self.places(last)),
            time=moment(last.values.get("time")),
        )
        return [Sentence(text, behind, tuple(operations))]

    def _limit(self, side: Literal["low", "high"], unit: str) -> Operation | None:
        """The limit that the values were held against: the question's, or the published one in their unit."""
        asked = limit_of(self.of)
        if asked is not None and isinstance(asked.value, int | float):
            return Operation("asked", (), asked.value)
        items = (value for concept in self.of.concepts for value in concept.values)
        published = next((getattr(one, side) for one in limits(analyte_of(items), unit)), None)
        return None if published is None else Operation("limit", (), published)
