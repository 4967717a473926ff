"""Who has a disease: its subtypes and all its codes included, what is negated, possible or the family's left out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from agent.answer import Cell, NoteEvidence, Result, RowEvidence
from agent.knowing.desk import Desk
from agent.knowing.evidence import UNNUMBERED
from agent.knowing.point import Computation, GraphFinding, Piece, Point
from agent.knowing.words import listed
from knowledge.patients import Member, RowRef, Statement

_SYSTEMS = {"icd10": "icd10", "icd9": "icd9"}
_LISTED = 20
"""Patients that are listed one by one; all of them are counted and cited."""
_NAMED_KINDS = 8


def cohort(desk: Desk) -> GraphFinding:
    """The patients that have, or have had, what the question names."""
    concepts = desk.action.concepts
    kinds = [one for concept in concepts for one in (concept, *desk.graph.descendants(concept))]
    codes = [
        f"{_SYSTEMS[code.system]}|{code.code.replace('.', '')}"
        for concept in dict.fromkeys(kinds)
        for code in desk.graph.codes(concept)
        if code.system in _SYSTEMS and code.scope != "approximate"
    ]
    cased = {written for code in codes for written in (code, code.lower())}
    members = desk.patients.cohort(kinds, cased, desk.scope.permitted)
    names = listed(desk.language, [desk.saying.name(concept) for concept in concepts])
    if not members:
        none = Point("cohort.none", (("name", names),))
        return GraphFinding(desk.action, (none, *_excluded(desk, kinds, members)), (("hierarchy", ()),))
    members = tuple(replace(member, statements=_named(member, kinds)) for member in members)
    points = [_count(desk, names, members), *_kinds(desk, members)]
    if not desk.action.counts:
        points += [_member(desk, member) for member in members[:_LISTED]]
        points += _more(desk, members[_LISTED:])
    points += _excluded(desk, kinds, members)
    return GraphFinding(desk.action, tuple(points), (("hierarchy", ()),), result=_result(desk, members))


def _result(desk: Desk, members: Sequence[Member]) -> Result:
    """How many there are, or all of them with what makes them one; the keys are in the evidence of the count."""
    if desk.action.counts:
        return Result(columns=("count",), rows=((len(members),),))
    rows: list[tuple[Cell, ...]] = []
    for member in members:
        said = _best(member)
        name = desk.saying.name(said.concept) if said.concept is not None else said.name
        rows.append((member.subject_id, name, said.start))
    return Result(columns=("subject_id", "name", "time"), rows=tuple(rows))


def _named(member: Member, kinds: Collection[str]) -> tuple[Statement, ...]:
    """The statements that name one of the kinds; where only a code leads to them, those with the code."""
    return tuple(said for said in member.statements if said.concept in kinds) or member.statements


def _count(desk: Desk, names: str, members: Iterable[Member]) -> Point:
    members = list(members)
    slots = (("n", str(len(members))), ("name", names))
    computed = (Computation("count", float(len(members))),)
    return Point(
        "cohort.count_beside" if desk.action.beside else "cohort.count",
        slots,
        _together(desk, (_best(m) for m in members)),
        computed,
    )


def _kinds(desk: Desk, members: Iterable[Member]) -> Iterator[Point]:
    """Which subtypes they have, most patients first."""
    found: dict[str, dict[int, Statement]] = {}  # by concept, then by patient
    for member in members:
        for said in member.statements:
            if said.concept is not None:
                found.setdefault(said.concept, {}).setdefault(member.subject_id, said)
    if len(found) < 2:
        return
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    for concept, of in ordered[:_NAMED_KINDS]:
        slots = (("name", desk.saying.name(concept)), ("n", str(len(of))))
        computed = (Computation("count", float(len(of))),)
        yield Point("cohort.kind", slots, _together(desk, of.values()), computed)


def _member(desk: Desk, member: Member) -> Point:
    said = _best(member)
    worded = desk.saying.statement(said, ago=False)  # "now" need not be near the time of each patient
    slots = (("subject_id", str(member.subject_id)), ("because", worded.text))
    return Point("cohort.member", slots, (desk.cites.said(said, person=True),), worded.computed)


def _more(desk: Desk, members: Sequence[Member]) -> Iterator[Point]:
    if members:
        pieces = _together(desk, (_best(member) for member in members))
        slots = (("n", str(len(members))),)
        yield Point("cohort.more", slots, pieces, (Computation("count", float(len(members))),))


def _excluded(desk: Desk, kinds: Iterable[str], members: Iterable[Member]) -> Iterator[Point]:
    """Those of whom it is only said that they do not have it, might have it, or that a relative has."""
    inside = {member.subject_id for member in members}
    noted = desk.patients.cohort(kinds, (), desk.scope.permitted, relations=("noted",))
    outside = [member for member in noted if member.subject_id not in inside]
    if outside:
        pieces = _together(desk, (member.statements[-1] for member in outside))
        slots = (("n", str(len(outside))),)
        yield Point("cohort.excluded", slots, pieces, (Computation("count", float(len(outside))),))


def _best(member: Member) -> Statement:
    """The statement to cite for a patient: a row before a note, then the newest."""
    return max(member.statements, key=lambda s: (isinstance(s.evidence, RowRef), s.start or ""))


def _together(desk: Desk, statements: Iterable[Statement]) -> tuple[Piece, ...]:
    """One piece for the rows of each table, one for each note."""
    rows: dict[str, list[int]] = {}
    notes: list[NoteEvidence] = []
    for said in statements:
        if isinstance(said.evidence, RowRef):
            rows.setdefault(said.evidence.table, []).append(said.evidence.row_id)
        else:
            note = desk.cites.said(said)
            assert note.kind == "note", "a mention is cited by its note"
            notes.append(note)
    pieces: list[Piece] = []
    for table, ids in rows.items():
        shown = desk.cites.rows((RowRef(table, ids[0]),))[0]
        pieces.append(
            RowEvidence(id=UNNUMBERED, table=table, row_ids=tuple(dict.fromkeys(ids)), values=shown.values)
        )
    return (*pieces, *notes)
