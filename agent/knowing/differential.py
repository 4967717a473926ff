"""Which diseases a set of findings speaks for, with what supports and what opposes each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agent.answer import Language
from agent.knowing.desk import Desk
from agent.knowing.patient import kinship
from agent.knowing.point import Computation, GraphFinding, Piece, Point, Slots
from agent.knowing.saying import newest
from agent.knowing.words import listed, word
from knowledge.graph import Edge
from knowledge.patients import Problem, Statement

_SHOWN = 6
_LOOKED_AT = 30  # of which those of one family are put together
_CURRENT_DAYS_FINDINGS = 12  # findings of a record that a differential without named ones starts from
_FOR: Mapping[str | None, float] = {"typical": 3.0, "common": 2.0, None: 1.5, "possible": 1.0}
_AGAINST: Mapping[str | None, float] = {"typical": 2.0, "common": 1.0, None: 0.5, "possible": 0.25}
_RISK = 0.5  # a risk factor on record


@dataclass(slots=True)
class _Disease:
    """A disease with all that speaks for and against it."""

    concept: str
    supporting: dict[str, tuple[Edge, ...]] = field(default_factory=dict)  # by finding
    opposing: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    risks: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    kin: dict[str, tuple[Edge, ...]] = field(default_factory=dict)  # its kinds with the same signs

    def speaks_like(self, other: "_Disease") -> bool:
        """Whether the same findings speak for and against both."""
        return (
            self.supporting.keys() == other.supporting.keys()
            and self.opposing.keys() == other.opposing.keys()
        )

    @property
    def score(self) -> float:
        """For less against; the severities are those of the facts."""
        gained = sum(_FOR.get(_said(path).severity, 1.0) for path in self.supporting.values())
        lost = sum(_AGAINST.get(_said(path).severity, 0.5) for path in self.opposing.values())
        return gained - lost + _RISK * len(self.risks)


def differential(desk: Desk) -> GraphFinding:
    """The diseases that the findings speak for, those that explain most first."""
    present, denied, own = _findings(desk)
    if not present:
        return GraphFinding(desk.action, (Point("differential.no_findings"),), (("ranking", ()),))
    diseases = _diseases(desk, present, denied)
    seen = desk.patients.frequencies(diseases, desk.scope.permitted)
    ranked = sorted(
        (one for one in diseases.values() if one.supporting),
        key=lambda one: (-one.score, -seen.get(one.concept, 0), one.concept),
    )
    shown = _families(desk, ranked[:_LOOKED_AT])[:_SHOWN]
    points = [_point(desk, place, one, denied, own) for place, one in enumerate(shown, start=1)]
    if not points:
        names = listed(desk.language, [desk.saying.name(concept) for concept in present])
        points = [Point("differential.none", (("findings", names),))]
    return GraphFinding(
        desk.action, tuple(points), (("ranking", ()),), general=desk.action.subject_id is None
    )


def _families(desk: Desk, ranked: Sequence[_Disease]) -> list[_Disease]:
    """A disease and its kinds for and against which the same findings speak are told as one, by the widest name."""
    heads: list[_Disease] = []
    above = {one.concept: set(desk.graph.ancestors(one.concept)) for one in ranked}
    for one in ranked:
        for place, head in enumerate(heads):
            if not one.speaks_like(head):
                continue
            if head.concept in above[one.concept]:
                head.kin[one.concept] = kinship(desk.graph, one.concept, head.concept)
                break
            if one.concept in above[head.concept]:
                kinds = (head.concept, *head.kin)
                one.kin |= {kind: kinship(desk.graph, kind, one.concept) for kind in kinds}
                heads[place] = one
                break
        else:
            heads.append(one)
    return heads


def _findings(
    desk: Desk,
) -> tuple[tuple[str, ...], dict[str, Statement | None], Mapping[str, Problem]]:
    """What is there, what is denied (in the question or on record), and where the record says what is there."""
    action = desk.action
    own: dict[str, Problem] = {}
    denied: dict[str, Statement | None] = dict.fromkeys(action.absent)
    present = action.concepts
    if action.subject_id is not None:
        own = {thing.concept: thing for thing in desk.patient.things if thing.concept is not None}
        if not present:
            found = [t.concept for t in desk.patient.things if t.kind == "finding" and not t.historical]
            present = tuple(one for one in found if one is not None)[:_CURRENT_DAYS_FINDINGS]
        for said in desk.patients.denied(action.subject_id):
            if said.concept is not None and said.concept not in own and said.concept not in present:
                denied[said.concept] = said  # the newest is read last
    return present, denied, own


def _diseases(
    desk: Desk, present: Collection[str], denied: Mapping[str, Statement | None]
) -> dict[str, _Disease]:
    found: dict[str, _Disease] = {}
    for finding in present:
        for path in _points_to(desk, finding):
            disease = _said(path).object
            if disease not in present:
                one = found.setdefault(disease, _Disease(disease))
                one.supporting.setdefault(finding, path)
    for finding in denied:
        for path in _points_to(desk, finding, up=False):
            disease = _said(path).object
            if disease in found:
                found[disease].opposing.setdefault(finding, path)
    if desk.action.subject_id is not None:
        for edge in desk.graph.edges(sorted(found), ("risk_factor_of",), "in"):
            if desk.patient.having(edge.subject):
                found[edge.object].risks.setdefault(edge.subject, (edge,))
    return found


def _points_to(desk: Desk, finding: str, *, up: bool = True) -> list[tuple[Edge, ...]]:
    """The facts by which a finding, or a wider one, points to diseases; the nearest of the finding first.

    What is denied is denied with all its kinds (no chest pain: no pleuritic one), but not what is wider.
    """
    wider = tuple(edge.object for edge in desk.graph.edges((finding,), ("is_a",)))
    others = wider if up else desk.graph.descendants(finding)
    return [
        (*(kinship(desk.graph, finding, subject) or reversed(kinship(desk.graph, subject, finding))), edge)
        for subject in (finding, *others)
        for edge in desk.graph.edges((subject,), ("symptom_of",))
    ]


def _said(path: tuple[Edge, ...]) -> Edge:
    """The fact at the end of a path."""
    return path[-1]


def _point(
    desk: Desk,
    place: int,
    one: _Disease,
    denied: Mapping[str, Statement | None],
    own: Mapping[str, Problem],
) -> Point:
    pieces: list[Piece] = [desk.cites.path(path) for path in one.supporting.values()]
    computed: list[Computation] = []
    supporting = [_named(desk, finding, path) for finding, path in one.supporting.items()]
    for finding in one.supporting:
        if finding in own:
            pieces.append(desk.cites.said(newest(own[finding])))
    opposing = []
    for finding, path in one.opposing.items():
        opposing.append(_named(desk, finding, path))
        pieces.append(desk.cites.path(path))
        said = denied[finding]
        if said is not None:
            pieces.append(desk.cites.said(said))
    for subject, path in one.risks.items():
        pieces.append(desk.cites.path(path))
        pieces.append(desk.cites.said(newest(desk.patient.having(subject)[0])))
    known = desk.patient.having(one.concept) if desk.action.subject_id is not None else ()
    language: Language = desk.language
    slots: Slots = (
        ("place", str(place)),
        ("name", desk.saying.name(one.concept)),
        ("supporting", listed(language, supporting)),
        (
            "opposing",
            word(language, "differential.against", findings=listed(language, opposing)) if opposing else "",
        ),
        (
            "risks",
            word(
                language,
                "differential.risk",
                factors=listed(language, [desk.saying.name(r) for r in one.risks]),
            )
            if one.risks
            else "",
        ),
        ("kin", _kin(desk, one)),
        ("known", ""),
    )
    pieces += [desk.cites.path(way) for way in one.kin.values()]
    if known:
        worded = desk.saying.thing(known[0])
        slots = (*slots[:-1], ("known", word(language, "differential.known", because=worded.text)))
        pieces.append(desk.cites.said(newest(known[0])))
        computed += worded.computed
    return Point("differential.hit", slots, tuple(pieces), tuple(computed))


def _kin(desk: Desk, one: _Disease) -> str:
    if not one.kin:
        return ""
    names = [desk.saying.name(concept) for concept in one.kin]
    return word(desk.language, "differential.kin", names=listed(desk.language, names))


def _named(desk: Desk, finding: str, path: tuple[Edge, ...]) -> str:
    severity = _said(path).severity
    name = desk.saying.name(finding)
    return (
        f"{name} ({word(desk.language, f'facts_severity.{severity}').strip(' ()（）')})" if severity else name
    )
