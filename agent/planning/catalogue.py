"""The planner that needs no model: the nearest of the catalogue's intents, filled with what was linked.

It decides, in this order: whose record it is about (and whether it may be seen), whether something is asked
to be *done*, whether tables or notes answer it, and which query; it abstains where its calibrated confidence
is too low. The text of the question chooses among reviewed templates and does nothing else: SQL or
instructions inside it are words like any others.
"""

from collections.abc import Callable
from functools import cache

from agent.answer import Language, Reason
from agent.planning.choose import choose
from agent.planning.confidence import calibration
from agent.planning.cues import (
    asks_for_action,
    asks_for_decision,
    asks_for_reason,
    asks_many_notes,
    compares,
    is_about_family,
    sounds_like_note,
    unexplained,
)
from agent.planning.examples import LANGUAGES
from agent.planning.features import meanings
from agent.planning.followup import continued
from agent.planning.intent import Intent
from agent.planning.link import Linked
from agent.planning.mask import mask_example
from agent.planning.phrases import phrase
from agent.planning.plan import Clarify, Plan, QueryRecords, Refuse, SearchNotes, Turn
from agent.planning.reading import Reading, intents, read
from agent.planning.subject import subject_of, which_patient
from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Concept, Domain, Events
from agent.scope import Scope

_ASIDES: dict[str, Reason] = {
    "!action": "action_request",
    "!absent": "not_in_schema",
    "!outside": "out_of_scope",
}
_SURE = 0.99
_PLAIN = 0.6  # a score above which a question reads like an example of an intent, whatever its single words
_DOUBTED = 0.8  # below this part of the threshold a query is not even shown beside what the notes say
_TRUSTED = 0.7  # from here on a query of an open patient needs no search of the notes beside it
_NOTE_CONFIDENCE = 0.6  # a search shows what it quotes; it is right as often as note questions are told apart


class CataloguePlanner:
    """Plans with the catalogue of ready-made queries.

    Args:
        threshold: plans less sure than this are not made; the calibrated one by default.
    """

    def __init__(self, threshold: float | None = None) -> None:
        self._threshold = calibration().threshold if threshold is None else threshold

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan for a linked question; see :class:`~agent.planning.plan.Planner`. Too quick to be stopped."""
        subject = subject_of(linked, language, scope)
        if subject.stop is not None:
            return Plan((subject.stop,), _SURE)
        follow_up = continued(question, language, linked, subject.subject_id, history)
        if follow_up is not None:
            return follow_up
        reading = read(question, linked, language, has_patient=subject.subject_id is not None)
        text = half_width(question)
        if asks_for_action(reading.masked.text):
            return _refuse("action_request", language, max(reading.confidence, 0.9))
        about_notes = sounds_like_note(text)
        intent, subject_id = reading.intent, subject.subject_id
        if asks_for_decision(reading.masked.text):
            return Plan((Refuse("low_confidence", phrase(language, "judgement")),), _SURE)
        of_many = intent is not None and intent.patient == "many"
        tables_cannot = is_about_family(text) or asks_for_reason(reading.masked.text) or not _recorded(linked)
        if tables_cannot and subject_id is not None and not of_many and reading.label != "!action":
            return self._search(question, language, linked, subject_id, reading)
        if reading.label == "!note" or (about_notes and (intent is None or reading.signs.best < _PLAIN)):
            return self._search(question, language, linked, subject_id, reading)
        if intent is None:
            if reading.confidence >= self._threshold and not self._is_of_record(reading, linked, subject_id):
                return _aside(reading, language)
            return self._else_notes(question, language, linked, subject_id, reading)
        if intent.patient == "one" and "many" in meanings(reading.masked.text) and not _asks_many(intent):
            return _refuse("low_confidence", language, reading.confidence)
        said = unexplained(reading.masked.text, _examples(intent))
        if said is not None:
            if subject_id is not None and intent.patient == "one":
                return self._search(question, language, linked, subject_id, reading)
            return Plan((Refuse("low_confidence", phrase(language, "not_restricted", said=said)),), _SURE)
        windows = [time.text for time in linked.times if time.window is not None]
        if len(windows) > 1 and (compares(text) or _exclude(linked)):
            return Plan(
                (Clarify(phrase(language, "two_times", times=", ".join(windows)), tuple(windows)),), _SURE
            )
        if reading.confidence < _DOUBTED * self._threshold:
            return self._else_notes(question, language, linked, subject_id, reading)
        if subject_id is None or intent.patient == "many" or reading.confidence >= _TRUSTED:
            if reading.confidence < self._threshold:
                return self._else_notes(question, language, linked, subject_id, reading)
            return _query(intent, language, linked, scope, subject_id, reading)
        query = _query(intent, language, linked, scope, subject_id, reading)
        if not isinstance(query.actions[0], QueryRecords):
            return query
        notes = self._search(question, language, linked, subject_id, reading)
        return Plan((*query.actions, *notes.actions), reading.confidence, query.assumptions)

    def _is_of_record(self, reading: Reading, linked: Linked, subject_id: int | None) -> bool:
        """Whether the record may answer what looks like no question to it: its tables, or the patient's notes."""
        recorded = any(c.count for link in linked.values for c in link.candidates)
        if reading.label == "!outside" and recorded:
            return True
        if subject_id is None:
            return False
        return reading.label == "!absent" or (reading.label == "!outside" and reading.confidence < _TRUSTED)

    def _else_notes(
        self, question: str, language: Language, linked: Linked, subject_id: int | None, reading: Reading
    ) -> Plan:
        """What is left when no query is sure enough: the open patient's notes, or an honest "not sure"."""
        if subject_id is None:
            return _refuse("low_confidence", language, reading.confidence)
        if reading.label == "!outside" and reading.confidence >= self._threshold and not _clinical(linked):
            return _refuse("out_of_scope", language, reading.confidence)
        return self._search(question, language, linked, subject_id, reading)

    def _search(
        self, question: str, language: Language, linked: Linked, subject_id: int | None, reading: Reading
    ) -> Plan:
        """Search the notes: of the patient, or of all where the question asks which patients' notes."""
        many = asks_many_notes(half_width(question))
        if subject_id is None and not many:
            return Plan((Clarify(phrase(language, "note_patient")),), _SURE)
        types = tuple(
            dict.fromkeys(c.value for link in linked.values for c in link.candidates if c.domain == "note")
        )
        window = next((time.window for time in linked.times if time.window), None)
        action = SearchNotes(question, None if many else subject_id, note_types=types, window=window)
        confidence = reading.confidence if reading.label == "!note" else _NOTE_CONFIDENCE
        return Plan((action,), confidence, _said(linked))


