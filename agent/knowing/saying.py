"""Says values and things of a patient in words, with where and when they are on record."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from agent.answer import Language
from agent.knowing.evidence import Cites
from agent.knowing.point import Computation
from agent.knowing.values import AGE, Value, rounded
from agent.knowing.words import word
from knowledge.errors import UnitError
from knowledge.facts.units import convert, parse_unit
from knowledge.graph import Edge, KnowledgeGraph
from knowledge.graph.wording import path_text
from knowledge.patients import DrugOrder, NoteRef, Problem, RowRef, Statement


@dataclass(frozen=True, slots=True)
class Worded:
    """A text and the numbers in it that are computed."""

    text: str
    computed: tuple[Computation, ...] = ()


class Saying:
    """Words things for one answer.

    Args:
        graph: knows names.
        cites: names concepts in the answer's language.
        language: of the answer.
        now: days are counted back from it.
    """

    def __init__(self, graph: KnowledgeGraph, cites: Cites, language: Language, now: str) -> None:
        self._graph = graph
        self._cites = cites
        self.language: Language = language
        self._now = now

    def name(self, concept: str) -> str:
        """What a concept is called."""
        return self._cites.name(concept)

    def path(self, edges: Sequence[Edge]) -> str:
        """A path as text, with what a row of the record is linked by."""
        return path_text(self._graph, edges, self.language)

    def detail(self, edge: Edge) -> str:
        """What a fact adds in its own words, as a sentence of its own; empty where it adds nothing."""
        said = self._cites.detail(edge)
        return word(self.language, "detail.text", detail=said.rstrip("。.")) if said else ""

    def ordered(self, orders: Sequence[DrugOrder]) -> str:
        """Dose, route and frequency of orders as they are written, in brackets; empty where no order says them."""
        said = (" ".join(filter(None, (o.dose, o.route, o.frequency))) for o in orders if o.dose is not None)
        distinct = "; ".join(dict.fromkeys(said))
        return word(self.language, "order.text", ordered=distinct) if distinct else ""

    def value(self, value: Value, unit: str = "", name: str = "") -> Worded:
        """A value with its unit, its row and its time.

        Args:
            value: as read or derived.
            unit: of a condition; where it is another, the value is told in it, too.
            name: as a condition calls it; in Chinese the concept's own name is used.
        """
        name = name if name and self.language == "en" else self.name(value.concept)
        if value.concept == AGE:
            number = float(int(value.reading.value))
            return Worded(self._say("age", number=plain(number)), (Computation("age", number),))
        if value.computation is not None:
            basis = [self.value(Value.of(result)) for result in value.basis]
            joined = basis[0].text
            for other in basis[1:]:
                joined = self._say("joined", first=joined, second=other.text)
            number = value.computation.result
            text = self._say(
                value.computation.name,
                name=name,
                quantity=quantity(number, value.reading.unit),
                basis=joined,
            )
            return Worded(text, (value.computation, *(c for each in basis for c in each.computed)))
        return self._recorded(value, unit, name)

    def thing(self, thing: Problem) -> Worded:
        """A problem or finding, by the newest statement of it."""
        said = newest(thing)
        worded = self.statement(said)
        if thing.historical:
            return Worded(word(self.language, "thing.history", name=worded.text), worded.computed)
        return worded

    def statement(self, said: Statement, *, ago: bool = True) -> Worded:
        """What one row or note says, with its time; with ``ago`` also how long before now that was."""
        back, computed = self.ago(said.start) if ago else ("", ())
        name = self.name(said.concept) if said.concept is not None else said.name
        time = short(said.start) or word(self.language, "value.undated")
        slots: dict[str, object] = {"name": name, "time": time, "ago": back}
        if isinstance(said.evidence, NoteRef):
            kind, slots["note_id"] = "note", said.evidence.note_id
        else:
            kind, slots["table"], slots["row_id"] = "row", said.evidence.table, said.evidence.row_id
        text = word(self.language, f"thing.{kind}" if ago else f"thing.{kind}_dated", **slots)
        return Worded(text, computed)

    def ago(self, time: str | None) -> tuple[str, tuple[Computation, ...]]:
        """How many days before now a time was."""
        if time is None:
            return word(self.language, "value.undated"), ()
        days = days_between(time, self._now)
        if days < 2:
            return word(self.language, "value.today" if days < 1 else "value.yesterday"), ()
        return self._say("days_ago", days=days), (Computation("days_ago", float(days)),)

    def _recorded(self, value: Value, unit: str, name: str) -> Worded:
        row, (ago, computed) = value.rows[0], self.ago(value.time)
        slots = {
            "name": name,
            "quantity": quantity(value.reading.value, value.reading.unit),
            "table": row.table,
            "row_id": row.row_id,
            "time": short(value.time) or word(self.language, "value.undated"),
            "ago": ago,
        }
        other = _other(value, unit)
        if other is None:
            return Worded(self._say("read", **slots), computed)
        text = self._say("converted", **slots, other=plain(other), other_unit=unit)
        return Worded(text, (*computed, Computation("converted", other, value.concept, unit)))

    def _say(self, key: str, /, **slots: object) -> str:
        return word(self.language, f"value.{key}", **slots)


def newest(thing: Problem) -> Statement:
    """The statement to cite for a thing: a row before a note, then the newest."""
    return max(thing.statements, key=lambda s: (isinstance(s.evidence, RowRef), s.start or ""))


def quantity(number: float, unit: str) -> str:
    """A number with its unit, where it has one."""
    return f"{plain(number)} {unit}".rstrip()


def plain(number: float) -> str:
    """A number without needless zeros."""
    return f"{number:g}" if abs(number) < 1e5 else f"{number:.0f}"


def short(time: str | None) -> str | None:
    """A time without its seconds."""
    return time[:16] if time is not None else None


def days_between(earlier: str, later: str) -> int:
    """Whole days of the calendar from one time to a later one."""
    first, last = (datetime.fromisoformat(time[:10]) for time in (earlier, later))
    return (last - first).days


def _other(value: Value, unit: str) -> float | None:
    """The value in another unit; ``None`` where that is the same unit, or there is no way."""
    if not unit:
        return None
    with suppress(UnitError):
        if parse_unit(unit) == parse_unit(value.reading.unit):
            return None
        converted = convert(value.reading.value, value.reading.unit, unit, value.concept)
        other = rounded(converted)
        return None if other == value.reading.value else other
    return None
