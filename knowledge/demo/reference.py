"""The dictionaries of the demo hospital: laboratory items, charted items, drugs, diagnoses, procedures, sigs.

Read from the tables in ``data/``; every row there names its source.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

DATA = "knowledge.demo.data"


@dataclass(frozen=True, slots=True)
class LabItem:
    """A laboratory test: its item, conventional unit, reference range by sex and names in notes."""

    itemid: int
    label: str
    fluid: str
    category: str
    code: str | None
    unit: str | None
    male: tuple[float | None, float | None]
    female: tuple[float | None, float | None]
    critical: tuple[float | None, float | None]
    decimals: int
    usual: tuple[float, float]
    price: float
    en: str
    zh: str

    def reference(self, gender: str) -> tuple[float | None, float | None]:
        """Lower and upper limit of the reference range for ``m`` or ``f``."""
        return self.female if gender == "f" else self.male

    def flag(self, value: float, gender: str) -> str | None:
        """``high``, ``low``, ``critical high``, ``critical low`` or ``None`` within the range."""
        low, high = self.reference(gender)
        if self.critical[1] is not None and value >= self.critical[1]:
            return "critical high"
        if self.critical[0] is not None and value <= self.critical[0]:
            return "critical low"
        if high is not None and value > high:
            return "high"
        return "low" if low is not None and value < low else None


@dataclass(frozen=True, slots=True)
class ChartItem:
    """An item of the charts: a vital sign, an intake or an output."""

    key: str
    itemid: int
    label: str
    abbreviation: str
    linksto: str
    category: str
    unit: str | None
    decimals: int
    usual: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug of the formulary, its Chinese name and the allergy group it belongs to."""

    drug: str
    zh: str
    allergy_group: str | None
    price: float


@dataclass(frozen=True, slots=True)
class Coded:
    """A diagnosis or procedure: code, official title, and how notes call it."""

    icd_code: str
    long_title: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Sig:
    """A route or frequency as ordered (``code``) and as written in notes."""

    code: str
    en: str
    zh: str
    per_day: int


@dataclass(frozen=True, slots=True)
class Reference:
    """All dictionaries, keyed as the courses name them."""

    labs: dict[str, LabItem]
    items: dict[str, ChartItem]
    drugs: dict[str, Drug]
    diagnoses: dict[str, Coded]
    procedures: dict[str, Coded]
    sigs: dict[str, Sig]


def read_data(name: str) -> str:
    """The text of a file in ``data/``."""
    return files(DATA).joinpath(name).read_text(encoding="utf-8")


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a TSV file in ``data/``."""
    return list(csv.DictReader(StringIO(read_data(name)), delimiter="\t", quoting=csv.QUOTE_NONE))


def _number(text: str) -> float | None:
    return float(text) if text else None


def _range(low: str, high: str) -> tuple[float | None, float | None]:
    return _number(low), _number(high)


@cache
def load_reference() -> Reference:
    """Read all dictionaries; they do not change while the program runs."""
    labs = {
        r["label"]: LabItem(
            int(r["itemid"]), r["label"], r["fluid"], r["category"],
            f"loinc|{r['loinc']}" if r["loinc"] else None, r["unit"] or None,
            _range(r["low_m"], r["high_m"]), _range(r["low_f"], r["high_f"]),
            _range(r["critical_low"], r["critical_high"]), int(r["decimals"]),
            (float(r["usual_low"]), float(r["usual_high"])), float(r["price"]), r["en"], r["zh"],
        )
        for r in read_table("labs.tsv")
    }  # fmt: skip
    items = {
        r["key"]: ChartItem(
            r["key"], int(r["itemid"]), r["label"], r["abbreviation"], r["linksto"], r["category"],
            r["unit"] or None, int(r["decimals"]),
            (float(r["usual_low"]), float(r["usual_high"])) if r["usual_low"] else None,
        )
        for r in read_table("items.tsv")
    }  # fmt: skip
    return Reference(
        labs=labs,
        items=items,
        drugs={
            r["drug"]: Drug(r["drug"], r["zh"], r["allergy_group"] or None, float(r["price"]))
            for r in read_table("drugs.tsv")
        },
        diagnoses=_coded("diagnoses.tsv"),
        procedures=_coded("procedures.tsv"),
        sigs={r["code"]: Sig(r["code"], r["en"], r["zh"], int(r["per_day"])) for r in read_table("sig.tsv")},
    )


def _coded(name: str) -> dict[str, Coded]:
    """A table of codes, keyed without the code system."""
    return {
        r["icd_code"].partition("|")[2]: Coded(r["icd_code"], r["long_title"], r["en"], r["zh"])
        for r in read_table(name)
    }