def _query(
    intent: Intent,
    language: Language,
    linked: Linked,
    scope: Scope,
    subject_id: int | None,
    reading: Reading,
) -> Plan:
    said = list(_said(linked))
    if intent.patient == "one" and subject_id is None:
        return Plan((which_patient(language, scope),), _SURE)
    values: dict[str, tuple[Domain, Concept]] = {}
    free = [
        (link, kind)
        for link, kind in zip(linked.values, reading.masked.kinds, strict=True)
        if kind is not None
    ]
    for slot in intent.slots:
        mention = next((pair for pair in free if pair[1] == slot.kind), None)
        if mention is None:
            continue
        free.remove(mention)
        choice = choose(*mention, language)
        if choice.concept is None or choice.domain is None:
            text = phrase(language, "which_value", said=mention[0].text)
            return Plan((Clarify(text, choice.options),), reading.confidence)
        values[slot.name] = (choice.domain, choice.concept)
        if choice.assumption:
            said.append(choice.assumption)
    number = next(((value, unit) for _, _, value, unit in linked.numbers), None)
    n = next((int(value) for _, _, value, _ in linked.numbers if 1 <= value <= 1000), None)
    patient = subject_id if intent.patient == "one" else None
    if patient is None and scope.patient is not None:
        said.append(phrase(language, "all_patients"))
    if patient is not None and scope.patient is not None and patient != scope.patient:
        said.append(phrase(language, "other_patient", said=str(patient)))
    query = intent.fill(values, number=number, n=n, patient=patient)
    query, more = _timed(query, intent, linked, language)
    assumed = query.of.encounter is not None and phrase(language, "this_stay") in more
    return Plan((QueryRecords(query, intent.intent, assumed),), reading.confidence, tuple(said + more))


def _timed(
    query: ClinicalQuery, intent: Intent, linked: Linked, language: Language
) -> tuple[ClinicalQuery, list[str]]:
    """The query narrowed to the question's times, or to the intent's usual stay."""
    said: list[str] = []
    if intent.times == "ignored":
        said += [phrase(language, "time_ignored", said=time.text) for time in linked.times]
        return query, said
    windows = [time for time in linked.times if time.window is not None]
    stays = [time for time in linked.times if time.encounter is not None]
    said += [phrase(language, "time_second", said=time.text) for time in (*windows[1:], *stays[1:])]
    events: Events = query.of
    if windows and windows[0].window is not None:
        events = events.model_copy(
            update={"window": windows[0].window.model_copy(update={"on": intent.window_on})}
        )
    if stays and stays[0].encounter is not None:
        stay = stays[0].encounter
        if query.ask.ask == "change":  # "now versus on admission": on admission is where it begins
            stay = stay.model_copy(update={"from_hours": None, "to_hours": None})
        events = events.model_copy(update={"encounter": stay})
    elif not windows and intent.default_encounter() is not None and query.patient is not None:
        events = events.model_copy(update={"encounter": intent.default_encounter()})
        said.append(phrase(language, "this_stay"))
    return query.model_copy(update={"of": events}), said


def _clinical(linked: Linked) -> bool:
    """Whether the question names anything of a record, so that searching the notes for it makes sense."""
    return bool(linked.values or linked.patients)


def _recorded(linked: Linked) -> bool:
    """Whether the store holds something of every value that is named; of what it does not, only notes can tell."""
    named = [link for link in linked.values if link.candidates and link.candidates[0].domain != "note"]
    return all(any(candidate.count for candidate in link.candidates) for link in named)


def _exclude(linked: Linked) -> bool:
    """Whether the periods that are named have no moment in common."""
    windows = [time.window for time in linked.times if time.window is not None]
    latest = max((window.start or "" for window in windows), default="")
    return any(window.end is not None and window.end <= latest for window in windows)


@cache
def _masked_examples(name: str) -> tuple[str, ...]:
    intent = intents()[name]
    return tuple(mask_example(text, language) for language in LANGUAGES for text in intent.examples(language))


def _examples(intent: Intent) -> tuple[str, ...]:
    """The masked examples of an intent, in both languages."""
    return _masked_examples(intent.intent)


def _asks_many(intent: Intent) -> bool:
    """Whether examples of an intent about one patient use the words for many."""
    return sum("many" in meanings(text) for text in _examples(intent)) > 1


def _said(linked: Linked) -> tuple[str, ...]:
    return tuple(dict.fromkeys(time.assumption for time in linked.times if time.assumption))


def _aside(reading: Reading, language: Language) -> Plan:
    if reading.label == "!judgement":
        return Plan((Refuse("low_confidence", phrase(language, "judgement")),), reading.confidence)
    return _refuse(_ASIDES[reading.label], language, reading.confidence)


def _refuse(reason: Reason, language: Language, confidence: float) -> Plan:
    return Plan((Refuse(reason, phrase(language, reason)),), confidence)
