"""The whole demo hospital in memory: people, their stays, all rows and all notes."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from knowledge.demo.chart import Chart
from knowledge.demo.coding import add_codes
from knowledge.demo.contradictions import Contradiction, plant
from knowledge.demo.costs import add_costs
from knowledge.demo.courses import Language, load_courses
from knowledge.demo.encounters import open_chart
from knowledge.demo.fluids import add_fluids
from knowledge.demo.labs import add_labs
from knowledge.demo.ledger import Ledger
from knowledge.demo.microbiology import add_cultures
from knowledge.demo.notes import write_notes
from knowledge.demo.orders import add_orders
from knowledge.demo.people import Person, life_tables, make_person
from knowledge.demo.reference import load_reference
from knowledge.demo.scribe import DraftNote
from knowledge.demo.timeline import NOW, plan_stays
from knowledge.demo.vitals import add_vitals


@dataclass(slots=True)
class Hospital:
    """What was made: rows by table, notes with their facts, and the key of planted contradictions."""

    ledger: Ledger
    charts: list[Chart] = field(default_factory=list)
    notes: list[DraftNote] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)


def make_hospital(patients: int, seed: int, progress: Callable[[int, int], None] | None = None) -> Hospital:
    """Make the hospital; the same arguments give the same hospital.

    Args:
        patients: how many.
        seed: of all chance.
        progress: called with (patients made, patients in all).
    """
    hospital = Hospital(Ledger())
    _dictionaries(hospital.ledger)
    for index in range(patients):
        _patient(hospital, index, seed)
        if progress:
            progress(index + 1, patients)
    hospital.contradictions = plant(
        hospital.charts, hospital.notes, hospital.ledger, random.Random(f"{seed}:plant")
    )
    return hospital


def _dictionaries(ledger: Ledger) -> None:
    reference = load_reference()
    for lab in reference.labs.values():
        ledger.add(
            "d_labitems", itemid=lab.itemid, label=lab.label, fluid=lab.fluid, category=lab.category,
            code=lab.code,
        )  # fmt: skip
    for item in reference.items.values():
        ledger.add(
            "d_items", itemid=item.itemid, label=item.label, abbreviation=item.abbreviation,
            linksto=item.linksto, category=item.category, unitname=item.unit, code=None,
        )  # fmt: skip
    for table, codes in (
        ("d_icd_diagnoses", reference.diagnoses),
        ("d_icd_procedures", reference.procedures),
    ):
        for coded in codes.values():
            ledger.add(table, icd_code=coded.icd_code, long_title=coded.long_title)


def _patient(hospital: Hospital, index: int, seed: int) -> None:
    """One person with all stays. Each has a source of chance of its own: more patients change nobody."""
    rng = random.Random(f"{seed}:{index}")
    ledger = hospital.ledger
    reference = load_reference()
    courses = load_courses()
    course = courses[index % len(courses)]
    language: Language = "zh" if index % 3 == 2 else "en"
    born = date(2026 - rng.randint(*course.age), rng.randint(1, 12), rng.randint(1, 28))
    person = make_person(index, course, language, born, rng)
    stays = plan_stays(course, inpatient=index % 7 == 3, rng=rng)
    died = None
    if index % 29 == 11 and stays[-1].discharge and stays[-1].discharge < NOW - timedelta(days=60):
        died = stays[-1].discharge.date() + timedelta(days=rng.randint(20, 55))
    patient_row = ledger.add(
        "patients", subject_id=person.subject_id, gender=person.gender, dob=person.dob.isoformat(),
        dod=died.isoformat() if died else None, name=person.name, mrn=person.mrn, race=person.race,
        dob_precision="day",
    )  # fmt: skip
    allergy_rows = _allergies(person, stays[0].admit.strftime("%Y-%m-%d %H:%M:%S"), ledger)
    earlier: Chart | None = None
    for stay in stays:
        chart = open_chart(person, patient_row, stay, ledger, rng, earlier)
        chart.allergy_rows = allergy_rows
        add_codes(chart, ledger, reference, rng)
        add_labs(chart, ledger, reference, rng)
        add_vitals(chart, ledger, reference, rng)
        add_orders(chart, ledger, rng)
        add_cultures(chart, ledger, rng)
        add_fluids(chart, ledger, reference, rng)
        add_costs(chart, ledger, reference)
        hospital.charts.append(chart)
        hospital.notes += write_notes(chart, len(hospital.notes) + 1, reference, rng)
        earlier = chart
    _vaccines(person, hospital.charts[-len(stays)], ledger, rng)


def _allergies(person: Person, noted: str, ledger: Ledger) -> list[int]:
    return [
        ledger.add(
            "allergies", subject_id=person.subject_id, hadm_id=None, charttime=noted,
            substance=allergy.substance, reaction=allergy.reaction_en, severity=None, status="active",
            code=None,
        )
        for allergy in person.allergies
    ]  # fmt: skip


def _vaccines(person: Person, chart: Chart, ledger: Ledger, rng: random.Random) -> None:
    if rng.random() > 0.4:
        return
    for vaccine in rng.sample(life_tables()["vaccines"], rng.randint(1, 2)):
        given = chart.stay.admit - timedelta(days=rng.randint(30, 700))
        ledger.add(
            "immunizations", subject_id=person.subject_id, hadm_id=None,
            charttime=given.strftime("%Y-%m-%d 00:00:00"), vaccine=vaccine, status="completed", code=None,
        )  # fmt: skip
