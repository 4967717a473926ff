"""Questions that lean on the one before: "and his potassium?", "the highest?", "只看最近三天", "什么时候测的？".

A follow-up is an edit of the last query: another value, time, patient or restriction in it, or something else
asked of the same events. Every planner calls :func:`continued` first, so that conversations go on alike
whoever plans. A question that stands on its own is none of this module's business.
"""

from dataclasses import replace

from agent.answer import Language
from agent.planning.followup_ask import is_of_many
from agent.planning.followup_edit import edited
from agent.planning.followup_span import in_same_year
from agent.planning.followup_words import (
    Edit,
    is_bound,
    is_fragment,
    is_group,
    names_a_subject,
    read_edit,
    without_contrast,
)
from agent.planning.link import Linked
from agent.planning.not_held import not_held
from agent.planning.phrases import phrase
from agent.planning.plan import Plan, QueryRecords, Refuse, SearchNotes, Turn
from agent.query.model import ClinicalQuery
from agent.query.phrases import subject

_SURE = 0.99
_SHORT = 40  # characters of a question that may lean on one that had no answer
_OF_STAYS = frozenset(  # what is asked of a patient's stay without naming it: "when was she discharged?"
    "admitted discharged duration since age insurance careunit reason type discharge_location "
    "admission_location".split()
)
_RIGHT = 0.68  # of second questions asked once, before any failure was read (102 of 150, docs/planner.md)


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
    action = previous.plan.actions[0]
    if isinstance(action, QueryRecords):
        linked = in_same_year(linked, action.query.of.window, language)
    question, linked = without_contrast(question, linked)
    many = isinstance(action, QueryRecords) and is_of_many(action.query)
    edit = read_edit(question, linked, many=many)
    named = any(patient.how != "scope" for patient in linked.patients)
    unanswered = isinstance(action, Refuse) and subject_id is None and len(question) <= _SHORT
    if unanswered and not names_a_subject(question, linked):
        return _refused(question, language, previous)
    if edit is None and isinstance(action, QueryRecords):
        if many and is_bound(question):
            return _refused(question, language, previous)  # read alone it would be of everyone
        if many and not names_a_subject(question, linked):
            return _refused(question, language, previous)  # read alone it would be of anything
        if is_fragment(question) and not linked.values:
            return _refused(question, language, previous)  # read alone it is no question
    if edit is None:
        return None
    if edit.is_empty and not (linked.values or linked.times or named or edit.nouns):
        return None
    if isinstance(action, SearchNotes):
        again = _searched_again(action, edit, language, linked, subject_id, previous)
        return again or _unfit(question, edit, language, linked, previous)
    if not isinstance(action, QueryRecords):
        return _unfit(question, edit, language, linked, previous)
    changed = edited(action.query, edit, linked, language, subject_id, previous.question)
    if changed is None:
        return _unfit(question, edit, language, linked, previous)
    lacking = not_held(changed.query, linked, language)
    if lacking is not None:
        return Plan((lacking,), _SURE)
    same_ask = changed.query.ask == action.query.ask and changed.query.of.pick == action.query.of.pick
    parts = _kept(action.query, changed.query, language)
    joined = ("、" if language == "zh" else ", ").join(parts)
    said = (
        phrase(language, "follow_up", question=previous.question, parts=joined),
        *dict.fromkeys(time.assumption for time in linked.times if time.assumption),
        *changed.assumptions,
    )
    drawn = action.chart if same_ask else None  # another question is drawn only if it asks for that
    intent = action.intent if same_ask and not (edit.filters or edit.compares) else None
    confidence = min(previous.plan.confidence, _RIGHT)
    return Plan((QueryRecords(changed.query, intent, chart=drawn),), confidence, said)


def _unfit(question: str, edit: Edit, language: Language, linked: Linked, last: Turn) -> Plan | None:
    """A refusal where a question is nothing but a change that the last query cannot take ("the average?" of drugs).

    Alone it would be read as a question about something else, or about everyone.
    """
    if linked.values or edit.nouns or "patients" in edit.leans:
        return None
    if edit.field in _OF_STAYS or (edit.pick is None and edit.form in _OF_STAYS):
        return None
    return _refused(question, language, last)


def _refused(question: str, language: Language, last: Turn) -> Plan:
    asked = last.plan is not None and isinstance(last.plan.actions[0], QueryRecords | SearchNotes)
    key = "not_continued" if asked else "nothing_to_continue"
    text = phrase(language, key, said=question, question=last.question)
    return Plan((Refuse("low_confidence", text),), _SURE)


def _searched_again(
    action: SearchNotes, edit: Edit, language: Language, linked: Linked, subject_id: int | None, last: Turn
) -> Plan | None:
    """The last search of the notes in another time, or of another patient's notes."""
    if last.plan is None or not edit.is_empty or any(not is_group(link) for link in linked.values):
        return None
    window = next((time.window for time in linked.times if time.window), action.window)
    patient = action.subject_id if action.subject_id is None else subject_id
    said = (
        phrase(language, "follow_up", question=last.question, parts=phrase(language, "kept_ask")),
        *dict.fromkeys(time.assumption for time in linked.times if time.assumption),
    )
    return Plan((replace(action, subject_id=patient, window=window),), last.plan.confidence, said)


def _kept(before: ClinicalQuery, after: ClinicalQuery, language: Language) -> list[str]:
    """What of the last query is in the new one, in words."""
    old, new = before.of, after.of
    parts = [phrase(language, "kept_ask")] if before.ask == after.ask and old.pick == new.pick else []
    if set(old.concepts) & set(new.concepts) or (old.domain == new.domain and not old.concepts):
        parts.append(subject(old, language))
    if new.window is not None and new.window == old.window and new.window.said:
        parts.append(new.window.said)
    if new.encounter is not None and new.encounter == old.encounter:
        parts.append(phrase(language, "kept_stay"))
    if set(old.where) & set(new.where) or (old.status and old.status == new.status):
        parts.append(phrase(language, "kept_restriction"))
    if after.patient is not None and after.patient == before.patient:
        parts.append(phrase(language, "kept_patient", said=after.patient))
    return parts
