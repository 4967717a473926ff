"""Values that are computed from recorded ones: estimated GFR, creatinine clearance, corrected QT.

Every value says by which formula it was computed, from which source, and from which inputs, so that an answer can
show all three. They are for adults; where a formula does not hold, nothing is computed.
"""

from dataclasses import dataclass
from typing import Literal

Sex = Literal["female", "male"]
_ADULT = 18  # years; the equations were developed in adults
_MINUTE_IN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Input:
    """A value that went into a formula, in the unit in which the formula takes it."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A computed value.

    Attributes:
        concept: whose value it is, by id, so that conditions can be evaluated with it.
        formula: what the formula is called.
        source: where it was published.
        inputs: what it was computed from; the sex, which has no number, is part of the formula's name.
    """

    concept: str
    value: float
    unit: str
    formula: str
    source: str
    inputs: tuple[Input, ...]


def egfr_ckd_epi_2021(creatinine: float, age: float, sex: Sex) -> Derived:
    """Estimated glomerular filtration rate, CKD-EPI 2021 creatinine equation, without race.

    Args:
        creatinine: serum creatinine in mg/dL, standardized to IDMS.
        age: in years.
        sex: the equation has a term for female.

    Returns:
        mL/min/1.73m2.

    Raises:
        ValueError: the creatinine is not positive, or the patient is younger than 18 years.
    """
    _check_adult(age)
    _check_positive(creatinine=creatinine)
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine / kappa
    value = 142.0 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200 * 0.9938**age
    return Derived(
        concept="lab:egfr",
        value=value * 1.012 if female else value,
        unit="mL/min/1.73m2",
        formula=f"CKD-EPI 2021 creatinine, {sex}",
        source="Inker LA et al. N Engl J Med 2021;385:1737-1749",
        inputs=(Input("creatinine", creatinine, "mg/dL"), Input("age", age, "years")),
    )


def creatinine_clearance(creatinine: float, age: float, weight: float, sex: Sex) -> Derived:
    """Creatinine clearance, Cockcroft-Gault equation, not indexed to body surface.

    Args:
        creatinine: serum creatinine in mg/dL.
        age: in years.
        weight: in kg; actual, ideal or adjusted weight is the caller's choice.
        sex: for female the result is multiplied by 0.85.

    Returns:
        mL/min.

    Raises:
        ValueError: creatinine or weight is not positive, or the age is outside 18 to 140 years.
    """
    _check_adult(age)
    _check_positive(creatinine=creatinine, weight=weight)
    value = (140.0 - age) * weight / (72.0 * creatinine)
    if value <= 0:
        raise ValueError("The Cockcroft-Gault equation holds for ages below 140 years only.")
    return Derived(
        concept="lab:creatinine-clearance",
        value=value * 0.85 if sex == "female" else value,
        unit="mL/min",
        formula=f"Cockcroft-Gault, {sex}",
        source="Cockcroft DW, Gault MH. Nephron 1976;16:31-41",
        inputs=(
            Input("creatinine", creatinine, "mg/dL"),
            Input("age", age, "years"),
            Input("weight", weight, "kg"),
        ),
    )


def qtc_bazett(qt: float, heart_rate: float) -> Derived:
    """QT interval corrected by the square root of the RR interval.

    Args:
        qt: in ms.
        heart_rate: beats per minute.

    Returns:
        ms. Too long at high heart rates, too short at low ones.

    Raises:
        ValueError: a value is not positive.
    """
    return _corrected(qt, heart_rate, 1 / 2, "Bazett", "Bazett HC. Heart 1920;7:353-370")


def qtc_fridericia(qt: float, heart_rate: float) -> Derived:
    """QT interval corrected by the cube root of the RR interval.

    Args:
        qt: in ms.
        heart_rate: beats per minute.

    Returns:
        ms.

    Raises:
        ValueError: a value is not positive.
    """
    return _corrected(
        qt, heart_rate, 1 / 3, "Fridericia", "Fridericia LS. Acta Medica Scandinavica 1920;53:469-486"
    )


def _corrected(qt: float, heart_rate: float, exponent: float, name: str, source: str) -> Derived:
    _check_positive(qt=qt, heart_rate=heart_rate)
    rr = _MINUTE_IN_SECONDS / heart_rate
    return Derived(
        concept="vital:qtc",
        value=qt / rr**exponent,
        unit="ms",
        formula=f"QTc, {name}",
        source=source,
        inputs=(Input("QT", qt, "ms"), Input("heart rate", heart_rate, "bpm")),
    )


def _check_adult(age: float) -> None:
    if age < _ADULT:
        raise ValueError(
            f"The equation holds for adults; {age:g} years is too young. Use a pediatric equation."
        )


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"The value {name} must be positive, not {value:g}.")
