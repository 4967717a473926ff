"""The facts that explain a finding: signs of diseases, harm of medicines, complications."""

from collections import Counter
from pathlib import Path

import pytest

import knowledge.facts
from knowledge.facts import Fact, read_facts
from knowledge.terminology import Terminology

TABLES = Path(knowledge.facts.__file__).parent / "tables"
JOINED = {
    "symptom_of": ({"finding", "disease"}, {"disease"}),
    "adverse_effect": ({"drug", "drug_class"}, {"finding", "disease"}),
    "causes": ({"disease", "organism", "procedure", "finding"}, {"disease", "finding"}),
}
GRADED = ("symptom_of", "adverse_effect")


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def explaining(terminology) -> list[Fact]:
    known = {concept.id for concept in terminology.concepts}
    return [fact for relation in JOINED for fact in read_facts(TABLES / f"{relation}.tsv", known)]


@pytest.fixture(scope="module")
def severities(explaining) -> dict[tuple[str, str, str], str | None]:
    return {(fact.relation, fact.subject, fact.object): fact.severity for fact in explaining}


def test_the_tables_are_large_enough_to_be_of_use(explaining):
    counts = Counter(fact.relation for fact in explaining)
    assert counts["symptom_of"] >= 900
    assert counts["adverse_effect"] >= 900
    assert counts["causes"] >= 450


def test_each_relation_joins_the_types_that_it_is_meant_for(explaining, terminology):
    for fact in explaining:
        subjects, objects = JOINED[fact.relation]
        assert terminology.concept(fact.subject).type in subjects, fact
        assert terminology.concept(fact.object).type in objects, fact
        assert fact.subject != fact.object, fact


def test_signs_and_adverse_effects_say_how_often_or_how_grave(explaining):
    assert all(fact.severity for fact in explaining if fact.relation in GRADED)


def test_no_disease_is_described_by_possible_signs_of_everything(explaining):
    """A disease with more signs than a clinician would name explains every patient, and so none."""
    signs = Counter(fact.object for fact in explaining if fact.relation == "symptom_of")
    assert signs.most_common(1)[0][1] <= 30


@pytest.mark.parametrize(
    ("relation", "subject", "target", "severity"),
    [
        ("symptom_of", "finding:orthopnea", "disease:heart-failure", "typical"),
        ("symptom_of", "finding:asterixis", "disease:hepatic-encephalopathy", "typical"),
        ("symptom_of", "finding:thunderclap-headache", "disease:sah", "typical"),
        ("symptom_of", "finding:melena", "disease:ugib", "typical"),
        ("symptom_of", "finding:pleuritic-chest-pain", "disease:pe", "typical"),
        ("symptom_of", "disease:thrombocytopenia", "disease:hit", "typical"),
        ("adverse_effect", "drug_class:ace-inhibitor", "finding:cough", "common"),
        ("adverse_effect", "drug_class:ace-inhibitor", "disease:hyperkalemia", "common"),
        ("adverse_effect", "drug:spironolactone", "disease:hyperkalemia", "common"),
        ("adverse_effect", "drug:heparin", "disease:hit", "serious"),
        ("adverse_effect", "drug_class:thiazide-diuretic", "disease:hyponatremia", "common"),
        ("adverse_effect", "drug:vancomycin", "disease:aki", "serious"),
        ("adverse_effect", "drug:cisplatin", "disease:hypomagnesemia", "common"),
        ("adverse_effect", "drug:metformin", "disease:lactic-acidosis", "serious"),
        ("causes", "organism:escherichia-coli", "disease:uti", None),
        ("causes", "disease:sepsis", "disease:aki", None),
        ("causes", "disease:hypomagnesemia", "disease:hypokalemia", None),
        ("causes", "procedure:colectomy", "disease:anastomotic-leak", None),
    ],
)
def test_what_a_clinician_thinks_of_first_is_there(severities, relation, subject, target, severity):
    assert (relation, subject, target) in severities
    assert severities[relation, subject, target] == severity
