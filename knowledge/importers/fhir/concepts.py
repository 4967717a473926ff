"""Codes and labels: what a FHIR CodeableConcept is called in the store."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.coding import Coding

from knowledge.importers.columns import RuleBroken
from knowledge.importers.records import Ref, Row

DIAGNOSIS_SYSTEMS = ("icd10", "icd11", "icd9", "snomed")
PROCEDURE_SYSTEMS = ("icd10", "icd9", "snomed", "cpt")
MEASURE_SYSTEMS = ("loinc", "snomed")
DRUG_SYSTEMS = ("rxnorm", "atc", "ndc", "snomed")
VACCINE_SYSTEMS = ("cvx", "atc", "snomed")


@dataclass(frozen=True, slots=True)
class Concept:
    """A label and a code such as ``icd10|N179``; ``text|…`` where the source has words only."""

    code: str
    label: str


def table(name: str) -> list[dict[str, str]]:
    """The lines of one of this package's tab-separated data files."""
    text = files("knowledge.importers.fhir").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def _systems() -> dict[str, str]:
    return {line["system"]: line["name"] for line in table("code_systems.tsv")}


@cache
def _labels() -> dict[tuple[str, str], str]:
    return {(line["set"], line["code"]): line["label"] for line in table("code_labels.tsv")}


def system_name(coding: Coding) -> str:
    """The short name of a code system; its own address where it has none, ``local`` where it has neither."""
    return _systems().get(coding.system, coding.system) if coding.system else "local"


def store_code(coding: Coding) -> str:
    """``system|code``; ICD codes are kept without their dot, as everywhere in the store."""
    name = system_name(coding)
    code = (coding.code or "").strip()
    return f"{name}|{code.replace('.', '') if name in ('icd9', 'icd10') else code}"


def concept(source: CodeableConcept | None, prefer: Sequence[str] = ()) -> Concept | None:
    """The code and label of a CodeableConcept, or ``None`` where it says nothing.

    Args:
        source: the concept; several codings of one meaning are usual.
        prefer: code systems, best first; a coding that a user selected, or the first one, else.
    """
    if source is None:
        return None
    codings = [coding for coding in source.coding or () if coding.code]
    rank = {name: place for place, name in enumerate(prefer)}
    best = min(
        codings,
        key=lambda coding: (rank.get(system_name(coding), len(rank)), not coding.userSelected),
        default=None,
    )
    words = (source.text, best.display if best else None, *(coding.display for coding in source.coding or ()))
    label = next((text.strip() for text in words if text and text.strip()), None)
    if best is not None:
        code = store_code(best)
        return Concept(code, label or code.partition("|")[2])
    return Concept(f"text|{label}", label) if label else None


def required(source: CodeableConcept | None, path: str, prefer: Sequence[str] = ()) -> Concept:
    """As ``concept``, for a column that must be filled; raises ``RuleBroken``."""
    found = concept(source, prefer)
    if found is None:
        raise RuleBroken(f"{path}: has neither a code nor a text")
    return found


def label(source: CodeableConcept | None) -> str | None:
    """The words of a concept."""
    found = concept(source)
    return found.label if found else None


def first_code(source: CodeableConcept | None) -> str | None:
    """The first bare code of a concept, such as a status."""
    return next((c.code for c in (source.coding if source else None) or () if c.code), None)


def spelled(kind: str, source: Coding | CodeableConcept | None) -> str | None:
    """A code of a small fixed set in words (``code_labels.tsv``); else the source's own words or code."""
    if source is None:
        return None
    codings = [source] if isinstance(source, Coding) else source.coding or []
    for coding in codings:
        if words := _labels().get((kind, coding.code or "")):
            return words
    return label(CodeableConcept(coding=codings) if isinstance(source, Coding) else source)


def listed(kind: str, source: CodeableConcept | None) -> str | None:
    """As ``spelled``, but ``None`` for a code that the set does not list."""
    found = (_labels().get((kind, coding.code or "")) for coding in (source.coding if source else None) or ())
    return next(filter(None, found), None)


def icd_rows(dictionary: str, item: Concept) -> tuple[Row, ...]:
    """The line of ``d_icd_diagnoses`` or ``d_icd_procedures`` that goes with a code."""
    return (Row(dictionary, {"icd_code": item.code, "long_title": item.label}, item.code),)


def lab_item(item: Concept, category: str | None) -> Row:
    """The line of ``d_labitems`` that goes with a measured concept."""
    key = Ref("d_labitems", item.code)
    return Row(
        "d_labitems",
        {"itemid": key, "label": item.label, "category": category, "code": item.code},
        item.code,
    )


def chart_item(item: Concept, linksto: str, category: str | None, unit: str | None) -> Row:
    """The line of ``d_items`` that goes with a charted or given concept."""
    values = {
        "itemid": Ref("d_items", item.code),
        "label": item.label,
        "linksto": linksto,
        "category": category,
        "unitname": unit,
        "code": item.code,
    }
    return Row("d_items", values, item.code)
