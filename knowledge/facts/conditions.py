"""The conditions of facts: reading them and judging them against a patient's values.

::

    condition  = comparison (" and " comparison)* | comparison (" or " comparison)*
    comparison = name operator number unit          eGFR < 30 mL/min/1.73m2

``and`` and ``or`` are not mixed and there are no brackets, so a clinician reads every condition in one way. A name
is any English name of one lab or vital; whose it is, the caller says. A value that is absent, or whose unit cannot
be converted, makes a comparison unknown, never false.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from knowledge.errors import ConfigError, UnitError
from knowledge.facts.units import convert

Outcome = Literal["true", "false", "unknown"]
_COMPARISON = re.compile(
    r"(?P<name>[^\W\d][^<>=]*?)\s*(?P<operator><=|>=|<|>|=)\s*(?P<number>-?\d+(?:\.\d+)?)(?:\s+(?P<unit>[^\s<>=]+))?"
)
_JOINT = re.compile(r"\s+(and|or)\s+")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One value against one number: ``potassium > 5.5 mmol/L``. The unit is empty where the value has none."""

    name: str
    operator: Literal["<", "<=", ">", ">=", "="]
    number: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {self.number:g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that must all hold (``and``) or of which one must (``or``)."""

    comparisons: tuple[Comparison, ...]
    joined: Literal["and", "or"] = "and"

    def __str__(self) -> str:
        return f" {self.joined} ".join(str(comparison) for comparison in self.comparisons)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a patient, as recorded."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison with the value that it was made with.

    Attributes:
        concept: the id that the comparison's name means; None where it means none or several.
        reading: the patient's value; None where there is none.
        converted: that value in the unit of the comparison; None where it cannot be converted.
    """

    comparison: Comparison
    concept: str | None
    reading: Reading | None
    converted: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, and the comparisons that decided; where unknown, those that are open."""

    outcome: Outcome
    because: tuple[Judged, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """The condition that a text states.

    Raises:
        ConfigError: it states none.
    """
    parts = _JOINT.split(text.strip())
    joints = set(parts[1::2])
    if len(joints) > 1:
        raise ConfigError(f"The condition {text!r} mixes 'and' with 'or'; write it as two facts.")
    return Condition(
        comparisons=tuple(_comparison(part, text) for part in parts[0::2]),
        joined="or" if joints == {"or"} else "and",
    )


def evaluate(
    condition: Condition, values: Mapping[str, Reading], resolve: Callable[[str], str | None]
) -> Verdict:
    """Whether a condition holds for a patient.

    Args:
        condition: what must hold.
        values: the patient's values by id of concept; the latest, or whichever the caller means.
        resolve: from a name in the condition to the id under which ``values`` has it; None where there is none.
    """
    judged = [_judge(comparison, values, resolve) for comparison in condition.comparisons]
    decisive: Outcome = "false" if condition.joined == "and" else "true"
    for outcome in (decisive, "unknown"):
        because = tuple(one for one in judged if one.outcome == outcome)
        if because:
            return Verdict(outcome, because)
    return Verdict(judged[0].outcome, tuple(judged))


def _comparison(part: str, text: str) -> Comparison:
    found = _COMPARISON.fullmatch(part.strip())
    if found is None:
        raise ConfigError(
            f"The condition {text!r} cannot be read; write it as a name, an operator (< <= > >= =), a number and "
            "a unit, such as 'eGFR < 30 mL/min/1.73m2'."
        )
    return Comparison(
        name=found["name"],
        operator=found["operator"],  # type: ignore[arg-type]  # one of them, by the expression
        number=float(found["number"]),
        unit=found["unit"] or "",
    )


def _judge(
    comparison: Comparison, values: Mapping[str, Reading], resolve: Callable[[str], str | None]
) -> Judged:
    concept = resolve(comparison.name)
    reading = values.get(concept) if concept is not None else None
    if concept is None or reading is None:
        return Judged(comparison, concept, None, None, "unknown")
    converted = _converted(reading, comparison.unit, concept)
    if converted is None:
        return Judged(comparison, concept, reading, None, "unknown")
    holds = _COMPARE[comparison.operator](converted, comparison.number)
    return Judged(comparison, concept, reading, converted, "true" if holds else "false")


def _converted(reading: Reading, unit: str, concept: str) -> float | None:
    if reading.unit == unit:
        return reading.value
    try:
        return convert(reading.value, reading.unit, unit, concept)
    except UnitError:
        return None
