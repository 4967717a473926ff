"""Observation: numbers become ``labevents`` or ``chartevents``, everything else ``observations``.

A laboratory category (or, with no category at all, a specimen) makes a number a lab value; all other numbers
are charted. Each component is a row of its own with the source key ``id#n``.
"""

from decimal import Decimal

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.observation import Observation, ObservationComponent
from fhir.resources.R4B.quantity import Quantity

from knowledge.importers.fhir.concepts import (
    MEASURE_SYSTEMS,
    Concept,
    chart_item,
    first_code,
    lab_item,
    label,
    listed,
    required,
)
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.references import Context
from knowledge.importers.fhir.times import store_time
from knowledge.importers.records import Ref, Row, Value

LABORATORY = ("laboratory", "LAB")


def observation_rows(observation: Observation, key: str, context: Context) -> tuple[Row, ...]:
    """The value, if the observation has one or has no components, and then each component."""
    if observation.status in ("entered-in-error", "cancelled"):
        raise NotStored(f"status is {observation.status}")
    period = observation.effectivePeriod
    effective = (
        observation.effectiveDateTime or observation.effectiveInstant or (period.start if period else None)
    )
    common: dict[str, Value | Ref] = {
        "subject_id": context.patient(observation.subject, "subject"),
        "hadm_id": context.encounter(observation.encounter),
        "charttime": store_time(effective or observation.issued),
    }
    category = _category(observation)
    laboratory = category in LABORATORY or (category is None and observation.specimen is not None)
    rows: list[Row] = []
    components = observation.component or []
    if not components or _has_value(observation):
        rows.extend(_value_rows(observation, key, common, category, laboratory, "code"))
    for number, part in enumerate(components, start=1):
        path = f"component.{number - 1}.code"
        rows.extend(_value_rows(part, f"{key}#{number}", common, category, laboratory, path))
    return tuple(rows)


def _category(observation: Observation) -> str | None:
    codes = [code for item in observation.category or () if (code := first_code(item))]
    words = [text for item in observation.category or () if (text := label(item))]
    return next((code for code in codes if code in LABORATORY), next(iter(codes + words), None))


def _has_value(part: Observation | ObservationComponent) -> bool:
    return _number(part) is not None or _words(part) is not None


def _number(part: Observation | ObservationComponent) -> Decimal | int | None:
    if part.valueQuantity is not None:
        return part.valueQuantity.value
    return part.valueInteger


def _value_rows(
    part: Observation | ObservationComponent,
    key: str,
    common: dict[str, Value | Ref],
    category: str | None,
    laboratory: bool,
    path: str,
) -> tuple[Row, ...]:
    item = required(part.code, path, MEASURE_SYSTEMS)
    number = _number(part)
    if number is None:
        values = {
            **common,
            "label": item.label,
            # "not performed" or "asked but declined" is what was observed where nothing else was.
            "value": _words(part) or label(part.dataAbsentReason),
            "category": category,
            "code": item.code,
        }
        return (Row("observations", values, key),)
    quantity = part.valueQuantity
    comparator = quantity.comparator if quantity else None
    measured: dict[str, Value | Ref] = {
        **common,
        # '<0.01' is a limit, not a measured number: it stays in value, where nothing averages it.
        "valuenum": None if comparator else float(number),
        "valueuom": _unit(quantity),
        "value": f"{comparator or ''}{number}",
    }
    if laboratory:
        return _lab_rows(part, key, item, measured, category)
    measured["itemid"] = Ref("d_items", item.code)
    entry = chart_item(item, "chartevents", category, _unit(quantity))
    return (entry, Row("chartevents", measured, key))


def _lab_rows(
    part: Observation | ObservationComponent,
    key: str,
    item: Concept,
    measured: dict[str, Value | Ref],
    category: str | None,
) -> tuple[Row, ...]:
    ranges = [span for span in part.referenceRange or () if span.low or span.high]
    # Several ranges hold for several ages or states; which of them holds here is not for an importer to say.
    only = ranges[0] if len(ranges) == 1 else None
    flags = [words for code in part.interpretation or () if (words := _flag(code))]
    measured |= {
        "itemid": Ref("d_labitems", item.code),
        "ref_range_lower": _limit(only.low if only else None),
        "ref_range_upper": _limit(only.high if only else None),
        "flag": "; ".join(dict.fromkeys(flags)) or None,
    }
    return (lab_item(item, category), Row("labevents", measured, key))


def _flag(interpretation: CodeableConcept) -> str | None:
    """``high``, ``low``, ``abnormal`` …; ``None`` for normal, as in MIMIC-IV, and for unlisted codes."""
    return listed("interpretation", interpretation)


def _limit(quantity: Quantity | None) -> float | None:
    return float(quantity.value) if quantity and quantity.value is not None else None


def _unit(quantity: Quantity | None) -> str | None:
    return (quantity.unit or quantity.code) if quantity else None


def _quantity_words(quantity: Quantity | None) -> str | None:
    if quantity is None or quantity.value is None:
        return None
    return f"{quantity.comparator or ''}{quantity.value} {_unit(quantity) or ''}".strip()


def _words(part: Observation | ObservationComponent) -> str | None:
    """A value that is no number, in words."""
    if part.valueCodeableConcept is not None:
        return label(part.valueCodeableConcept)
    if part.valueString is not None:
        return part.valueString
    if part.valueBoolean is not None:
        return "true" if part.valueBoolean else "false"
    if part.valueDateTime is not None:
        return store_time(part.valueDateTime) or str(part.valueDateTime)
    if part.valueTime is not None:
        return part.valueTime.isoformat()
    if span := part.valueRange:
        ends = [_quantity_words(span.low), _quantity_words(span.high)]
        return " to ".join(filter(None, ends)) or None
    if ratio := part.valueRatio:
        parts = [_quantity_words(ratio.numerator), _quantity_words(ratio.denominator)]
        return " / ".join(filter(None, parts)) or None
    if period := part.valuePeriod:
        return " to ".join(filter(None, (store_time(period.start), store_time(period.end)))) or None
    if part.valueSampledData is not None:
        return "sampled data"
    return None
