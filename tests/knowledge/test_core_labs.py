"""Labs, vitals, findings and their reference ranges are sound, and agree with the data that can be checked against."""

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.facts.units import convert, parse_unit
from knowledge.terminology import Terminology
from knowledge.terminology.concepts import Concept

_BOUNDS = ("low", "high", "critical_low", "critical_high")
_HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


def rows(package: str, *path: str) -> list[dict[str, str]]:
    text = files(package).joinpath(*path).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def ranges() -> list[dict[str, str]]:
    return rows("knowledge.facts", "ranges.tsv")


def bounds(row: dict[str, str]) -> dict[str, float]:
    return {name: float(row[name]) for name in _BOUNDS if row[name]}


def of_type(terminology: Terminology, *types: str) -> list[Concept]:
    return [concept for concept in terminology.concepts if concept.type in types]


@pytest.mark.parametrize("table", ["labs.tsv", "vitals.tsv", "findings.tsv"])
def test_a_concept_has_one_row_and_its_id_names_its_type(table: str) -> None:
    found = rows("knowledge.terminology", "tables", table)
    assert [row for row, times in Counter(row["id"] for row in found).items() if times > 1] == []
    assert [
        row["id"] for row in found if not re.fullmatch(rf"{row['type']}:[a-z0-9]+(-[a-z0-9]+)*", row["id"])
    ] == []


def test_hospitals_find_what_they_measure_and_observe(terminology: Terminology) -> None:
    assert len(of_type(terminology, "lab", "vital")) >= 230
    assert len(of_type(terminology, "finding")) >= 330


def test_no_finding_is_a_disease_of_the_same_name(terminology: Terminology) -> None:
    diseases = {concept.en.casefold() for concept in of_type(terminology, "disease")}
    assert [
        concept.id for concept in of_type(terminology, "finding") if concept.en.casefold() in diseases
    ] == []


def test_a_range_belongs_to_a_lab_or_vital_and_names_its_source(terminology: Terminology) -> None:
    measured = {concept.id for concept in of_type(terminology, "lab", "vital")}
    found = ranges()
    assert len(found) >= 150
    assert [row["concept"] for row in found if row["concept"] not in measured] == []
    assert [row["concept"] for row in found if not row["source"] or not bounds(row)] == []
    assert {row["sex"] for row in found} == {"", "male", "female"}
    assert [
        key for key, times in Counter((r["concept"], r["unit"], r["sex"]) for r in found).items() if times > 1
    ] == []


@pytest.mark.parametrize("row", ranges(), ids=lambda row: f"{row['concept']} {row['sex']}".strip())
def test_limits_are_in_order_in_a_unit_that_is_known(row: dict[str, str]) -> None:
    parse_unit(row["unit"])
    limits = [bounds(row)[name] for name in ("critical_low", "low", "high", "critical_high") if row[name]]
    assert limits == sorted(limits)
    assert not (row["low"] and row["high"]) or float(row["low"]) < float(row["high"])


def test_ranges_agree_with_the_thresholds_that_questions_use(terminology: Terminology) -> None:
    names = {row["analyte"]: row["aliases"].split("|") for row in rows("agent.query", "analytes.tsv")}
    by_concept = {row["concept"]: row for row in ranges() if not row["sex"]}
    checked = 0
    for threshold in rows("agent.query", "thresholds.tsv"):
        unit = threshold["units"].split("|")[0]
        concepts = {c.id for name in names[threshold["analyte"]] for c in terminology.named(name)} & set(
            by_concept
        )
        for row in (by_concept[concept] for concept in concepts):
            if (
                row["concept"] == "lab:oxygen-saturation-blood"
            ):  # of the blood gas; the threshold is the oximeter's
                continue
            for name in _BOUNDS:
                if not (threshold[name] and row[name]):
                    continue
                shown = (
                    float(row[name])
                    if unit == "*"
                    else convert(float(row[name]), row["unit"], unit, row["concept"])
                )
                assert shown == pytest.approx(float(threshold[name]), rel=0.02), (row["concept"], name)
                checked += 1
    assert checked >= 60


@pytest.mark.parametrize(
    ("label", "unit"),
    [("Creatinine", "µmol/L"), ("Glucose", "mmol/L"), ("Hemoglobin", "g/L"), ("Bilirubin, Total", "µmol/L")],
)
def test_a_range_can_be_shown_in_the_units_of_either_country(
    terminology: Terminology, label: str, unit: str
) -> None:
    (concept,) = [c for c in terminology.named(label) if c.type == "lab"]
    (row,) = [row for row in ranges() if row["concept"] == concept.id and not row["sex"]]
    assert convert(float(row["high"]), row["unit"], unit, concept.id) > 0


def test_loinc_codes_end_in_their_check_digit(terminology: Terminology) -> None:
    codes = [
        code for c in of_type(terminology, "lab", "vital") for system, code in c.codes if system == "loinc"
    ]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if int(code.split("-")[1]) != _check_digit(code.split("-")[0])] == []


