"""Patient becomes ``patients``, Encounter becomes ``admissions``."""

from fhir.resources.R4B.encounter import Encounter
from fhir.resources.R4B.extension import Extension
from fhir.resources.R4B.patient import Patient

from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.concepts import label, spelled
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context, person_name
from knowledge.importers.fhir.times import age_at, birth_date, store_time
from knowledge.importers.records import Ref, Row

RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
UNREAL_ENCOUNTERS = ("planned", "cancelled", "entered-in-error")
GENDERS = {"male": "m", "female": "f", "other": "other", "unknown": "unknown", None: None}


def patient_rows(patient: Patient, key: str, context: Context) -> tuple[Row, ...]:
    """The person; a death without a full date is kept as an observation, so that it is not lost."""
    if patient.gender not in GENDERS:
        raise RuleBroken("gender: is no code of administrative-gender")
    dob, precision = birth_date(patient.birthDate)
    dod = store_time(patient.deceasedDateTime)
    subject = Ref("patients", key)
    person = {
        "subject_id": subject,
        "gender": GENDERS[patient.gender],
        "dob": dob,
        "dob_precision": precision,
        "dod": dod,
        "name": person_name(patient.name),
        "mrn": _mrn(patient),
        "race": _race(patient.extension),
    }
    rows = (Row("patients", person, key),)
    if dod is None and (patient.deceasedBoolean or patient.deceasedDateTime):
        death = {
            "subject_id": subject,
            "label": "Deceased",
            "value": str(patient.deceasedDateTime or "true"),
            "category": "vital status",
        }
        rows += (Row("observations", death, f"{key}#deceased"),)
    return rows


def _mrn(patient: Patient) -> str | None:
    for number in patient.identifier or ():
        codings = (number.type.coding if number.type else None) or ()
        if any(coding.code == "MR" for coding in codings):
            return number.value
    return None


def _race(extensions: list[Extension] | None) -> str | None:
    for extension in extensions or ():
        if extension.url == RACE:
            parts = extension.extension or ()
            words = next((part.valueString for part in parts if part.url == "text"), None)
            return words or next((part.valueCoding.display for part in parts if part.valueCoding), None)
    return None


def encounter_rows(encounter: Encounter, key: str, context: Context) -> tuple[Row, ...]:
    """The stay or visit, with what MIMIC repeats of the patient there."""
    if encounter.status in UNREAL_ENCOUNTERS:
        raise NotStored(f"status is {encounter.status}: it did not take place")
    subject = context.patient(encounter.subject, "subject")
    period = encounter.period
    admittime = store_time(period.start) if period else None
    if admittime is None:
        raise RuleBroken("period.start: is missing or not precise to the day")
    facts = context.facts(subject)
    stay = encounter.hospitalization
    reasons = [words for reason in encounter.reasonCode or () if (words := label(reason))]
    values = {
        "subject_id": subject,
        "hadm_id": Ref("admissions", key),
        "admittime": admittime,
        "dischtime": store_time(period.end) if period else None,
        "admission_type": spelled("encounter-class", encounter.class_fhir),
        "admission_location": label(stay.admitSource) if stay else None,
        "discharge_location": label(stay.dischargeDisposition) if stay else None,
        "insurance": context.insurance(key),
        "language": facts.language if facts else None,
        "marital_status": facts.marital_status if facts else None,
        "age": age_at(facts.dob, facts.dob_precision, admittime) if facts else None,
        "reason": "; ".join(reasons) or None,
    }
    return (Row("admissions", values, key),)
