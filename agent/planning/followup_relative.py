"""Questions of what came before or after the events of the last one: "red cells after that?", 术后血红蛋白最低多少.

The rest of the question is planned by itself; here its events are put in relation to those of the last query.
"""

from dataclasses import dataclass, replace
from typing import Literal

from agent.planning.followup_lexicon import word
from agent.planning.link import Linked
from agent.planning.plan import Plan, QueryRecords, Turn
from agent.planning.times import half_width
from agent.query.model import Related

_DATED = frozenset(
    {"procedure", "drug", "diagnosis", "lab", "vital", "icu_stay", "microbiology", "input", "transfer"}
)


_SIDES: tuple[tuple[str, Literal["before", "after"]], ...] = (
    ("afterwards", "before"),
    ("beforehand", "after"),
)


@dataclass(frozen=True, slots=True)
class Relative:
    """A question without the words that point at the last one's events, and how its own stand to them.

    Attributes:
        related: ``None`` where the last question had no events that others could stand to.
    """

    question: str
    related: Related | None


def relative(question: str, linked: Linked, history: tuple[Turn, ...]) -> Relative | None:
    """What a question asks of the time before or after the last one's events, or ``None``.

    Args:
        question: as cleaned.
        linked: what it names.
        history: earlier turns, oldest first.
    """
    found = _said(question, linked)
    if found is None:
        return None
    (start, end), relation, points = found
    last = next((turn.plan for turn in reversed(history) if turn.plan is not None), None)
    action = last.actions[0] if last is not None and last.actions else None
    of = action.query.of if isinstance(action, QueryRecords) and action.query.patient is not None else None
    if of is None or of.domain not in _DATED or of.related or not (points or of.domain == "procedure"):
        return Relative(question, None) if points and last is not None else None
    rest = question[:start] + " " * (end - start) + question[end:]
    return Relative(rest, Related(events=of, relation=relation))


def _said(question: str, linked: Linked) -> tuple[tuple[int, int], Literal["before", "after"], bool] | None:
    """Where a question says "after that", how its events stand to the last ones, and whether it points at those."""
    text = half_width(question)
    taken = [(link.start, link.end) for link in (*linked.values, *linked.times)]
    for name, relation in _SIDES:
        match = word(name).search(text)
        if match is None or any(start < match.end() and match.start() < end for start, end in taken):
            continue
        return match.span(), relation, word("points_in_time").search(match[0]) is not None
    return None


def related_to(plan: Plan, relation: Related, patient: int | None) -> Plan | None:
    """A plan whose events stand in the relation; ``None`` where it does not ask the tables of the same patient."""
    action = plan.actions[0] if len(plan.actions) == 1 else None
    if not isinstance(action, QueryRecords) or action.query.patient != patient or patient is None:
        return None
    of = action.query.of
    query = action.query.model_copy(update={"of": of.model_copy(update={"related": (*of.related, relation)})})
    return replace(plan, actions=(replace(action, query=query, intent=None),))
