"""The graph is built from the core tables, the same each time, and answers by id, name, code and relation."""

from pathlib import Path

import pytest

from knowledge.errors import IndexFault
from knowledge.graph import KnowledgeGraph, build_core, ensure
from knowledge.graph.build import Tables
from knowledge.graph.write import writing


def ids(nodes) -> list[str]:
    return [node.id for node in nodes]


def test_a_concept_has_its_names_and_codes_with_their_source(graph: KnowledgeGraph) -> None:
    node = graph.node("disease:heart-failure")
    assert (node.type, node.en, node.zh) == ("disease", "Heart failure", "心力衰竭")
    assert {(name.form, name.language, name.exact) for name in graph.names(node.id)} == {
        ("Heart failure", "en", False),
        ("心力衰竭", "zh", False),
        ("cardiac failure", "en", False),
        ("心衰", "zh", False),
        ("CHF", "en", False),
        ("HF", "en", True),
    }
    assert [(code.system, code.code, code.source_id) for code in graph.codes(node.id)] == [
        ("icd10", "I50", "core")
    ]
    with pytest.raises(KeyError):
        graph.node("disease:none")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("心衰", ["disease:heart-failure"]),
        ("CARDIAC FAILURE", ["disease:heart-failure"]),
        ("HF", ["disease:heart-failure"]),
        ("hf", []),
        ("Lasix", ["drug:furosemide"]),
        ("nothing", []),
    ],
)
def test_a_form_in_either_language_finds_its_concept(
    graph: KnowledgeGraph, form: str, expected: list[str]
) -> None:
    assert ids(graph.named(form)) == expected


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("icd10", "I50.22", "disease:chronic-heart-failure"),
        ("icd10", "I5022", "disease:chronic-heart-failure"),
        ("icd10", "I50.1", "disease:heart-failure"),
        ("icd10", "I51", None),
        ("atc", "C03CA02", "drug_class:loop-diuretic"),
        ("loinc", "1", None),
    ],
)
def test_a_code_finds_the_concept_that_has_it_or_the_nearest_above(
    graph: KnowledgeGraph, system: str, code: str, expected: str | None
) -> None:
    assert ids(graph.by_code(system, code)) == ([expected] if expected else [])


def test_drugs_and_classes_are_in_the_nearest_class_by_code_or_list(graph: KnowledgeGraph) -> None:
    pairs = {(edge.subject, edge.object) for edge in graph.edges(ids(graph.all_nodes()), {"is_a"})}
    assert pairs == {
        ("drug:furosemide", "drug_class:loop-diuretic"),
        ("drug_class:loop-diuretic", "drug_class:diuretic"),
        ("drug:dicloxacillin", "drug_class:penicillin"),
        ("disease:chronic-heart-failure", "disease:heart-failure"),
    }
    assert graph.ancestors("drug:furosemide") == ("drug_class:loop-diuretic", "drug_class:diuretic")
    assert graph.descendants("disease:heart-failure") == ("disease:chronic-heart-failure",)


def test_edges_carry_condition_source_section_and_year(graph: KnowledgeGraph) -> None:
    [edge] = graph.edges(["drug:metformin"], {"contraindicated_when"})
    assert (edge.object, edge.condition, edge.severity) == ("lab:egfr", "eGFR < 30 mL/min/1.73m2", "absolute")
    assert (edge.source_id, edge.source, edge.section, edge.year) == ("core", "FDA label", "4", 2017)


def test_edges_are_found_from_either_end(graph: KnowledgeGraph) -> None:
    assert {edge.relation for edge in graph.edges(["disease:heart-failure"], direction="in")} == {
        "is_a",
        "treats",
        "symptom_of",
    }
    assert graph.edges(["disease:heart-failure"]) == []
    assert len(graph.edges(["finding:edema"], direction="both")) == 3


def test_the_same_tables_give_the_same_bytes(tables: Tables, tmp_path: Path) -> None:
    for name in ("one", "two"):
        build_core(tmp_path / name, tables=tables)
    first, second = ((tmp_path / name / "gen-0001" / "graph.sqlite").read_bytes() for name in ("one", "two"))
    assert first == second


def test_an_altered_file_is_refused_and_the_message_names_the_repair(tables: Tables, tmp_path: Path) -> None:
    build_core(tmp_path / "graph", tables=tables)
    database = tmp_path / "graph" / "gen-0001" / "graph.sqlite"
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    with pytest.raises(IndexFault, match="chartroom knowledge build"):
        KnowledgeGraph.open(tmp_path / "graph")
    build_core(tmp_path / "graph", tables=tables, anew=True)
    assert KnowledgeGraph.open(tmp_path / "graph").counts()["concepts"]["drug"] == 3


def test_a_fact_about_an_unknown_concept_is_left_out_and_counted(tables: Tables, tmp_path: Path) -> None:
    with (tables.facts / "treats.tsv").open("a", encoding="utf-8") as table:
        table.write("drug:none\tdisease:heart-failure\t\t\t\t\tX\t\t2020\n")
    build_core(tmp_path / "graph", tables=tables)
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert graph.counts()["edges"]["treats"] == 2
    [(reason, entries, examples)] = graph.left("core")
    assert "drug:none" in reason
    assert (entries, examples) == (1, "treats.tsv, line 4")


def test_ensure_builds_what_is_missing_and_follows_a_new_core_pack(tables: Tables, tmp_path: Path) -> None:
    build_core(tmp_path / "graph", tables=tables)
    graph = ensure(tmp_path / "graph")
    assert graph.core_version == Tables.shipped().version()
    assert graph.node("disease:mi").zh == "心肌梗死"
    assert ensure(tmp_path / "graph").core_version == graph.core_version


def test_a_graph_of_another_version_is_made_anew_where_nothing_was_imported(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "graph"
    with monkeypatch.context() as older:
        older.setattr("knowledge.graph.write.SCHEMA_VERSION", "older")
        build_core(folder, tables=tables)
    assert "disease:mi" in {node.id for node in ensure(folder).named("心梗")}
    with monkeypatch.context() as older:
        older.setattr("knowledge.graph.write.SCHEMA_VERSION", "older")
        build_core(folder, tables=tables, anew=True)
        with writing(folder) as writer:
            source = writer.source("own", title="own", format="test", version="1", sha256="0")
            key = writer.concept("own:1")
            writer.claim(key, source, term="own:1", type="disease", en="own", zh=None)
    with pytest.raises(IndexFault, match=r"build --anew\. Then import again: own\."):
        ensure(folder)
