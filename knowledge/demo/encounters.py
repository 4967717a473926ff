"""Admissions, ward transfers and intensive care stays."""

import random
from datetime import datetime, timedelta

from knowledge.demo.chart import Chart
from knowledge.demo.ledger import Ledger
from knowledge.demo.people import Person
from knowledge.demo.timeline import Stay

FIRST_HADM = 29000001
FIRST_STAY = 39000001
FIRST_TRANSFER = 38000001


def open_chart(
    person: Person, patient_row: int, stay: Stay, ledger: Ledger, rng: random.Random, earlier: Chart | None
) -> Chart:
    """Admit the patient: rows for the admission, its wards and intensive care; the facets are drawn."""
    hadm_id = FIRST_HADM + len(ledger.tables.get("admissions", ()))
    age = person.age(stay.admit.date())
    course = stay.course
    row = ledger.add(
        "admissions", subject_id=person.subject_id, hadm_id=hadm_id, admittime=stay.admit,
        dischtime=stay.discharge, admission_type=course.admission_type,
        admission_location=course.admission_location,
        discharge_location=rng.choice(course.destinations) if stay.discharge else None,
        insurance=person.insurance, language="ENGLISH" if person.language == "en" else "CHINESE",
        marital_status=person.marital, age=age, reason=course.name.en, deathtime=None,
    )  # fmt: skip
    chart = Chart(person, stay, hadm_id, row, patient_row, age, earlier=earlier)
    # What does not change between admissions of one course (a facet with ids) is drawn once.
    for key, names in course.facets.items():
        lasting = earlier and any(name.id for name in names)
        chart.facets[key] = earlier.facets[key] if earlier and lasting else rng.choice(names)
    if stay.icu:
        chart.stay_id = FIRST_STAY + len(ledger.tables.get("icustays", ()))
        ledger.add(
            "icustays", subject_id=person.subject_id, hadm_id=hadm_id, stay_id=chart.stay_id,
            first_careunit=course.icu.unit if course.icu else None,
            last_careunit=course.icu.unit if course.icu else None,
            intime=stay.icu[0], outtime=stay.icu[1],
        )  # fmt: skip
    _move(chart, ledger)
    return chart


def _move(chart: Chart, ledger: Ledger) -> None:
    """Wards in order: emergency department, ward, intensive care, ward, discharge."""
    stay = chart.stay
    places: list[tuple[str, str | None, datetime]] = []
    if stay.course.admission_location == "EMERGENCY ROOM":
        places.append(("ED", "Emergency Department", stay.admit))
    ward_from = stay.admit + timedelta(hours=5) if places else stay.admit
    if stay.icu and stay.course.icu:
        if stay.icu[0] > ward_from + timedelta(hours=2):
            places.append(("admit", stay.course.careunit, ward_from))
        places.append(("transfer" if len(places) > 1 else "admit", stay.course.icu.unit, stay.icu[0]))
        if stay.icu[1]:
            places.append(("transfer", stay.course.careunit, stay.icu[1]))
    else:
        places.append(("admit", stay.course.careunit, ward_from))
    ends: list[datetime | None] = [place[2] for place in places[1:]]
    ends.append(stay.discharge)
    for (event, unit, start), end in zip(places, ends, strict=True):
        _transfer(chart, ledger, event, unit, start, end)
    if stay.discharge:
        _transfer(chart, ledger, "discharge", None, stay.discharge, None)


def _transfer(
    chart: Chart, ledger: Ledger, event: str, unit: str | None, start: datetime, end: datetime | None
) -> None:
    ledger.add(
        "transfers", subject_id=chart.person.subject_id, hadm_id=chart.hadm_id,
        transfer_id=FIRST_TRANSFER + len(ledger.tables.get("transfers", ())), eventtype=event, careunit=unit,
        intime=start, outtime=end,
    )  # fmt: skip
