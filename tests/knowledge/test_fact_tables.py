"""The tables of facts: what counts as one, and what the core pack's own say."""

from collections import Counter
from pathlib import Path

import pytest

import knowledge.facts
from knowledge.errors import ConfigError
from knowledge.facts import AGE, Fact, Reading, evaluate, parse, read_facts, resolver, review_facts
from knowledge.facts.facts import COLUMNS
from knowledge.facts.units import convert
from knowledge.terminology import Terminology

TABLES = Path(knowledge.facts.__file__).parent / "tables"
KNOWN = {"drug:metformin", "drug:warfarin", "drug:aspirin", "lab:egfr", "disease:asthma"}
GOOD = {
    "subject": "drug:metformin",
    "object": "lab:egfr",
    "condition": "eGFR < 30 mL/min/1.73m2",
    "severity": "absolute",
    "detail_en": "Accumulates",
    "detail_zh": "蓄积",
    "source": "FDA label: Glucophage",
    "section": "4",
    "year": "2017",
}
PAIR = GOOD | {"subject": "drug:aspirin", "object": "drug:warfarin", "condition": "", "severity": "major"}
MEASURED = {
    "contraindicated_when": ({"drug", "drug_class"}, {"disease", "finding", "lab", "vital", "drug_class"}),
    "dose_adjust_when": ({"drug"}, {"disease", "finding", "lab", "vital"}),
    "interacts_with": ({"drug", "drug_class"}, {"drug", "drug_class"}),
    "monitored_by": ({"drug", "drug_class", "disease"}, {"lab", "vital", "procedure"}),
}