def test_labels_of_labs_are_those_of_the_mapping(terminology: Terminology, shared_data: Path) -> None:
    known = set()
    for name in ("gcpt_meas_lab_loinc_mod.csv", "gcpt_meas_chartevents_main_mod.csv"):
        with (shared_data / "ohdsi-mimic-mapping" / name).open(encoding="utf-8") as lines:
            known |= {row["concept_name"].split("|")[0].casefold() for row in csv.DictReader(lines)}
    for part, name in (("hosp", "d_labitems"), ("icu", "d_items")):
        with gzip.open(
            shared_data / "mimic-iv-demo" / part / f"{name}.csv.gz", "rt", encoding="utf-8"
        ) as lines:
            known |= {row["label"].casefold() for row in csv.DictReader(lines)}
    labels = {label for c in of_type(terminology, "lab", "vital") for label in c.labels}
    assert {label for label in labels if " ".join(label.casefold().split()) not in _squeezed(known)} == set()


def test_loinc_codes_mean_the_same_in_published_records(terminology: Terminology, shared_data: Path) -> None:
    displays: dict[str, str] = {}
    for bundle in sorted((shared_data / "synthea-fhir").glob("*.json")):
        text = bundle.read_text(encoding="utf-8")
        displays |= re.findall(r'"http://loinc\.org",\s*"code":\s*"([^"]+)",\s*"display":\s*"([^"]+)"', text)
    concepts = {
        code: c for c in of_type(terminology, "lab", "vital") for system, code in c.codes if system == "loinc"
    }
    shared = set(displays) & set(concepts)
    assert len(shared) >= 25
    assert [code for code in shared if not _words(displays[code]) & _words(_names(concepts[code]))] == []


def test_findings_bear_terms_of_the_phenotype_ontology(terminology: Terminology, shared_data: Path) -> None:
    graph = json.loads((shared_data / "hpo" / "hp-basic.json").read_text(encoding="utf-8"))["graphs"][0]
    terms = {edge["sub"].rsplit("/", 1)[-1].replace("_", ":") for edge in graph["edges"]}
    held: dict[str, list[str]] = defaultdict(list)
    for concept in of_type(terminology, "finding"):
        for system, code in concept.codes:
            if system == "hpo":
                held[code].append(concept.id)
    assert len(held) >= 250
    assert set(held) <= terms
    assert {code: ids for code, ids in held.items() if len(ids) > 1} == {}


def test_diagnosis_codes_of_findings_are_in_the_classification(
    terminology: Terminology, shared_data: Path
) -> None:
    with gzip.open(
        shared_data / "icd10cm" / "icd10cm-order-Jan-2021.csv.gz", "rt", encoding="utf-8"
    ) as lines:
        known = {row["code"] for row in csv.DictReader(lines)}
    codes = [
        (c.id, code) for c in of_type(terminology, "finding") for system, code in c.codes if system == "icd10"
    ]
    assert [pair for pair in codes if pair[1].replace(".", "") not in known] == []


def test_chinese_names_of_findings_are_the_official_ones_or_the_difference_is_explained(
    terminology: Terminology, shared_data: Path
) -> None:
    with (shared_data / "hpo" / "hp-zh.babelon.tsv").open(encoding="utf-8") as lines:
        official = {
            row["subject_id"]: row["translation_value"]
            for row in csv.DictReader(lines, delimiter="\t")
            if row["predicate_id"] == "rdfs:label" and row["translation_status"] == "OFFICIAL"
        }
    with (_HERE / "hpo_zh_differences.tsv").open(encoding="utf-8") as lines:
        explained = {
            (row["concept"], row["official"])
            for row in csv.DictReader(lines, delimiter="\t")
            if row["reason"]
        }
    differing = {
        (concept.id, official[code])
        for concept in of_type(terminology, "finding")
        for system, code in concept.codes
        if system == "hpo" and code in official and official[code] not in (concept.zh, *concept.synonyms_zh)
    }
    assert differing - explained == set()


def test_a_kind_of_finding_is_no_kind_of_itself() -> None:
    above: dict[str, set[str]] = defaultdict(set)
    for row in rows("knowledge.facts", "tables", "is_a.tsv"):
        if row["subject"].startswith("finding:"):
            above[row["subject"]].add(row["object"])
    assert sum(map(len, above.values())) >= 100

    def ancestors(concept: str) -> set[str]:
        found: set[str] = set()
        waiting = list(above.get(concept, ()))
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting.extend(above.get(one, ()))
        return found

    assert [concept for concept in above if concept in ancestors(concept)] == []


def _check_digit(number: str) -> int:
    # LOINC check digits are those of Luhn's algorithm.
    digits = [int(digit) for digit in reversed(number)]
    total = sum(sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return -total % 10


def _squeezed(labels: set[str]) -> set[str]:
    return {" ".join(label.split()) for label in labels}


def _names(concept: Concept) -> str:
    return " ".join((concept.en, *concept.synonyms_en, *concept.abbreviations, *concept.labels))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]{3,}", text.lower())) - {"blood", "serum", "level", "count"}
