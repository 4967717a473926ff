"""What of a patient could explain a finding: drugs, diseases, procedures, germs, ranked, each with its path."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.knowing.desk import Desk
from agent.knowing.effects import effects
from agent.knowing.patient import kinship
from agent.knowing.point import GraphFinding, Piece, Point, Slots
from agent.knowing.saying import Worded, newest
from agent.knowing.words import word
from knowledge.facts import parse
from knowledge.facts.conditions import Judged
from knowledge.graph import Edge
from knowledge.patients import Problem, Statement
from knowledge.store.store import TIME_FORMAT

_SHOWN = 8
_ABSENT = "explanation.not_there"
_DRUG_DAYS, _PROCEDURE_DAYS, _ORGANISM_DAYS = 14, 30, 30
"""How long before the finding something may have ended, or been done, and still explain it."""
_CAUSAL = ("adverse_effect", "causes", "risk_factor_of")
_WEIGHTS: Mapping[tuple[str, str | None], float] = {
    ("causes", None): 1.0,
    ("adverse_effect", "common"): 1.0,
    ("adverse_effect", "serious"): 0.9,
    ("adverse_effect", None): 0.8,
    ("adverse_effect", "uncommon"): 0.6,
    ("symptom_of", "typical"): 0.9,
    ("symptom_of", "common"): 0.7,
    ("symptom_of", None): 0.6,
    ("symptom_of", "possible"): 0.4,
    ("risk_factor_of", None): 0.5,
}
_STEP = 0.8  # what each further edge of a path takes off
_HISTORY = 0.6  # what is over counts less


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something on record that may explain, by its concept."""

    concept: str
    statements: tuple[Statement, ...]
    historical: bool = False

    @property
    def said(self) -> Statement:
        """The newest statement of it."""
        return max(self.statements, key=lambda s: s.start or "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A candidate with the path to what is to be explained."""

    candidate: Candidate
    path: tuple[Edge, ...]
    score: float
    through: Problem | None = None


def explanation(desk: Desk) -> GraphFinding:
    """The explanations of what the question names, likeliest first by relation, severity and time."""
    concept = desk.action.concepts[0]
    points = list(on_record(desk, concept))
    if desk.action.relations and any(point.key == _ABSENT for point in points):
        risk = effects(desk)  # there is nothing to explain yet: what is asked is which drugs could do it
        return replace(risk, points=(*points, *risk.points))
    found = explain(desk, concept, _time_of(desk, concept))
    if desk.action.relations:
        found = [one for one in found if one.candidate.said.kind == "drug"]
    points += [_point(desk, place, one) for place, one in enumerate(found[:_SHOWN], start=1)]
    if not found:
        points.append(Point("explanation.none", (("name", desk.saying.name(concept)),)))
    return GraphFinding(desk.action, tuple(points), (("causes", ()),))


def explain(desk: Desk, concept: str, at: str) -> list[Explanation]:
    """What on record may explain a concept at a time, best first; each candidate once."""
    targets = _targets(desk, concept)
    candidates = {c.concept: c for c in _candidates(desk, at) if c.concept not in targets}
    best: dict[str, Explanation] = {}
    for one in _direct(desk, targets, candidates, concept):
        _keep(best, one)
    for one in _mediated(desk, targets, candidates, concept):
        _keep(best, one)
    return _nearest(sorted(best.values(), key=lambda one: (-one.score, one.candidate.concept)))


def _nearest(ranked: Sequence[Explanation]) -> list[Explanation]:
    """Without problems that explain by the very fact by which one before them does: kinds of the same disease."""
    told: set[int] = set()
    kept: list[Explanation] = []
    for one in ranked:
        causes = [edge.edge_id for edge in one.path if edge.relation != "is_a"]
        if one.candidate.said.kind == "problem":
            if causes[0] in told:
                continue
            told.add(causes[0])
        kept.append(one)
    return kept


def _keep(best: dict[str, Explanation], one: Explanation) -> None:
    known = best.get(one.candidate.concept)
    if known is None or one.score > known.score:
        best[one.candidate.concept] = one


def _targets(desk: Desk, concept: str) -> set[str]:
    """The thing itself, its kinds, and the next wider ones: what causes bleeding may cause this bleeding."""
    wider = {edge.object for edge in desk.graph.edges((concept,), ("is_a",))}
    return {concept, *desk.graph.descendants(concept), *wider}


def _direct(
    desk: Desk, targets: set[str], candidates: Mapping[str, Candidate], concept: str
) -> Iterator[Explanation]:
    causal = desk.graph.edges(sorted(targets), _CAUSAL, "in")
    symptoms = desk.graph.edges(sorted(targets), ("symptom_of",))
    for edge in causal:
        for one in _reached(desk, edge.subject, candidates):
            path = (*kinship(desk.graph, one.concept, edge.subject), edge, *_down(desk, edge.object, concept))
            yield Explanation(one, path, _score(one, path))
    for edge in symptoms:
        for one in _reached(desk, edge.object, candidates):
            up = kinship(desk.graph, one.concept, edge.object)
            path = (*up, edge, *_down(desk, edge.subject, concept))
            yield Explanation(one, path, _score(one, path))


def _mediated(
    desk: Desk, targets: set[str], candidates: Mapping[str, Candidate], concept: str
) -> Iterator[Explanation]:
    """By way of something that is itself on record: drug → kidney injury → hyperkalemia."""
    last = [
        edge for edge in desk.graph.edges(sorted(targets), _CAUSAL, "in") if desk.patient.having(edge.subject)
    ]
    between = {edge.subject for edge in last}
    for edge in desk.graph.edges(sorted(between), _CAUSAL, "in"):
        for one in _reached(desk, edge.subject, candidates):
            if one.concept != edge.subject and one.said.kind != "drug":
                continue  # the kind of a disease does what it does by the disease itself, which is told
            for final in last:
                if final.subject == edge.object and one.concept not in (final.subject, *between):
                    through = desk.patient.having(final.subject)[0]
                    up = kinship(desk.graph, one.concept, edge.subject)
                    path = (*up, edge, final, *_down(desk, final.object, concept))
                    yield Explanation(one, path, _score(one, path), through)


def _reached(desk: Desk, subject: str, candidates: Mapping[str, Candidate]) -> Iterator[Candidate]:
    """The candidates that are a subject or of its kind."""
    if subject in candidates:
        yield candidates[subject]
    below = set(desk.graph.descendants(subject))
    yield from (one for concept, one in candidates.items() if concept in below)


def _down(desk: Desk, end: str, concept: str) -> tuple[Edge, ...]:
    """The is_a edges between a path's end and what is to be explained, whichever is the wider."""
    if end == concept:
        return ()
    return tuple(reversed(kinship(desk.graph, concept, end))) or kinship(desk.graph, end, concept)


def _score(one: Candidate, path: Iterable[Edge]) -> float:
    score, steps = 1.0, 0
    for edge in path:
        steps += 1
        if edge.relation != "is_a":
            weights = (_WEIGHTS.get((edge.relation, severity)) for severity in (edge.severity, None))
            score *= next((weight for weight in weights if weight is not None), 0.5)
    return score * _STEP ** (steps - 1) * (_HISTORY if one.historical else 1.0)


def _candidates(desk: Desk, at: str) -> Iterator[Candidate]:
    """What the patient took, had or underwent about a time."""
    said = desk.patients.statements(
        desk.patient.subject_id, relations=("takes", "underwent", "grew", "has_problem", "has_finding")
    )
    grouped: dict[str, list[Statement]] = {}
    for one in said:
        if one.concept is not None and one.relation in ("takes", "underwent", "grew") and _near(one, at):
            grouped.setdefault(one.concept, []).append(one)
    yield from (Candidate(concept, tuple(of)) for concept, of in grouped.items())
    for thing in desk.patient.things:
        if thing.concept is not None and thing.concept not in grouped:
            yield Candidate(thing.concept, thing.statements, thing.historical)


def _near(said: Statement, at: str) -> bool:
    """Whether something had begun by a time, and was not over too long before."""
    if said.start is not None and said.start > at:
        return False
    days = {"takes": _DRUG_DAYS, "underwent": _PROCEDURE_DAYS}.get(said.relation, _ORGANISM_DAYS)
    since = (datetime.strptime(at, TIME_FORMAT) - timedelta(days=days)).strftime(TIME_FORMAT)
    last = said.end or (None if said.relation == "takes" and not said.closed else said.start)
    return last is None or last >= since


def _time_of(desk: Desk, concept: str) -> str:
    """When the finding was last said to be there; now where it never was."""
    things = desk.patient.having(concept)
    times = [thing.last for thing in things if thing.last is not None]
    return max(times) if times else desk.scope.now


def on_record(desk: Desk, concept: str, absent: str = _ABSENT) -> Iterator[Point]:
    """Where a thing is on record: as a statement, and as a value that proves it.

    Args:
        desk: of the question.
        concept: the thing.
        absent: what is said where it is neither.
    """
    name = desk.saying.name(concept)
    things = desk.patient.having(concept)
    if things:
        worded = desk.saying.thing(things[0])
        slots: Slots = (("name", name), ("because", worded.text))
        yield Point("explanation.there", slots, (desk.cites.said(newest(things[0])),), worded.computed)
    proved, disproved = False, None
    for edge in desk.graph.edges((concept,), ("diagnosed_by",)):
        verdict = desk.values.judge(parse(edge.condition)) if edge.condition is not None else None
        if verdict is not None and verdict.outcome == "true":
            value = desk.values.value(verdict.because[0].concept or "")
            assert value is not None, "a comparison that holds has a value"
            worded = desk.saying.value(value, verdict.because[0].comparison.unit)
            slots = (
                ("name", name),
                ("path", desk.saying.path((edge,))),
                ("because", worded.text),
                ("detail", desk.saying.detail(edge)),  # what else the source asks for beside the value
            )
            pieces: tuple[Piece, ...] = (desk.cites.path((edge,)), *desk.cites.rows(value.rows))
            yield Point("explanation.value", slots, pieces, worded.computed)
            proved = True
        elif verdict is not None and verdict.outcome == "false":
            disproved = disproved or (edge, verdict.because[0])
    if not things and not proved:
        yield Point(absent, (("name", name),))
    if not proved and disproved is not None:
        yield from _disproved(desk, name, *disproved)


def _disproved(desk: Desk, name: str, edge: Edge, judged: Judged) -> Iterator[Point]:
    """The newest value, where it says otherwise: who asks why it is high should know that it no longer is."""
    value = desk.values.value(judged.concept or "")
    if value is not None:
        worded = desk.saying.value(value, judged.comparison.unit)
        slots = (("name", name), ("path", desk.saying.path((edge,))), ("because", worded.text))
        pieces = (desk.cites.path((edge,)), *desk.cites.rows(value.rows))
        yield Point("explanation.value_against", slots, pieces, worded.computed)


def _point(desk: Desk, place: int, one: Explanation) -> Point:
    worded = desk.saying.statement(one.candidate.said)
    said = [worded]
    pieces: list[Piece] = [desk.cites.path(one.path), desk.cites.said(one.candidate.said)]
    if one.through is not None:
        said.append(desk.saying.thing(one.through))
        pieces.append(desk.cites.said(newest(one.through)))
    because = _joined(desk, said)
    kind = word(desk.language, f"kind.{one.candidate.said.kind}")
    details = "".join(desk.saying.detail(edge) for edge in one.path if edge.relation != "is_a")
    slots = (
        ("place", str(place)),
        ("name", desk.saying.name(one.candidate.concept)),
        ("kind", kind),
        ("path", desk.saying.path(one.path)),
        ("because", because.text),
        ("detail", details),
    )
    return Point("explanation.hit", slots, tuple(pieces), because.computed)


def _joined(desk: Desk, said: list[Worded]) -> Worded:
    text = said[0].text
    for other in said[1:]:
        text = word(desk.language, "value.joined", first=text, second=other.text)
    return Worded(text, tuple(c for each in said for c in each.computed))
