"""Values convert between the units that records and guidelines use, and never by a guess."""

import csv
import math
from importlib.resources import files

import pytest

from knowledge.errors import ChartroomError, UnitError
from knowledge.facts.units import convert, parse_unit, substances
from knowledge.terminology import Terminology


@pytest.mark.parametrize(
    ("value", "unit_from", "unit_to", "concept", "expected"),
    [
        (1.0, "mg/dL", "µmol/L", "lab:creatinine", 88.4),
        (106.0, "umol/L", "mg/dL", "lab:creatinine", 1.199),
        (100.0, "mg/dL", "mmol/L", "lab:glucose", 5.551),
        (28.0, "mg/dL", "mmol/L", "lab:urea-nitrogen", 9.995),
        (2.5, "mmol/L", "mg/dL", "lab:calcium", 10.02),
        (5.5, "mEq/L", "mmol/L", "lab:potassium", 5.5),
        (2.0, "mEq/L", "mmol/L", "lab:magnesium", 1.0),
        (2.0, "mEq/L", "mg/dL", "lab:magnesium", 2.4305),
        (1.0, "mg/dL", "μmol/L", "lab:bilirubin-total", 17.10),
        (200.0, "mg/dL", "mmol/L", "lab:cholesterol-total", 5.172),
        (150.0, "mg/dL", "mmol/L", "lab:triglycerides", 1.694),
        (140.0, "g/L", "g/dL", "lab:hemoglobin", 14.0),
        (150.0, "K/uL", "10^9/L", "lab:platelets", 150.0),
        (4.5, "m/uL", "10*12/L", "lab:rbc", 4.5),
        (200.0, "cells/uL", "10^9/L", "lab:cd4-count", 0.2),
        (40.0, "IU/L", "U/L", "lab:alt", 40.0),
        (4.0, "uIU/mL", "mIU/L", "lab:tsh", 4.0),
        (38.0, "°C", "Deg F", "vital:temperature", 100.4),
        (7.5, "kPa", "mm Hg", "lab:pco2", 56.25),
        (0.45, "sec", "ms", "vital:qtc", 450.0),
        (30.0, "mL/min/1.73m2", "mL/min/{1.73_m2}", "lab:egfr", 30.0),
        (1.0, "g/24h", "mg/24hr", "lab:urine-24h-protein", 1000.0),
        (40.0, "%", "", "vital:fio2", 0.4),
        (72.0, "bpm", "/min", "vital:heart-rate", 72.0),
        (500.0, "ng/mL FEU", "mg/L FEU", "lab:d-dimer", 0.5),
        (290.0, "mOsm/kg", "mmol/kg", "lab:osmolality", 290.0),
    ],
)
def test_a_value_converts_to_the_unit_of_a_condition(
    value: float, unit_from: str, unit_to: str, concept: str, expected: float
) -> None:
    assert convert(value, unit_from, unit_to, concept) == pytest.approx(expected, rel=2e-3)
    assert convert(expected, unit_to, unit_from, concept) == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize(
    ("unit_from", "unit_to", "concept"),
    [
        ("mg/dL", "mmol/L", "lab:crp"),  # no molar mass: a mixture of polymers
        ("mL/min", "mL/min/1.73m2", "lab:egfr"),  # needs the patient's body surface
        ("IU/L", "mg/dL", "lab:alt"),
        ("mEq/L", "mmol/L", "lab:glucose"),  # carries no charge
        ("ng/mL FEU", "ng/mL", "lab:d-dimer"),  # another kind of D-dimer unit
        ("", "mmol/L", "lab:potassium"),
        ("log10 IU/mL", "IU/mL", "lab:hbv-dna"),
        ("Gs/dL", "mg/dL", "lab:glucose"),
    ],
)
def test_what_does_not_convert_is_refused(unit_from: str, unit_to: str, concept: str) -> None:
    with pytest.raises(UnitError) as caught:
        convert(1.0, unit_from, unit_to, concept)
    assert isinstance(caught.value, ChartroomError)


def test_units_are_read_in_any_case() -> None:
    assert parse_unit("MG/DL") == parse_unit("mg/dl") == parse_unit(" mg/dL ")


def test_every_spelling_is_a_unit_that_pint_reads() -> None:
    table = files("knowledge.facts").joinpath("unit_spellings.tsv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        assert row["source"]
        assert {parse_unit(spelling) for spelling in row["spellings"].split("|")} == {
            parse_unit(row["spellings"].split("|")[0])
        }


def test_molar_masses_belong_to_known_concepts_and_are_plausible() -> None:
    terminology = Terminology.load()
    known = {concept.id for concept in terminology.concepts}
    assert set(substances()) <= known
    for substance in substances().values():
        assert substance.source
        assert substance.molar_mass is None or 1 < substance.molar_mass < math.inf
        assert substance.charge is None or 1 <= substance.charge <= 3
        assert substance.molar_mass or substance.charge
