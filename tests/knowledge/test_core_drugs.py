"""The medicines, their classes, the procedures and the organisms of the core pack are complete and consistent."""

import csv
import gzip
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.graph.classes import class_members
from knowledge.terminology import Terminology
from knowledge.terminology.concepts import Concept

TYPES = ("drug", "drug_class", "procedure", "organism")
# What prescriptions hold beside medicines: containers, plain carriers and supplies.
CARRIERS = re.compile(
    r"^(bag|soln?\.?|solution|syringe.*|vial|sw|ns|sterile water|adde|.*cassette|.*vac(cine)?\b.*|insulin.*)$",
    re.IGNORECASE,
)
COLUMN_WORDS = {
    "discharge", "culture", "pressure", "test", "count", "ward", "input", "output", "stool", "admission",
    "route", "dose", "drug", "medication", "procedure", "specimen", "organism", "unit", "rate", "volume",
    "cost", "diagnosis", "result", "level", "oral", "contrast", "fluid", "fluids", "iv", "line", "drip",
}  # fmt: skip


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def parents(terminology: Terminology) -> dict[str, set[str]]:
    """Each drug or class to all the classes above it."""
    direct: dict[str, set[str]] = defaultdict(set)
    for member, group, _ in class_members(terminology.concepts):
        direct[member].add(group)
    above: dict[str, set[str]] = {}
    for start in list(direct):
        seen: set[str] = set()
        waiting = list(direct[start])
        while waiting:
            group = waiting.pop()
            if group not in seen:
                seen.add(group)
                waiting.extend(direct.get(group, ()))
        above[start] = seen
    return above


def of_type(terminology: Terminology, kind: str) -> list[Concept]:
    return [concept for concept in terminology.concepts if concept.type == kind]


def atc(concept: Concept) -> list[str]:
    return [code for system, code in concept.codes if system == "atc"]


@pytest.mark.parametrize(
    ("kind", "least"), [("drug", 480), ("drug_class", 150), ("procedure", 160), ("organism", 75)]
)
def test_the_pack_covers_what_hospitals_use(terminology: Terminology, kind: str, least: int) -> None:
    assert len(of_type(terminology, kind)) >= least


def test_codes_are_written_as_the_atc_index_writes_them(terminology: Terminology) -> None:
    written = re.compile(r"[ABCDGHJLMNPRSV](\d\d([A-Z]([A-Z](\d\d?)?)?)?)?")
    wrong = [
        (concept.id, code)
        for kind in ("drug", "drug_class")
        for concept in of_type(terminology, kind)
        for code in atc(concept)
        if not written.fullmatch(code) or (kind == "drug" and len(code) < 4)
    ]
    assert wrong == []


def test_no_two_medicines_claim_one_substance_code(terminology: Terminology) -> None:
    holders: dict[str, list[str]] = defaultdict(list)
    for drug in of_type(terminology, "drug"):
        for code in atc(drug):
            if len(code) == 7 and not code.startswith(
                "B05BB01"
            ):  # one code for all solutions of electrolytes
                holders[code].append(drug.id)
    assert {code: ids for code, ids in holders.items() if len(ids) > 1} == {}


def test_every_medicine_has_a_class_and_every_class_a_member(
    terminology: Terminology, parents: dict[str, set[str]]
) -> None:
    assert [drug.id for drug in of_type(terminology, "drug") if not parents.get(drug.id)] == []
    held = set().union(*parents.values())
    assert [group.id for group in of_type(terminology, "drug_class") if group.id not in held] == []


@pytest.mark.parametrize(
    ("drug", "group"),
    [
        ("drug:canagliflozin", "drug_class:sglt2-inhibitor"),
        ("drug:sertraline", "drug_class:antidepressant"),
        ("drug:clarithromycin", "drug_class:strong-cyp3a4-inhibitor"),
        ("drug:epirubicin", "drug_class:antineoplastic"),
        ("drug:sintilimab", "drug_class:immune-checkpoint-inhibitor"),
        ("drug:oxacillin", "drug_class:beta-lactam"),
        ("drug:iohexol", "drug_class:contrast-medium"),
    ],
)
def test_a_medicine_reaches_the_classes_that_rules_name(
    parents: dict[str, set[str]], drug: str, group: str
) -> None:
    assert group in parents[drug]


