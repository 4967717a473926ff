"""Conditions of facts: what they say, and when they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import ConfigError
from knowledge.facts import AGE, Comparison, Condition, Reading, evaluate, parse, resolver
from knowledge.terminology import Terminology

IDS = {"eGFR": "lab:egfr", "potassium": "lab:potassium", "creatinine": "lab:creatinine", "age": AGE}


def judge(text: str, **values: Reading):
    by_id = {IDS[name]: reading for name, reading in values.items()}
    return evaluate(parse(text), by_id, IDS.get)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("eGFR < 30 mL/min/1.73m2", Comparison("eGFR", "<", 30, "mL/min/1.73m2")),
        ("INR > 1.7", Comparison("INR", ">", 1.7, "")),
        ("platelet count <= 100 10^9/L", Comparison("platelet count", "<=", 100, "10^9/L")),
        ("QTc>=500 ms", Comparison("QTc", ">=", 500, "ms")),
        ("base excess < -5 mmol/L", Comparison("base excess", "<", -5, "mmol/L")),
    ],
)
def test_a_comparison_is_a_name_an_operator_a_number_and_a_unit(text, parsed):
    assert parse(text) == Condition((parsed,))


def test_comparisons_are_joined_by_and_or_by_or():
    both = parse("creatinine >= 1.5 mg/dL and age >= 80 years")
    assert [c.name for c in both.comparisons] == ["creatinine", "age"]
    assert both.joined == "and"
    assert parse("potassium < 4 mmol/L or eGFR < 30 mL/min/1.73m2").joined == "or"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eGFR",
        "eGFR < low",
        "< 30 mL/min",
        "eGFR < 30 mL/min/1.73m2 and",
        "30 < eGFR < 60 mL/min/1.73m2",
        "(eGFR < 30 mL/min/1.73m2)",
        "eGFR << 30",
        "eGFR < 30 mL/min/1.73m2, age > 65 years",
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ConfigError):
        parse(text)


def test_and_is_not_mixed_with_or():
    with pytest.raises(ConfigError, match="mixes"):
        parse("age > 65 years and eGFR < 30 mL/min/1.73m2 or potassium > 5 mmol/L")


@given(
    name=st.sampled_from(["eGFR", "creatinine clearance", "QTc"]),
    operator=st.sampled_from(["<", "<=", ">", ">=", "="]),
    number=st.integers(0, 10_000),
    unit=st.sampled_from(["", "mL/min", "10^9/L", "mmHg"]),
)
def test_a_condition_written_out_reads_back(name, operator, number, unit):
    condition = Condition((Comparison(name, operator, number, unit),))
    assert parse(str(condition)) == condition


def test_it_holds_by_the_patients_value():
    verdict = judge("eGFR < 30 mL/min/1.73m2", eGFR=Reading(24, "mL/min/1.73m2"))
    assert verdict.outcome == "true"
    assert [(j.concept, j.converted) for j in verdict.because] == [("lab:egfr", 24)]
    assert judge("eGFR < 30 mL/min/1.73m2", eGFR=Reading(30, "mL/min/1.73m2")).outcome == "false"


def test_units_are_converted_before_comparing():
    verdict = judge("creatinine > 2 mg/dL", creatinine=Reading(200, "umol/L"))
    assert verdict.outcome == "true"
    assert verdict.because[0].converted == pytest.approx(2.26, abs=0.01)
    assert judge("creatinine > 2 mg/dL", creatinine=Reading(150, "µmol/L")).outcome == "false"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"potassium": Reading(6, "mg/L/h")},
        {"potassium": Reading(6, "furlongs")},
        {"eGFR": Reading(90, "")},
    ],
)
def test_an_absent_or_inconvertible_value_leaves_it_unknown(values):
    assert judge("potassium > 5.5 mmol/L", **values).outcome == "unknown"


def test_a_name_that_means_nothing_leaves_it_unknown():
    verdict = judge("glow > 3 mmol/L", potassium=Reading(6, "mmol/L"))
    assert verdict.outcome == "unknown"
    assert verdict.because[0].concept is None


OLD, YOUNG = Reading(85, "years"), Reading(40, "years")
HIGH, LOW = Reading(2, "mg/dL"), Reading(0.8, "mg/dL")


@pytest.mark.parametrize(
    ("joint", "values", "outcome", "decided_by"),
    [
        ("and", {"creatinine": HIGH, "age": OLD}, "true", ["creatinine", "age"]),
        ("and", {"creatinine": HIGH, "age": YOUNG}, "false", ["age"]),
        ("and", {"creatinine": LOW}, "false", ["creatinine"]),
        ("and", {"creatinine": HIGH}, "unknown", ["age"]),
        ("or", {"creatinine": HIGH}, "true", ["creatinine"]),
        ("or", {"creatinine": LOW}, "unknown", ["age"]),
        ("or", {"creatinine": LOW, "age": YOUNG}, "false", ["creatinine", "age"]),
    ],
)
def test_the_verdict_names_what_decided(joint, values, outcome, decided_by):
    verdict = judge(f"creatinine >= 1.5 mg/dL {joint} age >= 80 years", **values)
    assert verdict.outcome == outcome
    assert [judged.comparison.name for judged in verdict.because] == decided_by


def test_names_resolve_to_the_one_lab_or_vital_that_they_name():
    resolve = resolver(Terminology.load().named)
    assert resolve("eGFR") == "lab:egfr"
    assert resolve("potassium") == "lab:potassium"
    assert resolve("QTc") == "vital:qtc"
    assert resolve("Age") == AGE
    assert resolve("aspirin") is None
    assert resolve("no such thing") is None
