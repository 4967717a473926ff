"""What the core pack says about treatments, beside PharmacotherapyDB, whose pairs physicians have judged.

PharmacotherapyDB marks a pair of drug and disease as disease-modifying (DM), symptomatic (SYM) or no indication
(NOT). Drugs are matched by name, diseases by the name and the exact synonyms that the Disease Ontology gives; nothing
is widened, so a treatment of a kind of disease says nothing about its subtypes here. A class counts only where a test
says so.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

import knowledge.facts
from knowledge.facts import read_facts
from knowledge.graph.classes import class_members
from knowledge.terminology import Terminology

pytestmark = pytest.mark.shared_data

PRECISION = 0.95
COVERAGE = 0.70
RELATIONS = ("treats", "first_line_for")
_TABLES = Path(knowledge.facts.__file__).parent / "tables"
_EXPLAINED = Path(__file__).with_name("treats_explained.tsv")
_SYNONYM = re.compile(r'synonym: "(.*)" EXACT')
# Salts and spellings of PharmacotherapyDB under which our tables do not list the drug.
_SPELLED = {
    "Acetylsalicylic acid": "aspirin",
    "Adefovir Dipivoxil": "adefovir",
    "Clobetasol propionate": "clobetasol",
    "Conjugated Estrogens": "conjugated estrogens",
    "Fluticasone Propionate": "fluticasone",
    "Ipratropium bromide": "ipratropium",
    "L-DOPA": "levodopa",
    "Lithium": "lithium carbonate",
    "Medroxyprogesterone Acetate": "medroxyprogesterone",
    "Megestrol acetate": "megestrol",
    "Mycophenolate mofetil": "mycophenolate",
    "Valproic Acid": "valproate",
}

Pair = tuple[str, str]


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def judged(shared_data: Path, terminology: Terminology) -> Mapping[Pair, str]:
    """The pairs of PharmacotherapyDB whose drug and disease we know, with their mark."""
    doid_names = _names_by_doid(shared_data / "disease-ontology" / "doid-2016-09-01.obo")
    pairs: dict[Pair, str] = {}
    for row in _rows(shared_data / "pharmacotherapydb" / "indications.tsv"):
        drug = _concept(terminology, "drug", [_SPELLED.get(row["drug"], row["drug"])])
        disease = _concept(terminology, "disease", [row["disease"], *doid_names.get(row["doid_id"], ())])
        if drug and disease:
            pairs[drug, disease] = row["category"]
    return pairs


@pytest.fixture(scope="module")
def stated(terminology: Terminology) -> set[Pair]:
    known = {concept.id for concept in terminology.concepts}
    return {
        (fact.subject, fact.object)
        for relation in RELATIONS
        for fact in read_facts(_TABLES / f"{relation}.tsv", known)
    }


@pytest.fixture(scope="module")
def explained() -> set[Pair]:
    return {(row["drug"], row["disease"]) for row in _rows(_EXPLAINED)}


def test_enough_pairs_are_known_to_both_for_the_check_to_mean_something(
    judged: Mapping[Pair, str], stated: set[Pair]
) -> None:
    assert len(judged) >= 700
    assert len(stated & set(judged)) >= 400


def test_the_physicians_agree_with_the_treatments_that_they_have_judged(
    judged: Mapping[Pair, str], stated: set[Pair]
) -> None:
    marks = [judged[pair] for pair in stated if pair in judged]
    agreed = sum(mark in {"DM", "SYM"} for mark in marks)
    assert agreed / len(marks) >= PRECISION, f"{agreed} of {len(marks)}"


def test_nothing_is_a_treatment_that_they_call_none_unless_a_newer_source_is_named(
    judged: Mapping[Pair, str], stated: set[Pair], explained: set[Pair]
) -> None:
    refused = {pair for pair in stated if judged.get(pair) == "NOT"}
    assert sorted(refused - explained) == []


def test_every_explanation_is_needed_and_names_its_source(
    judged: Mapping[Pair, str], stated: set[Pair], explained: set[Pair]
) -> None:
    assert sorted(pair for pair in explained if pair not in stated or judged.get(pair) != "NOT") == []
    assert all(row["reason"] and row["source"] for row in _rows(_EXPLAINED))


def test_most_of_the_disease_modifying_pairs_of_drugs_and_diseases_we_know_are_stated(
    judged: Mapping[Pair, str], stated: set[Pair]
) -> None:
    modifying = {pair for pair, mark in judged.items() if mark == "DM"}
    assert len(stated & modifying) / len(modifying) >= COVERAGE, (
        f"{len(stated & modifying)} of {len(modifying)}"
    )


def test_what_is_said_of_a_class_holds_of_its_members_as_often(
    judged: Mapping[Pair, str], stated: set[Pair], terminology: Terminology
) -> None:
    members = _members(terminology)
    inherited = {(drug, disease) for subject, disease in stated for drug in members.get(subject, ())} - stated
    marks = [judged[pair] for pair in inherited if pair in judged]
    agreed = sum(mark in {"DM", "SYM"} for mark in marks)
    assert agreed / len(marks) >= PRECISION, f"{agreed} of {len(marks)}"


def _members(terminology: Terminology) -> Mapping[str, set[str]]:
    """The drugs of each class, those of its narrower classes with them."""
    below: dict[str, set[str]] = defaultdict(set)
    for member, group, _ in class_members(terminology.concepts):
        below[group].add(member)
    drugs: dict[str, set[str]] = {}
    for group in list(below):
        reached, waiting = {group}, [group]
        while waiting:
            fresh = below.get(waiting.pop(), set()) - reached
            reached |= fresh
            waiting.extend(fresh)
        drugs[group] = {concept for concept in reached if concept.startswith("drug:")}
    return drugs


def _concept(terminology: Terminology, kind: str, names: list[str]) -> str | None:
    """The one concept of that type that the first of the names that we know means."""
    for name in names:
        found = {concept.id for concept in terminology.named(name) if concept.type == kind}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _names_by_doid(ontology: Path) -> Mapping[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    current = ""
    with ontology.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("id: "):
                current = line[4:].strip()
            elif line.startswith("name: "):
                names[current].append(line[6:].strip())
            elif found := _SYNONYM.match(line):
                names[current].append(found[1])
    return names


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
