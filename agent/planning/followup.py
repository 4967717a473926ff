"""Elliptical questions that continue the one before: "and his potassium?", "只看最近三天", "and in 2100?".

The previous query is taken again with what the new question names put in its place: a value, a time, a
patient. A question that stands on its own is none of this module's business.
"""

import re
from dataclasses import replace

from agent.answer import Language
from agent.planning.choose import choose
from agent.planning.intent import SLOT_FIELDS, kind_of
from agent.planning.link import Candidate, Link, Linked
from agent.planning.phrases import phrase
from agent.planning.plan import Plan, QueryRecords, SearchNotes, Turn
from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Events

_OPENING = re.compile(
    r"(?:(?:and|but|also|what about|how about|same|the same|only|just|again|then|now|ok|okay|so)\b|"
    r"那么?|再|还有|同样|一样|只看|只要|仅|换成|改成|另外|以及|接着|也)"
)
_FILLER = re.compile(
    r"\b(?:and|but|also|what|how|about|same|the|only|just|again|then|now|ok|okay|so|for|in|on|of|during|at|to|his|her|"
    r"their|him|she|he|this|that|it|please|show|me|a|an|thing|question|query|patient|from|was|were|is|instead|with|"
    r"limit|last|look|see|too|as|well|value|values|level|levels|result|results|one|ones|restrict|give|all)\b|"
    r"那么|那|再|还有|同样|一样的?|只看|只要|仅看?|换成|改成|另外|以及|接着|也|的|呢|吗|看看?|一下|查|是|多少|怎么样|如何|"
    r"他|她|它|患者|病人|请|给我|问题|同一|情况|时间|范围|限于|在|值|结果|要|和|这个|这位|对|于|显示|出来|吧"
)

_FEW_WORDS = 3  # a Chinese character counts half


def continued(
    question: str, language: Language, linked: Linked, subject_id: int | None, history: tuple[Turn, ...]
) -> Plan | None:
    """The previous plan with what this question replaces, or ``None`` where it is no follow-up.

    Args:
        question: as cleaned.
        language: of the question.
        linked: what it names.
        subject_id: the patient that is named or open.
        history: earlier turns, oldest first.
    """
    previous = next((turn for turn in reversed(history) if turn.plan is not None), None)
    if previous is None or previous.plan is None or not previous.plan.actions:
        return None
    if not (linked.values or linked.times or linked.patients) or not is_elliptical(question, linked):
        return None
    said = (
        phrase(language, "follow_up", question=previous.question),
        *dict.fromkeys(time.assumption for time in linked.times if time.assumption),
    )
    action = previous.plan.actions[0]
    if isinstance(action, SearchNotes):
        window = next((time.window for time in linked.times if time.window), action.window)
        if linked.values and not linked.times:
            return None
        patient = action.subject_id if action.subject_id is None else subject_id
        return Plan((replace(action, subject_id=patient, window=window),), previous.plan.confidence, said)
    if not isinstance(action, QueryRecords):
        return None
    query = _with_patient(action.query, linked, subject_id)
    query = query.model_copy(update={"of": _with_times(query.of, linked)})
    changed = _with_values(query, linked, language)
    if changed is None:
        return None
    query, more = changed
    return Plan((QueryRecords(query, action.intent, chart=action.chart),), previous.plan.confidence, (*said, *more))


def borrowed(question: str, linked: Linked, history: tuple[Turn, ...]) -> Linked | None:
    """The links of a few words that name nothing ("trend?", 最高是多少), with what the last query was about.

    Returns:
        ``None`` where the question is longer or names something, or the last turn asked no table.
    """
    text = half_width(question)
    length = len(re.findall(r"[a-z0-9]+", text)) + len(re.findall(r"[\u3400-\u9fff]", text)) / 2
    previous = history[-1].plan if history else None
    action = previous.actions[0] if previous is not None and previous.actions else None
    if linked.values or length > _FEW_WORDS or not isinstance(action, QueryRecords):
        return None
    of = action.query.of
    links = tuple(
        Link(
            0,
            0,
            concept.said or concept.values[0],
            tuple(
                Candidate(of.domain, concept.field, value, 1.0, "name" if concept.values[1:] else "exact", 1)
                for value in concept.values
            ),
        )
        for concept in of.concepts[:1]
        if concept.values
    )
    return replace(linked, values=links) if links else None


def is_elliptical(question: str, linked: Linked) -> bool:
    """Whether a question has nothing of its own beside links and words that lean on the last one."""
    text = half_width(question)
    opening = _OPENING.match(text.lstrip(" ,.;，。；")) is not None
    spans = [(link.start, link.end) for link in (*linked.values, *linked.times, *linked.patients)]
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    rest = re.sub(r"[\W_]+", "", _FILLER.sub(" ", text))
    ends_open = question.rstrip(" ?？。").endswith("呢")
    return not rest and (opening or ends_open or not linked.values)


def _with_patient(query: ClinicalQuery, linked: Linked, subject_id: int | None) -> ClinicalQuery:
    named = any(patient.how != "scope" for patient in linked.patients)
    if query.patient is None and not named:
        return query
    return query.model_copy(update={"patient": subject_id if subject_id is not None else query.patient})


def _with_times(events: Events, linked: Linked) -> Events:
    window = next((time.window for time in linked.times if time.window), None)
    encounter = next((time.encounter for time in linked.times if time.encounter), None)
    if window is None and encounter is None:
        return events
    if window is not None and events.window is not None:
        window = window.model_copy(update={"on": events.window.on})
    return events.model_copy(update={"window": window, "encounter": encounter})


def _with_values(
    query: ClinicalQuery, linked: Linked, language: Language
) -> tuple[ClinicalQuery, tuple[str, ...]] | None:
    """The query about another value of the same kind; ``None`` where the previous one was of no such kind."""
    if not linked.values:
        return query, ()
    events = query.of
    for link in linked.values:
        for kind in dict.fromkeys(kind_of(candidate) for candidate in link.candidates):
            position = next(
                (
                    place
                    for place, concept in enumerate(events.concepts)
                    if kind is not None and _kind_at(events, concept.field) == kind
                ),
                None,
            )
            if kind is None or position is None:
                continue
            choice = choose(link, kind, language)
            if choice.concept is None or choice.domain is None:
                return None
            concepts = list(events.concepts)
            concepts[position] = choice.concept
            events = events.model_copy(update={"domain": choice.domain, "concepts": tuple(concepts)})
            return query.model_copy(update={"of": events}), (choice.assumption,) if choice.assumption else ()
    return None


def _kind_at(events: Events, field: str) -> str | None:
    return SLOT_FIELDS.get((events.domain, field))
