"""Whose record a question is about, and whether it may be seen: decided here for every planner.

The answer comes from the session's scope and from what was linked, before any catalogue or model is asked.
"""

from dataclasses import dataclass

from agent.answer import Language
from agent.planning.link import Linked, PatientLink
from agent.planning.phrases import phrase
from agent.planning.plan import Action, Clarify, Refuse
from agent.scope import Scope

_OPTIONS = 8


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the question is about, or why it cannot go on.

    Attributes:
        subject_id: the patient that is named or else open; ``None`` for a question about many.
        stop: a refusal or a question back that ends the planning.
    """

    subject_id: int | None
    stop: Action | None = None


def subject_of(linked: Linked, language: Language, scope: Scope) -> Subject:
    """The one patient of the question: named, or else open."""
    named = [patient for patient in linked.patients if patient.how != "scope"]
    unknown = next((patient for patient in named if patient.subject_id is None), None)
    if unknown is not None and scope.permitted is not None:
        # A user who may not see everyone must not learn who is a patient here and who is none.
        return Subject(None, Refuse("no_permission", phrase(language, "no_permission", said=unknown.text)))
    if unknown is not None:
        return Subject(
            None, Refuse("no_such_patient", phrase(language, "no_such_patient", said=unknown.text))
        )
    subjects: dict[int, PatientLink] = {p.subject_id: p for p in named if p.subject_id is not None}
    hidden = next((link for subject_id, link in subjects.items() if not scope.may_see(subject_id)), None)
    if hidden is not None:
        return Subject(None, Refuse("no_permission", phrase(language, "no_permission", said=hidden.text)))
    if len(subjects) > 1:
        options = tuple(str(subject_id) for subject_id in subjects)
        text = phrase(language, "two_patients", patients=", ".join(options))
        return Subject(None, Clarify(text, options))
    subject_id = next(iter(subjects), scope.patient)
    if subject_id is not None and not scope.may_see(subject_id):
        return Subject(None, Refuse("no_permission", phrase(language, "no_permission", said=str(subject_id))))
    return Subject(subject_id)


def which_patient(language: Language, scope: Scope) -> Clarify:
    """The question back where none is open; lists the permitted patients if they are few."""
    few = scope.permitted is not None and len(scope.permitted) <= _OPTIONS
    options = tuple(str(subject) for subject in sorted(scope.permitted or ())) if few else ()
    return Clarify(phrase(language, "patient_needed"), options)
