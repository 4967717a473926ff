"""Claim becomes ``cost``: of the prescription that it names, else of the encounter."""

from fhir.resources.R4B.claim import Claim

from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context
from knowledge.importers.fhir.times import store_time
from knowledge.importers.records import Ref, Row


def claim_rows(claim: Claim, key: str, context: Context) -> tuple[Row, ...]:
    """The claim's total; a claim without one, or one that asks for leave in advance, charges nothing."""
    if claim.status in ("entered-in-error", "cancelled", "draft"):
        raise NotStored(f"status is {claim.status}")
    if claim.use != "claim":
        raise NotStored(f"use is {claim.use}: nothing is charged")
    if claim.total is None or claim.total.value is None:
        raise NotStored("has no total")
    named = [encounter for item in claim.item or () for encounter in item.encounter or ()]
    encounter = next((found for each in named if (found := context.key(each, "Encounter"))), None)
    prescription = context.key(claim.prescription, "MedicationRequest")
    if prescription:
        event = Ref("prescriptions", prescription)
    elif encounter:
        event = Ref("admissions", encounter)
    else:
        raise RuleBroken("prescription, item.encounter: one of them must be given")
    values = {
        "subject_id": context.patient(claim.patient, "patient"),
        "hadm_id": Ref("admissions", encounter, optional=True) if encounter else None,
        "event_type": event.table,
        "event_id": event,
        "chargetime": store_time(claim.created),
        "cost": float(claim.total.value),
        "currency": claim.total.currency,
    }
    return (Row("cost", values, key),)
