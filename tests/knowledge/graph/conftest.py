"""A small graph of its own for each test: heart failure, its drugs and what forbids them."""

from pathlib import Path

import pytest

from knowledge.graph import KnowledgeGraph, build_core
from knowledge.graph.build import Tables

CONCEPTS = """\
id	type	en	zh	synonyms_en	synonyms_zh	abbreviations	codes	labels	members	source
disease:heart-failure	disease	Heart failure	心力衰竭	cardiac failure	心衰	CHF|=HF	icd10:I50			test
disease:chronic-heart-failure	disease	Chronic heart failure	慢性心力衰竭				icd10:I50.22			test
disease:ckd	disease	Chronic kidney disease	慢性肾脏病				icd10:N18			test
finding:fatigue	finding	Fatigue	乏力							test
disease:hypertension	disease	Hypertension	高血压				icd10:I10			test
finding:edema	finding	Edema	水肿							test
lab:egfr	lab	eGFR	肾小球滤过率						 	test
drug:furosemide	drug	Furosemide	呋塞米	Lasix			atc:C03CA01			test
drug:metformin	drug	Metformin	二甲双胍				atc:A10BA02			test
drug:dicloxacillin	drug	Dicloxacillin	双氯西林							test
drug_class:diuretic	drug_class	Diuretics	利尿剂				atc:C03			test
drug_class:loop-diuretic	drug_class	Loop diuretics	袢利尿剂				atc:C03C			test
drug_class:penicillin	drug_class	Penicillins	青霉素类				atc:J01C		Dicloxacillin|!cream	test
"""
FACT_HEADER = "subject\tobject\tcondition\tseverity\tdetail_en\tdetail_zh\tsource\tsection\tyear\n"
FACTS = {
    "is_a": "disease:chronic-heart-failure\tdisease:heart-failure\t\t\t\t\tICD-10\t\t2021\n",
    "treats": "drug:furosemide\tdisease:heart-failure\t\t\t\t\tAHA 2022\t7.3\t2022\n"
    "drug:furosemide\tfinding:edema\t\t\t\t\tFDA label\t1\t2016\n",
    "contraindicated_when": "drug:metformin\tlab:egfr\teGFR < 30 mL/min/1.73m2\tabsolute\t\t\tFDA label\t4\t2017\n",
    "symptom_of": "finding:edema\tdisease:heart-failure\t\ttypical\t\t\tHarrison\t\t2022\n"
    "finding:edema\tdisease:ckd\t\tcommon\t\t\tHarrison\t\t2022\n"
    "finding:fatigue\tdisease:ckd\t\tcommon\t\t\tHarrison\t\t2022\n",
    "causes": "disease:hypertension\tdisease:ckd\t\t\t\t\tKDIGO\t\t2024\n",
    "diagnosed_by": "disease:ckd\tlab:egfr\teGFR < 60 mL/min/1.73m2\t\t\t\tKDIGO\t\t2024\n",
}


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    made = Tables(concepts=tmp_path / "concepts", facts=tmp_path / "facts")
    made.concepts.mkdir()
    made.facts.mkdir()
    (made.concepts / "all.tsv").write_text(CONCEPTS, "utf-8")
    for relation, rows in FACTS.items():
        (made.facts / f"{relation}.tsv").write_text(FACT_HEADER + rows, "utf-8")
    return made


@pytest.fixture
def graph(tables: Tables, tmp_path: Path) -> KnowledgeGraph:
    build_core(tmp_path / "graph", tables=tables)
    return KnowledgeGraph.open(tmp_path / "graph")
