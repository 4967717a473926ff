"""The tables of treatments, diagnosis and risk: of use in a hospital, well-formed and in agreement with each other."""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

import knowledge.facts
from knowledge.facts import Fact, Reading, evaluate, parse, read_facts, resolver
from knowledge.facts.units import convert
from knowledge.terminology import Terminology

_FOLDER = Path(knowledge.facts.__file__).parent
_GIVEN = {"drug", "drug_class", "procedure"}
JOINS = {
    "treats": (_GIVEN, {"disease", "finding"}),
    "first_line_for": (_GIVEN, {"disease"}),
    "diagnosed_by": ({"disease"}, {"lab", "vital", "procedure"}),
    "risk_factor_of": (_GIVEN | {"disease", "finding"}, {"disease"}),
}
LEAST = {"treats": 1000, "first_line_for": 250, "diagnosed_by": 500, "risk_factor_of": 400}

Relations = Mapping[str, list[Fact]]


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def facts(terminology: Terminology) -> Relations:
    known = {concept.id for concept in terminology.concepts}
    return {relation: read_facts(_FOLDER / "tables" / f"{relation}.tsv", known) for relation in JOINS}


@pytest.mark.parametrize("relation", JOINS)
def test_each_table_is_large_enough_to_be_of_use(facts: Relations, relation: str) -> None:
    assert len(facts[relation]) >= LEAST[relation]


@pytest.mark.parametrize("relation", JOINS)
def test_each_relation_joins_the_types_that_it_is_meant_for(
    facts: Relations, terminology: Terminology, relation: str
) -> None:
    subjects, objects = JOINS[relation]
    for fact in facts[relation]:
        assert terminology.concept(fact.subject).type in subjects, fact
        assert terminology.concept(fact.object).type in objects, fact
        assert fact.subject != fact.object


def test_a_first_line_treatment_is_a_treatment(facts: Relations) -> None:
    treats = {(fact.subject, fact.object) for fact in facts["treats"]}
    assert [fact for fact in facts["first_line_for"] if (fact.subject, fact.object) not in treats] == []


def test_no_source_holds_two_or_is_left_open(facts: Relations) -> None:
    for relation in facts.values():
        assert [fact for fact in relation if ";" in fact.source or fact.source.endswith(":")] == []


def test_a_value_that_makes_a_diagnosis_is_a_value_of_the_object(
    facts: Relations, terminology: Terminology
) -> None:
    resolve = resolver(terminology.named)
    for fact in facts["diagnosed_by"]:
        if fact.condition:
            asked = [resolve(comparison.name) for comparison in parse(fact.condition).comparisons]
            assert fact.object in asked, fact


def test_a_value_within_its_reference_range_makes_no_diagnosis_of_its_own(
    facts: Relations, terminology: Terminology
) -> None:
    resolve = resolver(terminology.named)
    healthy = _middle_of_ranges()
    made = []
    for fact in facts["diagnosed_by"]:
        if fact.condition:
            asked = {resolve(comparison.name) for comparison in parse(fact.condition).comparisons}
            if asked <= set(healthy) and evaluate(parse(fact.condition), healthy, resolve).outcome == "true":
                made.append((fact.subject, fact.condition))
    assert made == []


def test_the_units_of_conditions_convert_to_those_of_the_reference_ranges(
    facts: Relations, terminology: Terminology
) -> None:
    resolve = resolver(terminology.named)
    middle = _middle_of_ranges()
    for fact in facts["diagnosed_by"]:
        for comparison in parse(fact.condition).comparisons if fact.condition else ():
            concept = resolve(comparison.name)
            if concept is not None and concept in middle:
                convert(comparison.number, comparison.unit, middle[concept].unit, concept)