def table(folder: Path, relation: str, *rows: dict[str, str]) -> Path:
    path = folder / f"{relation}.tsv"
    lines = ["\t".join(COLUMNS), *("\t".join(row[column] for column in COLUMNS) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_fact_with_its_source(tmp_path):
    (fact,) = read_facts(table(tmp_path, "contraindicated_when", GOOD), KNOWN)
    assert fact == Fact(
        subject="drug:metformin",
        relation="contraindicated_when",
        object="lab:egfr",
        condition="eGFR < 30 mL/min/1.73m2",
        severity="absolute",
        detail_en="Accumulates",
        detail_zh="蓄积",
        source="FDA label: Glucophage",
        section="4",
        year=2017,
    )


def test_a_folder_is_read_table_by_table(tmp_path):
    table(tmp_path, "interacts_with", PAIR)
    table(tmp_path, "contraindicated_when", GOOD)
    assert [fact.relation for fact in read_facts(tmp_path, KNOWN)] == [
        "contraindicated_when",
        "interacts_with",
    ]


@pytest.mark.parametrize(
    ("relation", "row", "reason"),
    [
        ("contraindicated_when", GOOD | {"source": ""}, "'source' is empty"),
        ("contraindicated_when", GOOD | {"year": ""}, "'year' is empty"),
        ("contraindicated_when", GOOD | {"year": "MMXX"}, "no year"),
        ("contraindicated_when", GOOD | {"object": "lab:unheard"}, "'lab:unheard' is no known concept"),
        ("contraindicated_when", GOOD | {"condition": "eGFR is low"}, "cannot be read"),
        ("contraindicated_when", GOOD | {"severity": "major"}, "no severity of contraindicated_when"),
        ("contraindicated_when", GOOD | {"detail_zh": ""}, "both languages"),
        ("contraindicated_when", GOOD | {"detail_en": "x" * 121}, "longer than 120"),
        ("dose_adjust_when", GOOD | {"severity": "", "condition": ""}, "needs the condition"),
        ("treats", GOOD | {"severity": "absolute"}, "no severity of treats"),
        ("interacts_with", PAIR | {"subject": "drug:warfarin", "object": "drug:aspirin"}, "alphabetical"),
        ("interacts_with", PAIR | {"subject": "drug:warfarin"}, "alphabetical"),
        ("interacts_with", PAIR | {"detail_en": "", "detail_zh": ""}, "mechanism"),
        ("interacts_with", PAIR | {"severity": ""}, "severity"),
    ],
)
def test_a_row_that_is_no_fact_stops_the_core_pack_and_is_set_aside_in_imports(
    tmp_path, relation, row, reason
):
    good = PAIR if relation == "interacts_with" else GOOD | {"severity": "", "object": "disease:asthma"}
    path = table(tmp_path, relation, good, row)
    with pytest.raises(ConfigError, match="line 3") as raised:
        read_facts(path, KNOWN)
    assert reason in str(raised.value)
    review = review_facts(path, KNOWN)
    assert len(review.facts) == 1
    (rejected,) = review.rejected
    assert (rejected.file, rejected.line) == (str(path), 3)
    assert reason in rejected.reason


def test_a_repeated_row_is_named_with_the_line_that_it_repeats(tmp_path):
    (rejected,) = review_facts(table(tmp_path, "contraindicated_when", GOOD, GOOD), KNOWN).rejected
    assert "repeats line 2" in rejected.reason


@pytest.mark.parametrize("reader", [read_facts, review_facts])
def test_a_table_that_is_none_is_refused_as_a_whole(tmp_path, reader):
    with pytest.raises(ConfigError, match="named after a relation"):
        reader(table(tmp_path, "resembles", GOOD), KNOWN)
    (tmp_path / "treats.tsv").write_text("subject\tobject\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no column"):
        reader(tmp_path / "treats.tsv", KNOWN)
    with pytest.raises(ConfigError, match=r"no \.tsv"):
        (tmp_path / "empty").mkdir()
        reader(tmp_path / "empty", KNOWN)


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def core(terminology) -> list[Fact]:
    return read_facts(TABLES, {concept.id for concept in terminology.concepts})


@pytest.fixture(scope="module")
def safety(core) -> list[Fact]:
    return [fact for fact in core if fact.relation in MEASURED]


def find(facts: list[Fact], relation: str, subject: str, target: str) -> list[Fact]:
    return [f for f in facts if (f.relation, f.subject, f.object) == (relation, subject, target)]


def test_the_safety_tables_are_large_enough_to_be_of_use(safety):
    counts = Counter(fact.relation for fact in safety)
    assert counts["contraindicated_when"] >= 450
    assert counts["dose_adjust_when"] >= 250
    assert counts["interacts_with"] >= 500
    assert counts["monitored_by"] >= 280


def test_each_relation_joins_the_types_that_it_is_meant_for(safety, terminology):
    for fact in safety:
        subjects, objects = MEASURED[fact.relation]
        assert terminology.concept(fact.subject).type in subjects, fact
        assert terminology.concept(fact.object).type in objects, fact


def test_every_condition_can_be_evaluated(core, terminology):
    resolve = resolver(terminology.named)
    for fact in core:
        for comparison in parse(fact.condition).comparisons if fact.condition else ():
            concept = resolve(comparison.name)
            assert concept is not None, fact
            assert convert(comparison.number, comparison.unit, comparison.unit, concept) is not None


def test_a_measured_object_is_what_its_condition_asks_for(safety, terminology):
    resolve = resolver(terminology.named)
    for fact in safety:
        if fact.condition and fact.object.startswith(("lab:", "vital:")):
            asked = {resolve(comparison.name) for comparison in parse(fact.condition).comparisons}
            assert fact.object in asked, fact


def test_contraindications_are_graded_and_a_value_comes_with_its_limit(safety):
    for fact in safety:
        if fact.relation == "contraindicated_when":
            assert fact.severity in {"absolute", "relative"}, fact
            assert fact.condition or not fact.object.startswith(("lab:", "vital:")), fact


ELECTROLYTE_STATES = {
    "disease:hyperkalemia": "lab:potassium",
    "disease:hypokalemia": "lab:potassium",
    "disease:hypercalcemia": "lab:calcium",
    "disease:hypomagnesemia": "lab:magnesium",
    "disease:hypoglycemia": "lab:glucose",
}


def test_a_state_that_a_value_shows_bars_a_drug_only_while_the_value_does(safety, terminology):
    resolve = resolver(terminology.named)
    states = [f for f in safety if f.relation == "contraindicated_when" and f.object in ELECTROLYTE_STATES]
    assert states
    for fact in states:
        asked = (
            {resolve(c.name) for c in parse(fact.condition or "").comparisons} if fact.condition else set()
        )
        assert asked == {ELECTROLYTE_STATES[fact.object]}, fact


def test_a_dose_change_says_what_to_do(safety):
    assert all(fact.detail_en for fact in safety if fact.relation == "dose_adjust_when")


@pytest.mark.parametrize("concept", ["lab:egfr", "lab:creatinine-clearance"])
def test_no_kidney_function_asks_for_two_doses_of_a_drug(safety, terminology, concept):
    resolve = resolver(terminology.named)
    rules = [
        fact
        for fact in safety
        if fact.relation == "dose_adjust_when"
        and fact.object == concept
        and AGE not in (fact.condition or "")
    ]
    for value in range(1, 150):
        readings = {concept: Reading(value, "")}
        asked = Counter(
            fact.subject
            for fact in rules
            for comparisons in [parse(fact.condition or "").comparisons]
            if all(
                evaluate(parse(f"{c.name} {c.operator} {c.number}"), readings, resolve).outcome == "true"
                for c in comparisons
            )
        )
        assert max(asked.values(), default=0) <= 1, (value, asked.most_common(3))


@pytest.mark.parametrize(
    ("relation", "subject", "target", "severity"),
    [
        ("contraindicated_when", "drug:metformin", "lab:egfr", "absolute"),
        ("contraindicated_when", "drug_class:nsaid", "lab:egfr", "relative"),
        ("contraindicated_when", "drug_class:ace-inhibitor", "finding:angioedema", "absolute"),
        ("contraindicated_when", "drug_class:ace-inhibitor", "disease:pregnancy", "absolute"),
        ("contraindicated_when", "drug:heparin", "disease:hit", "absolute"),
        ("contraindicated_when", "drug:propranolol", "disease:asthma", "absolute"),
        ("contraindicated_when", "drug:rasburicase", "disease:g6pd-deficiency", "absolute"),
        ("contraindicated_when", "drug:spironolactone", "lab:potassium", "relative"),
        ("contraindicated_when", "drug_class:nsaid", "disease:aki", "relative"),
        ("contraindicated_when", "drug_class:nsaid", "disease:gi-bleed", "absolute"),
        ("contraindicated_when", "drug_class:cephalosporin", "drug_class:penicillin", "relative"),
        ("contraindicated_when", "drug:meropenem", "drug_class:penicillin", "relative"),
        ("interacts_with", "drug_class:anticoagulant", "drug_class:nsaid", "major"),
        ("interacts_with", "drug_class:ace-inhibitor", "drug_class:arb", "major"),
        ("interacts_with", "drug_class:benzodiazepine", "drug_class:opioid", "major"),
        ("interacts_with", "drug:clarithromycin", "drug:simvastatin", "contraindicated"),
        ("interacts_with", "drug:valproate", "drug_class:carbapenem", "major"),
        ("interacts_with", "drug:heparin", "drug_class:lmwh", "major"),
        ("interacts_with", "drug:naltrexone", "drug_class:opioid", "contraindicated"),
    ],
)
def test_what_a_pharmacist_checks_first_is_there(safety, relation, subject, target, severity):
    assert [fact.severity for fact in find(safety, relation, subject, target)] == [severity]
