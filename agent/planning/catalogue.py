"""The planner that needs no model: the nearest of the catalogue's intents, filled with what was linked.

It decides, in this order: whose record it is about (and whether it may be seen), whether something is asked
to be *done*, whether tables or notes answer it, and which query; it abstains where its calibrated confidence
is too low. The text of the question chooses among reviewed templates and does nothing else: SQL or
instructions inside it are words like any others.
"""

from collections.abc import Callable

from agent.answer import Language, Reason
from agent.planning.choose import choose
from agent.planning.confidence import calibration
from agent.planning.cues import asks_for_action, asks_many_notes, sounds_like_note
from agent.planning.followup import continued
from agent.planning.intent import Intent
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.planning.plan import Clarify, Plan, QueryRecords, Refuse, SearchNotes, Turn
from agent.planning.reading import Reading, read
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
        intent = reading.intent
        if reading.label == "!note" or (about_notes and (intent is None or reading.signs.best < 0.6)):
            return self._search(question, language, linked, subject.subject_id, reading)
        if intent is None:
            recorded = any(c.count for link in linked.values for c in link.candidates)
            if reading.confidence >= self._threshold and not (recorded and reading.label == "!outside"):
                return _aside(reading, language)
            if subject.subject_id is None or not _clinical(linked):
                return _refuse("low_confidence", language, reading.confidence)
            return self._search(question, language, linked, subject.subject_id, reading)
        if reading.confidence < self._threshold:
            if about_notes or (subject.subject_id is not None and _clinical(linked)):
                return self._search(question, language, linked, subject.subject_id, reading)
            return _refuse("low_confidence", language, reading.confidence)
        return _query(intent, language, linked, scope, subject.subject_id, reading)

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
    query = intent.fill(values, number=number, n=n, patient=patient)
    query, more = _timed(query, intent, linked, language)
    return Plan((QueryRecords(query, intent.intent),), reading.confidence, tuple(said + more))


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


def _said(linked: Linked) -> tuple[str, ...]:
    return tuple(dict.fromkeys(time.assumption for time in linked.times if time.assumption))


def _aside(reading: Reading, language: Language) -> Plan:
    if reading.label == "!judgement":
        return Plan((Refuse("low_confidence", phrase(language, "judgement")),), reading.confidence)
    return _refuse(_ASIDES[reading.label], language, reading.confidence)


def _refuse(reason: Reason, language: Language, confidence: float) -> Plan:
    return Plan((Refuse(reason, phrase(language, reason)),), confidence)