@pytest.mark.parametrize(
    ("drug", "group"),
    [
        ("drug:bosentan", "drug_class:antihypertensive"),
        ("drug:tolvaptan", "drug_class:antihypertensive"),
        ("drug:lithium-carbonate", "drug_class:antipsychotic"),
        ("drug:pirfenidone", "drug_class:immunosuppressant"),
    ],
)
def test_a_class_leaves_out_what_clinicians_do_not_mean_by_it(
    parents: dict[str, set[str]], drug: str, group: str
) -> None:
    assert group not in parents[drug]


@pytest.mark.parametrize("kind", TYPES)
def test_each_concept_has_a_chinese_name_and_an_id_of_its_own(terminology: Terminology, kind: str) -> None:
    found = of_type(terminology, kind)
    assert len({concept.id for concept in found}) == len(found)
    assert [c.id for c in found if not re.search("[\u4e00-\u9fff]", c.zh)] == []
    assert [c.id for c in found if not re.fullmatch(rf"{kind}:[a-z0-9]+(-[a-z0-9]+)*", c.id)] == []


def test_no_form_means_two_things_unless_that_is_listed(terminology: Terminology) -> None:
    with files("knowledge.terminology").joinpath("ambiguous.tsv").open(encoding="utf-8") as lines:
        listed = {row["form"].casefold() for row in csv.DictReader(lines, delimiter="\t")}
    shared = {
        form: sorted(ids)
        for form in terminology.surface_forms()
        if len(ids := {c.id for c in terminology.named(form) if c.type in TYPES}) > 1
        and form.casefold() not in listed
    }
    assert shared == {}


def test_forms_are_neither_ordinary_words_nor_too_short_to_be_safe(terminology: Terminology) -> None:
    short, common, single = [], [], []
    for kind in TYPES:
        for concept in of_type(terminology, kind):
            short += [
                (concept.id, form)
                for form in concept.abbreviations
                if len(form) <= 2 and not form.startswith("=")
            ]
            names = (concept.en, concept.zh, *concept.synonyms_en, *concept.synonyms_zh)
            common += [(concept.id, form) for form in names if form.casefold() in COLUMN_WORDS]
            single += [(concept.id, form) for form in names if len(form) < 2]
    assert (short, common, single) == ([], [], [])


@pytest.mark.shared_data
def test_the_medicines_of_the_indication_catalog_are_known(
    terminology: Terminology, shared_data: Path
) -> None:
    with (shared_data / "pharmacotherapydb/drugs.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    known = [row for row in rows if any(c.type == "drug" for c in terminology.named(row["drug"]))]
    pairs = [sum(int(row[column] or 0) for row in of) for of in (known, rows) for column in ("DM", "SYM")]
    assert sum(pairs[:2]) / sum(pairs[2:]) > 0.8


@pytest.mark.shared_data
def test_almost_all_prescriptions_name_a_known_medicine(terminology: Terminology, shared_data: Path) -> None:
    counts: Counter[str] = Counter()
    with gzip.open(shared_data / "mimic-iv-demo/hosp/prescriptions.csv.gz", "rt", encoding="utf-8") as lines:
        counts.update(row["drug"] for row in csv.DictReader(lines))
    with closing(
        sqlite3.connect(f"file:{shared_data}/ehrsql-2024/mimic_iv.sqlite?immutable=1", uri=True)
    ) as db:
        counts.update(dict(db.execute("SELECT drug, count(*) FROM prescriptions GROUP BY drug")))
    asked = {drug: n for drug, n in counts.items() if not CARRIERS.match(drug.strip())}
    lacking = {
        drug: n
        for drug, n in asked.items()
        if not any(c.type == "drug" for match in terminology.find(drug) for c in match.concepts)
    }
    assert sum(lacking.values()) / sum(asked.values()) < 0.05, sorted(lacking.items(), key=lambda x: -x[1])[
        :20
    ]
