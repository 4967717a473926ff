"""How the page names patients: in the picker, in the line that says who is in scope, and on evidence cards."""

from collections.abc import Mapping

from agent.answer import Language
from agent.ui.escape import escape
from agent.ui.strings import strings
from knowledge.store import Patient

ALL = 0
"""The picker's value for "all patients"; no ``subject_id`` is 0 in any source that we know."""


def choices(patients: Mapping[int, Patient], language: Language) -> list[tuple[str, int]]:
    """What the picker offers; typing any part of a label finds it."""
    first = [(strings(language)["all_patients"], ALL)]
    return first + [(label(patient, language), patient.subject_id) for patient in patients.values()]


def label(patient: Patient, language: Language) -> str:
    """Name, sex, birth and number, as far as they are known."""
    words = strings(language)
    sex = words.get(f"sex_{(patient.gender or '').lower()[:1]}", patient.gender)
    born = words["born"].format(date=patient.dob[:10]) if patient.dob else None
    number = words["number"].format(n=patient.subject_id)
    return " · ".join(part for part in (patient.name, sex, born, number, patient.mrn) if part)


def scope_line(patient: Patient | None, now: str, language: Language) -> str:
    """Who is in scope and what "now" is, as HTML; ``None`` is everyone that the user may see."""
    words = strings(language)
    who = words["all_patients"] if patient is None else label(patient, language)
    return (
        f'<div class="cr-scope"><span><b>{escape(words["in_scope"])}</b> {escape(who)}</span>'
        f"<span><b>{escape(words['now'])}</b> {escape(now[:16])}</span></div>"
    )
