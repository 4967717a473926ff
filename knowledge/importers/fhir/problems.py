"""Condition, Procedure, AllergyIntolerance and Immunization: what a patient has, had done, reacts to and got.

What was refuted or not done is kept as an observation that says so. It never becomes a diagnosis, an allergy,
a procedure or an immunization; what was entered in error is skipped.
"""

from fhir.resources.R4B.allergyintolerance import AllergyIntolerance
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.immunization import Immunization
from fhir.resources.R4B.procedure import Procedure

from knowledge.importers.fhir.concepts import (
    DIAGNOSIS_SYSTEMS,
    DRUG_SYSTEMS,
    PROCEDURE_SYSTEMS,
    VACCINE_SYSTEMS,
    Concept,
    concept,
    first_code,
    icd_rows,
    label,
    required,
)
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context
from knowledge.importers.fhir.times import store_time
from knowledge.importers.records import Ref, Row

IN_ERROR = "entered-in-error"
UNSURE = ("unconfirmed", "provisional", "differential")
SEVERITIES = ("mild", "moderate", "severe")


def condition_rows(condition: Condition, key: str, context: Context) -> tuple[Row, ...]:
    """A diagnosis; one that is not confirmed says so in its status (``active, provisional``)."""
    verification = first_code(condition.verificationStatus)
    if verification == IN_ERROR:
        raise NotStored("verificationStatus is entered-in-error")
    subject = context.patient(condition.subject, "subject")
    encounter = context.encounter(condition.encounter)
    item = required(condition.code, "code", DIAGNOSIS_SYSTEMS)
    onset = condition.onsetDateTime or (condition.onsetPeriod.start if condition.onsetPeriod else None)
    when = store_time(onset or condition.recordedDate)
    if verification == "refuted":
        return (_negative(subject, encounter, when, item, "refuted", "diagnosis", key),)
    ended = condition.abatementPeriod.start if condition.abatementPeriod else None
    status = [first_code(condition.clinicalStatus), verification if verification in UNSURE else None]
    values = {
        "subject_id": subject,
        "hadm_id": encounter,
        "icd_code": item.code,
        "charttime": when,
        "status": ", ".join(filter(None, status)) or None,
        "endtime": store_time(condition.abatementDateTime or ended),
    }
    return (*icd_rows("d_icd_diagnoses", item), Row("diagnoses_icd", values, key))


def procedure_rows(procedure: Procedure, key: str, context: Context) -> tuple[Row, ...]:
    """A procedure that was done or begun."""
    if procedure.status in (IN_ERROR, "preparation"):
        raise NotStored(f"status is {procedure.status}")
    subject = context.patient(procedure.subject, "subject")
    encounter = context.encounter(procedure.encounter)
    item = required(procedure.code, "code", PROCEDURE_SYSTEMS)
    period = procedure.performedPeriod
    when = store_time(procedure.performedDateTime or (period.start if period else None))
    if procedure.status == "not-done":
        return (_negative(subject, encounter, when, item, "not done", "procedure", key),)
    values = {
        "subject_id": subject,
        "hadm_id": encounter,
        "icd_code": item.code,
        "charttime": when,
        "endtime": store_time(period.end) if period else None,
    }
    return (*icd_rows("d_icd_procedures", item), Row("procedures_icd", values, key))


def allergy_rows(allergy: AllergyIntolerance, key: str, context: Context) -> tuple[Row, ...]:
    """An allergy with its reactions and the worst severity among them."""
    verification = first_code(allergy.verificationStatus)
    if verification == IN_ERROR:
        raise NotStored("verificationStatus is entered-in-error")
    subject = context.patient(allergy.patient, "patient")
    encounter = context.encounter(allergy.encounter)
    reactions = allergy.reaction or []
    substance = concept(allergy.code, DRUG_SYSTEMS) or required(
        next((reaction.substance for reaction in reactions if reaction.substance), None), "code", DRUG_SYSTEMS
    )
    when = store_time(allergy.onsetDateTime or allergy.recordedDate)
    if verification == "refuted":
        return (_negative(subject, encounter, when, substance, "refuted", "allergy", key),)
    shown = [words for reaction in reactions for each in reaction.manifestation if (words := label(each))]
    severe = [reaction.severity for reaction in reactions if reaction.severity in SEVERITIES]
    values = {
        "subject_id": subject,
        "hadm_id": encounter,
        "charttime": when,
        "substance": substance.label,
        "reaction": "; ".join(dict.fromkeys(shown)) or None,
        "severity": max(severe, key=SEVERITIES.index, default=None),
        "status": first_code(allergy.clinicalStatus),
        "code": substance.code,
    }
    return (Row("allergies", values, key),)


def immunization_rows(immunization: Immunization, key: str, context: Context) -> tuple[Row, ...]:
    """A vaccination that was given."""
    if immunization.status == IN_ERROR:
        raise NotStored("status is entered-in-error")
    subject = context.patient(immunization.patient, "patient")
    encounter = context.encounter(immunization.encounter)
    vaccine = required(immunization.vaccineCode, "vaccineCode", VACCINE_SYSTEMS)
    when = store_time(immunization.occurrenceDateTime)
    if immunization.status == "not-done":
        return (_negative(subject, encounter, when, vaccine, "not done", "immunization", key),)
    values = {
        "subject_id": subject,
        "hadm_id": encounter,
        "charttime": when,
        "vaccine": vaccine.label,
        "status": immunization.status,
        "code": vaccine.code,
    }
    return (Row("immunizations", values, key),)


def _negative(
    subject: Ref, encounter: Ref | None, when: str | None, item: Concept, value: str, category: str, key: str
) -> Row:
    values = {
        "subject_id": subject,
        "hadm_id": encounter,
        "charttime": when,
        "label": item.label,
        "value": value,
        "category": category,
        "code": item.code,
    }
    return Row("observations", values, key)
