"""Derived values against hand calculations and published examples."""

import pytest

from knowledge.facts import Reading, evaluate, parse, resolver
from knowledge.facts.derived import creatinine_clearance, egfr_ckd_epi_2021, qtc_bazett, qtc_fridericia
from knowledge.terminology import Terminology


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (0.9, 50, "male", 104.0),  # at kappa: 142 * 0.9938**50
        (1.8, 50, "male", 45.3),  # doubled: * 2**-1.2
        (0.7, 50, "female", 105.3),  # at kappa: * 1.012
        (2.0, 70, "female", 26.4),
        (0.45, 30, "male", 145.2),  # halved: * 0.5**-0.302
    ],
)
def test_egfr_follows_the_2021_equation_without_race(creatinine, age, sex, expected):
    derived = egfr_ckd_epi_2021(creatinine, age, sex)
    assert derived.value == pytest.approx(expected, abs=0.1)
    assert derived.unit == "mL/min/1.73m2"


def test_creatinine_clearance_follows_cockcroft_and_gault():
    assert creatinine_clearance(1.0, 40, 72, "male").value == pytest.approx(100)
    assert creatinine_clearance(1.0, 40, 72, "female").value == pytest.approx(85)
    assert creatinine_clearance(2.0, 80, 60, "male").value == pytest.approx(25)


def test_corrected_qt_equals_qt_at_60_beats_a_minute():
    assert qtc_bazett(400, 60).value == pytest.approx(400)
    assert qtc_fridericia(400, 60).value == pytest.approx(400)


def test_bazett_corrects_more_than_fridericia_at_high_rates():
    assert qtc_bazett(360, 100).value == pytest.approx(464.8, abs=0.1)
    assert qtc_fridericia(360, 100).value == pytest.approx(426.8, abs=0.1)


def test_a_derived_value_says_formula_source_and_inputs():
    derived = egfr_ckd_epi_2021(1.1, 61, "female")
    assert derived.concept == "lab:egfr"
    assert "CKD-EPI 2021" in derived.formula
    assert "Inker" in derived.source
    assert [(given.name, given.value, given.unit) for given in derived.inputs] == [
        ("creatinine", 1.1, "mg/dL"),
        ("age", 61, "years"),
    ]


@pytest.mark.parametrize(
    "compute",
    [
        lambda: egfr_ckd_epi_2021(1.0, 17, "male"),
        lambda: egfr_ckd_epi_2021(0, 50, "male"),
        lambda: creatinine_clearance(1.0, 50, 0, "male"),
        lambda: creatinine_clearance(1.0, 141, 70, "male"),
        lambda: qtc_bazett(400, 0),
    ],
)
def test_nothing_is_computed_where_a_formula_does_not_hold(compute):
    with pytest.raises(ValueError, match=r"\."):
        compute()


def test_a_derived_value_decides_a_condition():
    resolve = resolver(Terminology.load().named)
    derived = (
        creatinine_clearance(3.0, 80, 60, "male"),
        egfr_ckd_epi_2021(3.0, 80, "male"),
        qtc_bazett(480, 80),
    )
    values = {value.concept: Reading(value.value, value.unit) for value in derived}
    for condition in ("creatinine clearance < 30 mL/min", "eGFR < 30 mL/min/1.73m2", "QTc > 500 ms"):
        assert evaluate(parse(condition), values, resolve).outcome == "true"
