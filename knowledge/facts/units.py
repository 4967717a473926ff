"""Units of clinical measurement: reading how they are written, and converting values between them.

One pint registry, with the units that laboratories use and pint lacks (``units.txt``). How records and guidelines
write a unit is data (``unit_spellings.tsv``): a spelling that is not there is no unit, because a guess such as
``MG/DL`` read as megagauss would be worse than none. Amounts and masses convert by the molar mass of what is
measured, charges by its valence (``molar_masses.tsv``); activities of different substances never convert.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pint

from knowledge.errors import ConfigError, UnitError

_HERE = Path(__file__).parent
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Substance:
    """What turns amounts of a measured substance into masses and charges.

    Attributes:
        molar_mass: in g/mol; None where the value is no mass.
        charge: equivalents per mole; None where the substance is no ion.
        source: where the numbers come from.
    """

    molar_mass: float | None
    charge: int | None
    source: str


def parse_unit(text: str) -> pint.Unit:
    """The unit that a record, a range or a condition writes; the empty text is a number without a unit.

    Raises:
        UnitError: the spelling is not among those known.
    """
    return _parse(_folded(text))


def convert(value: float, unit_from: str, unit_to: str, concept_id: str) -> float:
    """A concept's value in another unit.

    Args:
        value: as recorded.
        unit_from: the unit of the value, as written: ``mg/dL``.
        unit_to: the unit wanted, as written: ``µmol/L``.
        concept_id: whose value it is; amounts and masses convert by its molar mass.

    Raises:
        UnitError: a unit is unknown, or the concept's values do not convert between the two.
    """
    source, target = parse_unit(unit_from), parse_unit(unit_to)
    quantity = registry().Quantity(value, source)
    if source.dimensionality == target.dimensionality:
        return float(quantity.to(target).magnitude)
    for factor in _factors(concept_id):
        for changed in (quantity * factor, quantity / factor):
            if changed.dimensionality == target.dimensionality:
                return float(changed.to(target).magnitude)
    raise UnitError(
        f"Values of {concept_id!r} do not convert from {unit_from!r} to {unit_to!r}; state the value in a unit of "
        "the same kind, or add the concept's molar mass to molar_masses.tsv."
    )


@cache
def registry() -> pint.UnitRegistry:
    """The one registry of this process: pint's units and the clinical ones."""
    units = pint.UnitRegistry()
    units.load_definitions(_HERE / "units.txt")
    return units


@cache
def substances() -> Mapping[str, Substance]:
    """What is known of each concept's substance, by id.

    Raises:
        ConfigError: the table has a number that is none.
    """
    known = {}
    for row in _rows("molar_masses.tsv"):
        try:
            mass = float(row["molar_mass"]) if row["molar_mass"] else None
            charge = int(row["charge"]) if row["charge"] else None
        except ValueError as error:
            raise ConfigError(f"molar_masses.tsv, {row['concept']!r}: {error}.") from error
        known[row["concept"]] = Substance(mass, charge, row["source"])
    return known


@cache
def _parse(text: str) -> pint.Unit:
    spellings = _spellings()
    if text in spellings:
        return registry().parse_units(spellings[text])
    parts = [part.strip() for part in text.split("/")]
    if not parts[0]:
        parts[0] = "1"  # "/hpf" is a number per field
    known = [spellings.get(part) for part in parts]
    if len(parts) == 1 or None in known:
        raise UnitError(
            f"The unit {text!r} is not known; write it as in unit_spellings.tsv, such as 'mmol/L', or add it there."
        )
    return registry().parse_units("/".join(f"({part})" for part in known))


def _factors(concept_id: str) -> list[Any]:
    substance = substances().get(concept_id)
    if substance is None:
        return []
    mass = registry().Quantity(substance.molar_mass, "g/mol") if substance.molar_mass else None
    charge = registry().Quantity(substance.charge, "Eq/mol") if substance.charge else None
    both = [mass / charge] if mass is not None and charge is not None else []
    return [factor for factor in (mass, charge, *both) if factor is not None]


@cache
def _spellings() -> Mapping[str, str]:
    known = {"": "dimensionless"}
    for row in _rows("unit_spellings.tsv"):
        for spelling in row["spellings"].split("|"):
            folded = _folded(spelling)
            if known.setdefault(folded, row["unit"]) != row["unit"]:
                raise ConfigError(f"unit_spellings.tsv gives {spelling!r} two meanings; keep one.")
    return known


def _folded(text: str) -> str:
    # The micro sign and the Greek letter look alike and are typed as either.
    return _SPACES.sub(" ", text.replace("μ", "µ")).strip().casefold().replace("μ", "µ")


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
