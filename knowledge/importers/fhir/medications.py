"""Drugs: requests and statements become ``prescriptions``, administrations ``inputevents``."""

from collections.abc import Sequence

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.dosage import Dosage
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.quantity import Quantity
from fhir.resources.R4B.reference import Reference

from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.concepts import DRUG_SYSTEMS, Concept, chart_item, concept, label
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context
from knowledge.importers.fhir.times import store_time
from knowledge.importers.records import Ref, Row

NOT_ORDERS = ("proposal", "option")


def request_rows(request: MedicationRequest, key: str, context: Context) -> tuple[Row, ...]:
    """An order. It stops when its dosage's bounds end, if they are recorded; never by inference."""
    if request.status == "entered-in-error":
        raise NotStored("status is entered-in-error")
    if request.doNotPerform:
        raise NotStored("doNotPerform is true: it forbids the drug")
    if request.intent in NOT_ORDERS:
        raise NotStored(f"intent is {request.intent}: nothing is ordered yet")
    drug = _drug(request.medicationCodeableConcept, request.medicationReference, request.contained, context)
    dosages = request.dosageInstruction or []
    start, stop = _bounds(dosages)
    values = {
        "subject_id": context.patient(request.subject, "subject"),
        "hadm_id": context.encounter(request.encounter),
        "starttime": start or store_time(request.authoredOn),
        "stoptime": stop,
        "drug": drug.label,
        **_dosage(dosages),
        "status": request.status,
        "code": drug.code,
    }
    return (Row("prescriptions", values, key),)


def statement_rows(statement: MedicationStatement, key: str, context: Context) -> tuple[Row, ...]:
    """A drug that the patient is said to take, marked ``reported`` as it is no order of this house."""
    if statement.status in ("entered-in-error", "not-taken"):
        raise NotStored(f"status is {statement.status}")
    drug = _drug(
        statement.medicationCodeableConcept, statement.medicationReference, statement.contained, context
    )
    period = statement.effectivePeriod
    values = {
        "subject_id": context.patient(statement.subject, "subject"),
        "hadm_id": context.encounter(statement.context),
        "starttime": store_time(statement.effectiveDateTime or (period.start if period else None)),
        "stoptime": store_time(period.end) if period else None,
        "drug": drug.label,
        **_dosage(statement.dosage or []),
        "status": statement.status,
        "code": drug.code,
        "drug_type": "reported",
    }
    return (Row("prescriptions", values, key),)


def administration_rows(
    administration: MedicationAdministration, key: str, context: Context
) -> tuple[Row, ...]:
    """A dose that was given."""
    if administration.status in ("entered-in-error", "not-done", "unknown"):
        raise NotStored(f"status is {administration.status}: it is not known to have been given")
    drug = _drug(
        administration.medicationCodeableConcept,
        administration.medicationReference,
        administration.contained,
        context,
    )
    period, dosage = administration.effectivePeriod, administration.dosage
    dose = dosage.dose if dosage else None
    rate = dosage.rateQuantity if dosage else None
    values = {
        "subject_id": context.patient(administration.subject, "subject"),
        "hadm_id": context.encounter(administration.context),
        "itemid": Ref("d_items", drug.code),
        "starttime": store_time(administration.effectiveDateTime or (period.start if period else None)),
        "endtime": store_time(period.end) if period else None,
        "amount": _number(dose),
        "amountuom": _unit(dose),
        "totalamount": _number(dose),
        "totalamountuom": _unit(dose),
        "rate": _number(rate),
        "rateuom": _unit(rate),
    }
    return (chart_item(drug, "inputevents", "medication", None), Row("inputevents", values, key))


def _drug(
    coded: CodeableConcept | None,
    reference: Reference | None,
    contained: Sequence[object] | None,
    context: Context,
) -> Concept:
    medication = context.medication(reference, contained)
    found = concept(coded, DRUG_SYSTEMS) or concept(medication.code if medication else None, DRUG_SYSTEMS)
    if found:
        return found
    if reference and reference.display:
        return Concept(f"text|{reference.display}", reference.display)
    raise RuleBroken("medication: has neither a code nor a text, and its reference leads to no Medication")


def _number(quantity: Quantity | None) -> float | None:
    return float(quantity.value) if quantity and quantity.value is not None else None


def _unit(quantity: Quantity | None) -> str | None:
    return (quantity.unit or quantity.code) if quantity else None


def _bounds(dosages: Sequence[Dosage]) -> tuple[str | None, str | None]:
    """Earliest start and latest end; no end at all if one of the dosages has none."""
    periods = [
        dosage.timing.repeat.boundsPeriod if dosage.timing and dosage.timing.repeat else None
        for dosage in dosages
    ]
    starts = [start for period in periods if period and (start := store_time(period.start))]
    ends = [store_time(period.end) if period else None for period in periods]
    stop = None if None in ends else max((end for end in ends if end), default=None)
    return min(starts, default=None), stop


def _dosage(dosages: Sequence[Dosage]) -> dict[str, str | None]:
    """Dose, unit, route and frequency; the lines of a tapered dose are joined by semicolons."""
    amounts, units = [], []
    for dosage in dosages:
        for dose in dosage.doseAndRate or ():
            if (quantity := dose.doseQuantity) and quantity.value is not None:
                amounts.append(str(quantity.value))
                units.append(_unit(quantity))
            elif (span := dose.doseRange) and span.low and span.high:
                amounts.append(f"{span.low.value}-{span.high.value}")
                units.append(_unit(span.high) or _unit(span.low))
    return {
        "dose_val_rx": _joined(amounts),
        "dose_unit_rx": _joined(dict.fromkeys(units)),
        "route": _joined(dict.fromkeys(label(dosage.route) for dosage in dosages)),
        "frequency": _joined(dict.fromkeys(_frequency(dosage) for dosage in dosages)),
    }


def _joined(parts: Sequence[str | None] | dict[str | None, None]) -> str | None:
    return "; ".join(part for part in parts if part) or None


def _frequency(dosage: Dosage) -> str | None:
    """How often, in the source's words, else as ``2 per 1 d``."""
    timing = dosage.timing
    repeat = timing.repeat if timing else None
    words = label(timing.code) if timing else None
    if words is None and repeat and repeat.period is not None and repeat.periodUnit:
        most = f"-{repeat.frequencyMax}" if repeat.frequencyMax else ""
        # FHIR: a timing without a frequency is once in its period.
        words = f"{repeat.frequency or 1}{most} per {float(repeat.period):g} {repeat.periodUnit}"
    words = words or dosage.text
    if dosage.asNeededBoolean or dosage.asNeededCodeableConcept:
        return f"{words}, as needed" if words else "as needed"
    return words
