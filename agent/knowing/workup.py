"""What the work-up and monitoring of a problem or drug call for, held against what the record has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.knowing.desk import Desk
from agent.knowing.explanation import on_record
from agent.knowing.guidelines import Passage
from agent.knowing.patient import kinship
from agent.knowing.point import GraphFinding, Piece, Point
from agent.knowing.saying import Worded, days_between
from agent.knowing.values import Value
from agent.knowing.words import listed, word
from knowledge.graph import Edge
from knowledge.patients import Statement

_RELATIONS = ("diagnosed_by", "monitored_by")
_UNFOUNDED = "workup.absent"
_PASSAGES = 2  # sentences of guidelines that are quoted for one thing
_OLD_DAYS = 365
"""A result older than this is told with its age among what is missing."""


@dataclass(frozen=True, slots=True)
class Called:
    """Something that is called for, the facts that call for it, and what the record has of it."""

    concept: str
    paths: tuple[tuple[Edge, ...], ...]
    passages: tuple[Passage, ...] = ()
    value: Value | None = None
    statement: Statement | None = None

    @property
    def time(self) -> str | None:
        """When it was done last."""
        return self.value.time if self.value is not None else self.statement.start if self.statement else None


def workup(desk: Desk) -> GraphFinding:
    """What is missing first, then what is old, then what is there.

    Where nothing says that the patient has what the question is about, that comes first, and nothing is missing.
    """
    called = _called_for(desk)
    unfounded = list(_not_there(desk))
    key = "workup.would" if _is_unfounded(desk, unfounded) else "workup.missing"
    missing = [one for one in called if one.value is None and one.statement is None]
    there = [one for one in called if one not in missing]
    old = [
        one for one in there if one.time is not None and days_between(one.time, desk.scope.now) > _OLD_DAYS
    ]
    about = listed(desk.language, [desk.saying.name(concept) for concept in desk.action.concepts])
    points = [*unfounded, *(_missing(desk, one, key) for one in missing)]
    points += [_found(desk, "workup.old", one) for one in old]
    points += [_found(desk, "workup.done", one) for one in there if one not in old]
    if not called:
        points = [Point("workup.no_facts", (("name", about),))]
    elif not missing and not old and not unfounded:
        points.insert(0, Point("workup.complete", (("name", about),), tuple(_evidence(desk, there[0]))))
    return GraphFinding(desk.action, tuple(points), (("workup", ()),))


def _not_there(desk: Desk) -> Iterator[Point]:
    """What the question is about and no diagnosis or note asserts: what a value shows, what is only noted."""
    taken = {drug.concept for drug in desk.patient.drugs}
    taken |= {one for drug in desk.patient.drugs for one in desk.patient.classes(drug.concept)}
    for concept in desk.action.concepts:
        if desk.graph.node(concept).type in ("drug", "drug_class"):
            if concept not in taken:
                yield Point("safety.not_current_drug", (("drug", desk.saying.name(concept)),))
        elif not desk.patient.having(concept):
            yield from on_record(desk, concept, _UNFOUNDED)
            yield from _noted(desk, concept)


def _is_unfounded(desk: Desk, points: Sequence[Point]) -> bool:
    """Whether there is no evidence of any of the problems that the question is about."""
    return sum(point.key == _UNFOUNDED for point in points) == len(desk.action.concepts)


def _noted(desk: Desk, concept: str) -> Iterator[Point]:
    """What notes say of a thing without asserting it of the patient: denied, possible, in the family."""
    kinds = (concept, *desk.graph.descendants(concept))
    said = desk.patients.statements(desk.patient.subject_id, relations=("noted",), concepts=kinds)
    for one in said[-1:]:
        worded = desk.saying.statement(one)
        slots = (("because", worded.text), ("assertion", word(desk.language, f"assertion.{one.assertion}")))
        yield Point("workup.noted", slots, (desk.cites.said(one),), worded.computed)


def _called_for(desk: Desk) -> list[Called]:
    """Each thing that guidelines of a concept call for, then those that facts do."""
    concepts = desk.action.concepts
    kin = {one for c in concepts for one in (c, *desk.graph.ancestors(c), *desk.graph.descendants(c))}
    passages: dict[str, list[Passage]] = {}
    for passage in desk.guidelines.calls_for(kin):
        passages.setdefault(passage.concept, []).append(passage)
    paths = _by_facts(desk)
    return [
        _looked_up(desk, concept, paths.get(concept, ()), tuple(passages.get(concept, ())[:_PASSAGES]))
        for concept in dict.fromkeys((*passages, *paths))
    ]


def _by_facts(desk: Desk) -> dict[str, tuple[tuple[Edge, ...], ...]]:
    """Each thing that facts about a concept, or about the kinds above it, call for."""
    found: dict[str, list[tuple[Edge, ...]]] = {}
    for concept in desk.action.concepts:
        for subject in (concept, *desk.graph.ancestors(concept)):
            for edge in desk.graph.edges((subject,), _RELATIONS):
                found.setdefault(edge.object, []).append((*kinship(desk.graph, concept, subject), edge))
    return {concept: tuple(_distinct(paths)) for concept, paths in found.items()}


def _distinct(paths: Sequence[tuple[Edge, ...]]) -> Iterator[tuple[Edge, ...]]:
    """One path for each relation, the nearest."""
    nearest: dict[str, tuple[Edge, ...]] = {}
    for path in sorted(paths, key=len):
        nearest.setdefault(path[-1].relation, path)
    yield from nearest.values()


def _looked_up(
    desk: Desk, concept: str, paths: tuple[tuple[Edge, ...], ...], passages: tuple[Passage, ...]
) -> Called:
    kind = desk.graph.node(concept).type
    if kind in ("lab", "vital"):
        return Called(concept, paths, passages, value=desk.values.value(concept))
    kinds = (concept, *desk.graph.descendants(concept))
    said = desk.patients.statements(desk.patient.subject_id, concepts=kinds)
    done = [s for s in said if s.is_own and (s.start is None or s.start <= desk.scope.now)]
    return Called(concept, paths, passages, statement=done[-1] if done else None)


def _missing(desk: Desk, one: Called, key: str) -> Point:
    slots = (
        ("name", desk.saying.name(one.concept)),
        ("path", _reason(desk, one)),
        ("detail", "".join(desk.saying.detail(path[-1]) for path in one.paths)),
    )
    return Point(key, slots, _sources(desk, one))


def _found(desk: Desk, key: str, one: Called) -> Point:
    worded = _worded(desk, one)
    slots = (
        ("name", desk.saying.name(one.concept)),
        ("path", _reason(desk, one)),
        ("because", worded.text),
    )
    return Point(key, slots, _evidence(desk, one), worded.computed)


def _worded(desk: Desk, one: Called) -> Worded:
    if one.value is not None:
        return desk.saying.value(one.value)
    assert one.statement is not None, "what is there has a value or a statement"
    return desk.saying.statement(one.statement)


def _evidence(desk: Desk, one: Called) -> tuple[Piece, ...]:
    if one.value is not None:
        return (*_sources(desk, one), *desk.cites.rows(one.value.rows))
    assert one.statement is not None, "what is there has a value or a statement"
    return (*_sources(desk, one), desk.cites.said(one.statement))


def _sources(desk: Desk, one: Called) -> tuple[Piece, ...]:
    """What calls for it."""
    paths = (desk.cites.path(path) for path in one.paths)
    return (*(passage.evidence for passage in one.passages), *paths)


def _reason(desk: Desk, one: Called) -> str:
    """What calls for it, in words: the guideline's sentence, the facts' paths."""
    said = [
        word(desk.language, "workup.guideline", title=p.cited_as, quote=" ".join(p.quote.split()))
        for p in one.passages
    ]
    return "; ".join((*said, *(desk.saying.path(path) for path in one.paths)))