@pytest.mark.parametrize(
    ("disease", "value", "unit", "concept"),
    [
        ("disease:hyperkalemia", 6.1, "mmol/L", "lab:potassium"),
        ("disease:hyponatremia", 128, "mmol/L", "lab:sodium"),
        ("disease:diabetes", 7.2, "%", "lab:hba1c"),
        ("disease:anemia", 95, "g/L", "lab:hemoglobin"),
        ("disease:thrombocytopenia", 60, "10^9/L", "lab:platelets"),
        ("disease:hypotension", 82, "mmHg", "vital:systolic"),
        ("disease:ckd", 41, "mL/min/1.73m2", "lab:egfr"),
        ("disease:sbp", 400, "cells/uL", "lab:ascites-neutrophils"),
        ("disease:osteoporosis", -2.8, "", "vital:bone-density-t-score"),
    ],
)
def test_a_value_beyond_the_limit_makes_the_diagnosis(
    facts: Relations, terminology: Terminology, disease: str, value: float, unit: str, concept: str
) -> None:
    resolve = resolver(terminology.named)
    outcomes = [
        evaluate(parse(fact.condition), {concept: Reading(value, unit)}, resolve).outcome
        for fact in facts["diagnosed_by"]
        if (fact.subject, fact.object) == (disease, concept) and fact.condition
    ]
    assert "true" in outcomes


def test_the_diseases_that_hospitals_see_most_can_be_treated_and_diagnosed(facts: Relations) -> None:
    common = [f"disease:{name}" for name in _COMMON]
    treated = {fact.object for fact in facts["treats"]}
    diagnosed = {fact.subject for fact in facts["diagnosed_by"]}
    assert [disease for disease in common if disease not in treated] == []
    assert [disease for disease in common if disease not in diagnosed] == []


def test_what_the_demo_hospital_gives_treats_something(facts: Relations, terminology: Terminology) -> None:
    treats = defaultdict(set)
    for fact in facts["treats"]:
        treats[fact.subject].add(fact.object)
    path = Path(knowledge.facts.__file__).parents[1] / "demo" / "data" / "drugs.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        given = [row["drug"] for row in csv.DictReader(lines, delimiter="\t")]
    drugs = {
        concept.id
        for name in given
        for match in terminology.find(name)
        for concept in match.concepts
        if concept.type == "drug"
    }
    assert len(drugs) >= 70
    assert sorted(drug for drug in drugs if not treats[drug]) == []


def test_no_pair_is_stated_twice_under_one_condition(facts: Relations) -> None:
    for relation in facts.values():
        pairs = Counter((fact.subject, fact.object, fact.condition) for fact in relation)
        assert [pair for pair, times in pairs.items() if times > 1] == []


def _middle_of_ranges() -> Mapping[str, Reading]:
    """A value of a healthy adult for each concept whose range has both ends."""
    middle = {}
    with (_FOLDER / "ranges.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["low"] and row["high"]:
                value = (float(row["low"]) + float(row["high"])) / 2
                middle[row["concept"]] = Reading(value, row["unit"])
    return middle


_COMMON = (
    "hypertension heart-failure cad mi stemi nstemi af dvt pe endocarditis aortic-stenosis pericarditis "
    "type-2-diabetes dka hhs hypothyroidism hyperthyroidism adrenal-insufficiency osteoporosis gout aki ckd esrd "
    "nephrotic-syndrome uti pyelonephritis nephrolithiasis hyponatremia hypernatremia hypokalemia hyperkalemia "
    "hypocalcemia hypercalcemia hypomagnesemia metabolic-acidosis copd aecopd asthma pneumonia cap hap ards "
    "pleural-effusion pneumothorax tuberculosis sepsis septic-shock osteomyelitis meningitis hiv hepatitis-b "
    "hepatitis-c c-difficile-infection ischemic-stroke tia intracerebral-hemorrhage sah epilepsy dementia "
    "multiple-sclerosis gerd peptic-ulcer gi-bleed ugib variceal-bleeding cirrhosis ascites sbp hepatorenal "
    "hepatic-encephalopathy pancreatitis cholecystitis cholangitis appendicitis bowel-obstruction crohn "
    "ulcerative-colitis anemia iron-deficiency-anemia thrombocytopenia hit neutropenia febrile-neutropenia dic "
    "lung-cancer breast-cancer colorectal-cancer gastric-cancer hcc prostate-cancer lymphoma leukemia myeloma "
    "tumor-lysis rheumatoid-arthritis lupus osteoarthritis hip-fracture rhabdomyolysis preeclampsia "
    "gestational-diabetes postpartum-hemorrhage hip-osteoarthritis"
).split()
