"""What the record says of a problem, from the first word to the last, each with its assertion."""

from collections.abc import Iterable, Iterator, Sequence

from agent.knowing.desk import Desk
from agent.knowing.point import GraphFinding, Point, Slots
from agent.knowing.saying import short
from agent.knowing.words import word
from knowledge.patients import NoteRef, Statement

_SHOWN = 24


def timeline(desk: Desk) -> GraphFinding:
    """The statements about what the question names and its subtypes, in time; what repeats on a day stands once."""
    concepts = [one for c in desk.action.concepts for one in (c, *desk.graph.descendants(c))]
    said = desk.patients.timeline(desk.patient.subject_id, list(dict.fromkeys(concepts)))
    said = tuple(s for s in said if s.start is None or s.start <= desk.scope.now)
    distinct = _distinct(said)
    shown = _thinned(distinct)
    points = list(_once(_point(desk, statement) for statement in shown))
    if not points:
        names = desk.saying.name(desk.action.concepts[0])
        points = [Point("timeline.none", (("name", names),))]
    assumptions: list[tuple[str, Slots]] = []
    if len(points) < len(said):
        assumptions.append(("thinned", (("shown", str(len(points))), ("all", str(len(said))))))
    return GraphFinding(desk.action, tuple(points), tuple(assumptions))


def _once(points: Iterable[Point]) -> Iterator[Point]:
    """A sentence that was copied forward stands where it was written first."""
    quoted: set[tuple[str, str]] = set()
    for point in points:
        slots = dict(point.slots)
        key = (slots["name"], slots.get("quote", ""))
        if key[1] and key in quoted:
            continue
        quoted.add(key)
        yield point


def _point(desk: Desk, said: Statement) -> Point:
    piece = desk.cites.said(said)
    slots: Slots = (
        ("time", short(said.start) or word(desk.language, "value.undated")),
        ("name", desk.saying.name(said.concept) if said.concept is not None else said.name),
        ("assertion", word(desk.language, f"assertion.{said.assertion}")),
    )
    if isinstance(said.evidence, NoteRef):
        assert piece.kind == "note", "a mention is cited by its note"
        return Point("timeline.note", (*slots, ("quote", " ".join(piece.quote.split()))), (piece,))
    key = f"timeline.{said.evidence.table}"
    end = short(said.end)
    until = (
        word(desk.language, "timeline.until", end=end) if end is not None and said.relation == "takes" else ""
    )
    return Point(key, (*slots, ("until", until)), (piece,))


def _distinct(said: Sequence[Statement]) -> tuple[Statement, ...]:
    """Of what one day says of one thing in one way, the first; rows are all kept."""
    kept: dict[tuple[object, ...], Statement] = {}
    for one in said:
        note = isinstance(one.evidence, NoteRef)
        key = (one.concept, (one.start or "")[:10], one.assertion) if note else (one.evidence,)
        kept.setdefault(key, one)
    return tuple(kept.values())


def _thinned(said: Sequence[Statement]) -> tuple[Statement, ...]:
    """At most so many: rows and changes of assertion before what only repeats the one before."""
    if len(said) <= _SHOWN:
        return tuple(said)
    before = {one: said[place - 1] for place, one in enumerate(said) if place}

    def weight(one: Statement) -> tuple[bool, bool, bool]:
        last = before.get(one)
        ends = one is said[0] or one is said[-1]
        return ends, not isinstance(one.evidence, NoteRef), last is None or last.assertion != one.assertion

    chosen = set(sorted(range(len(said)), key=lambda i: weight(said[i]), reverse=True)[:_SHOWN])
    return tuple(one for place, one in enumerate(said) if place in chosen)
