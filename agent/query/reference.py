"""Facts about analytes that a query needs: their names, how their units convert, what is low, high, critical.

Read from ``analytes.tsv``, ``units.tsv`` and ``thresholds.tsv``, each with its source; turned into SQL
expressions here, because the rows are compared inside the database. Thresholds are for adults and count
only where a row brings no reference range of its own.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from agent.query.literals import literal, members


@dataclass(frozen=True, slots=True)
class Conversion:
    """``value`` in any of ``spellings`` times ``factor`` is the value in the analyte's unit of reference."""

    analyte: str
    spellings: tuple[str, ...]
    factor: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """``low`` and ``high`` are the ends of the normal range; critical is at or beyond ``critical_*``."""

    analyte: str
    units: tuple[str, ...]  # ("*",): whatever the unit; an empty one: rows without a unit
    low: float | None
    high: float | None
    critical_low: float | None
    critical_high: float | None
    source: str


def _table(name: str) -> Iterator[dict[str, str]]:
    with files("agent.query").joinpath(name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def names() -> dict[str, tuple[str, ...]]:
    """Analyte to the lower-case names it has in item dictionaries."""
    return {row["analyte"]: tuple(row["aliases"].split("|")) for row in _table("analytes.tsv")}


@cache
def conversions() -> tuple[Conversion, ...]:
    """All conversions; the first of an analyte is its unit of reference."""
    return tuple(
        Conversion(row["analyte"], tuple(row["spellings"].split("|")), float(row["factor"]))
        for row in _table("units.tsv")
    )


@cache
def thresholds() -> tuple[Threshold, ...]:
    """All thresholds."""

    def number(text: str) -> float | None:
        return float(text) if text else None

    return tuple(
        Threshold(
            analyte=row["analyte"],
            units=tuple(row["units"].split("|")),
            low=number(row["low"]),
            high=number(row["high"]),
            critical_low=number(row["critical_low"]),
            critical_high=number(row["critical_high"]),
            source=row["source"],
        )
        for row in _table("thresholds.tsv")
    )


def limits(analyte: str | None, unit: str | None = None) -> tuple[Threshold, ...]:
    """The thresholds of an analyte; where the unit is given, those of that unit."""
    return tuple(
        one
        for one in thresholds()
        if one.analyte == analyte and (unit is None or one.units == ("*",) or unit.lower() in one.units)
    )


def analyte_of(values: Iterable[str]) -> str | None:
    """The one analyte that all these names mean, or ``None``."""
    found = {
        next((analyte for analyte, aliases in names().items() if value.lower() in aliases), None)
        for value in values
    }
    return found.pop() if len(found) == 1 else None


def convertible(analyte: str | None) -> bool:
    """Whether values of the analyte come in units of more than one size."""
    return len({c.factor for c in conversions() if c.analyte == analyte}) > 1


def reference_unit(analyte: str) -> str:
    """The analyte's unit of reference, as ``units.tsv`` spells it."""
    return next(c.spellings[0] for c in conversions() if c.analyte == analyte)


def in_unit(value: str, unit: str, analyte: str | None, target: str) -> str:
    """SQL for ``value`` in the unit ``target``; NULL for rows whose unit is another and does not convert."""
    same = f"WHEN LOWER({unit}) = {literal(target.lower())} THEN {value}"
    known = [c for c in conversions() if c.analyte == analyte]
    wanted = next((c for c in known if target.lower() in c.spellings), None)
    others = (
        [
            f"WHEN LOWER({unit}) IN ({members(c.spellings)}) "
            f"THEN ROUND({value} * {c.factor / wanted.factor!r}, 4)"
            for c in known
        ]
        if wanted
        else []
    )
    return f"(CASE {' '.join([same, *others])} END)"


def outside_range(
    word: str, value: str, name: str, unit: str | None, low: str | None, high: str | None, analyte: str | None
) -> str:
    """SQL that is 1, 0 or NULL (not known): is ``value`` low, high, abnormal, normal or critical?

    Args:
        word: one of those words.
        value: SQL of the row's number.
        name: SQL of its name.
        unit: SQL of its unit.
        low: SQL of the lower end of the row's own reference range, where the store has it.
        high: SQL of the upper end.
        analyte: limits the threshold table to this one where it is known.
    """
    whens = []
    if word != "critical" and low and high:
        whens.append(
            f"WHEN {low} IS NOT NULL OR {high} IS NOT NULL THEN {_judge(word, value, low, high, None, None)}"
        )
    for threshold in thresholds():
        if analyte is not None and threshold.analyte != analyte:
            continue
        test = f"LOWER({name}) IN ({members(names()[threshold.analyte])})"
        if threshold.units != ("*",) and unit is not None:
            test += f" AND LOWER(COALESCE({unit}, '')) IN ({members(threshold.units)})"
        limits = (
            literal(x) if x is not None else None
            for x in (threshold.low, threshold.high, threshold.critical_low, threshold.critical_high)
        )
        whens.append(f"WHEN {test} THEN {_judge(word, value, *limits)}")
    return f"(CASE {' '.join(whens)} END)" if whens else "NULL"


def _judge(
    word: str,
    value: str,
    low: str | None,
    high: str | None,
    critical_low: str | None,
    critical_high: str | None,
) -> str:
    below = f"COALESCE({value} < {low}, 0)" if low else "0"
    above = f"COALESCE({value} > {high}, 0)" if high else "0"
    if word == "low":
        return below
    if word == "high":
        return above
    if word == "critical":
        under = f"{value} <= {critical_low}" if critical_low else "0"
        over = f"{value} >= {critical_high}" if critical_high else "0"
        return f"({under} OR {over})"
    return f"({below} OR {above})" if word == "abnormal" else f"(NOT ({below} OR {above}))"
