"""What the parts of a question for a chart say together: things, groups, values, limits and who is left out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.answer import Language
from agent.planning.chart_limits import Limit
from agent.planning.chart_parts import WORDS, Part, Parts, asks, field_of, parts_of
from agent.planning.choose import choose
from agent.planning.intent import kind_of
from agent.planning.link import Link, Linked, TimeLink
from agent.query.model import Concept, Condition, Domain

MEASURED = frozenset({"measure", "input", "output"})
_EVENTS = MEASURED | {
    "diagnosis", "drug", "procedure", "organism", "specimen", "test", "antibiotic", "allergen", "vaccine",
    "note_type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A linked value of the records, and whether those who have it are left out."""

    kind: str
    domain: Domain
    concept: Concept
    negated: bool = False


@dataclass(slots=True)
class Said:
    """The parts that a question names, in its order."""

    things: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    rates: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    values: list[Value] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    categories: list[tuple[Link, bool]] = field(default_factory=list)
    times: tuple[TimeLink, ...] = ()

    def named_apart(self) -> list[Value]:
        """Values of one field that are named side by side: each is drawn on its own."""
        first = next((value for value in self.values if not value.negated), None)
        same = [
            value
            for value in self.values
            if first is not None
            and not value.negated
            and (value.domain, value.concept.field) == (first.domain, first.concept.field)
        ]
        return same if len(same) > 1 else []

    @property
    def measured(self) -> list[Value]:
        """The measured values among those that are named."""
        kinds = {*MEASURED, "drug"} if "dose" in self.words else MEASURED
        return [value for value in self.values if value.kind in kinds and not value.negated]

    def conditions(self) -> Iterable[Condition]:
        """What the words leave out: other patients, cultures in which nothing grew."""
        for name in self.filters:
            raw = asks()["filters"][name]
            yield Condition(field=raw["field"], op=raw.get("op", "="), value=raw.get("value"))
        for thing in self.things:
            if (known := asks()["things"][thing].get("known")) is not None:
                yield Condition(field=known, op="known")


def read_said(rest: str, language: Language, linked: Linked) -> Said | None:
    """The parts of a question, or ``None`` where something is left over, or a value that no chart is asked of."""
    parts = parts_of(rest, language, linked)
    if parts.left.strip():
        return None
    said = Said(times=parts.times)
    negated = False
    for part in parts.parts:
        if negated and part.kind not in ("value", "each", "counted"):
            return None  # "without" what is none of the values
        if part.kind == "without":
            negated = True
            continue
        if not _take(said, part, parts, linked, language, negated=negated):
            return None
        negated = negated and part.kind != "value"
    if negated:
        return None
    _compared(said)
    return said


def _take(said: Said, part: Part, parts: Parts, linked: Linked, language: Language, *, negated: bool) -> bool:
    """Add one part; ``False`` where it is a value that no chart is asked of."""
    kind, name = part.kind, part.name
    if kind == "value":
        link = linked.values[int(name)]
        meant = _kind(link, parts, linked)
        if meant is None:
            said.categories.append((link, negated))
            return True
        if meant not in _EVENTS:
            return False
        choice = choose(link, meant, language)
        if choice.concept is None or choice.domain is None:
            return False
        said.values.append(Value(meant, choice.domain, choice.concept, negated))
        said.assumptions += [choice.assumption] if choice.assumption else []
    elif kind == "number":
        said.numbers.append(int(name))
    elif kind == "limit":
        said.limits.append(parts.limits[int(name)])
    elif kind in WORDS:
        said.words.add(kind)
    elif name not in getattr(said, kind):
        getattr(said, kind).append(name)
    return True


def _kind(link: Link, parts: Parts, linked: Linked) -> str | None:
    """Which kind of value is meant: of what the question counts, else of what it names beside, else the likeliest."""
    kinds = list(dict.fromkeys(k for c in link.candidates if c.count and (k := kind_of(c)) is not None))
    kinds = kinds or [k for c in link.candidates if (k := kind_of(c)) is not None]
    if len(kinds) < 2:
        return next(iter(kinds), None)
    domains = {kind: next(c.domain for c in link.candidates if kind_of(c) == kind) for kind in kinds}
    named = {
        asks()[p.kind][p.name].get("domain") for p in parts.parts if p.kind in ("things", "groups", "rates")
    }
    others = [
        {kind_of(c) for c in linked.values[int(p.name)].candidates}
        for p in parts.parts
        if p.kind == "value" and linked.values[int(p.name)] is not link
    ]
    summed = any((p.kind, p.name) == ("figures", "sum") for p in parts.parts)
    return (
        next((kind for kind in kinds if domains[kind] in named), None)
        or next((kind for kind in kinds if summed and kind in ("input", "output")), None)
        or next((kind for kind in kinds if others and all(kind in other for other in others)), None)
        or next((kind for kind in kinds if kind == "drug" and "antibiotic" in kinds), None)
        or kinds[0]
    )


def _compared(said: Said) -> None:
    """Two values of one field are compared, not asked for at once: "men vs women" is by sex."""
    groups = {field_of(name): name for name in asks()["groups"]}
    fields = Counter(asks()["filters"][name]["field"] for name in said.filters)
    for name in [name for name, times in fields.items() if times > 1]:
        said.filters = [each for each in said.filters if asks()["filters"][each]["field"] != name]
        said.groups += [name] if name not in said.groups else []
    held = Counter(link.candidates[0].field for link, negated in said.categories if not negated)
    for name, times in held.items():
        if times > 1 and name in groups and name not in map(field_of, said.groups):
            said.groups.append(groups[name])
