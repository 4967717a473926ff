"""The real releases go in whole: each entry is taken or accounted for. Skipped where the public data are absent."""

from pathlib import Path

import pytest

from knowledge.graph import KnowledgeGraph, ensure
from knowledge.ontologies import ImportReport, detect, import_source, remove_source

pytestmark = pytest.mark.shared_data
ORDER = (
    "disease-ontology/doid-2016-09-01.obo",
    "disease-ontology/disease-symptom.tsv",
    "pharmacotherapydb/indications.tsv",
    "hpo/hp-zh.babelon.tsv",
)


@pytest.fixture(scope="module")
def imported(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, ImportReport]]:
    folder = tmp_path_factory.mktemp("releases") / "graph"
    return folder, {Path(name).name: import_source(folder, shared_data / name) for name in ORDER}


@pytest.fixture(scope="module")
def graph(imported) -> KnowledgeGraph:
    return ensure(imported[0])


def left(report: ImportReport, part: str) -> int:
    return sum(found.entries for reason, found in report.left.items() if part in reason)


def test_every_term_of_the_disease_ontology_is_merged_added_or_left(imported) -> None:
    report = imported[1]["doid-2016-09-01.obo"]
    assert report.merged + report.added + left(report, "obsolete") == 9344
    assert left(report, "obsolete") == 2373
    assert report.merged > 700


def test_merged_diseases_bring_their_hierarchy(graph: KnowledgeGraph) -> None:
    [mi] = graph.by_code("doid", "5844")
    assert mi.id == "disease:mi"
    kinds = {node.en.lower() for node in graph.nodes(graph.ancestors("disease:mi"))}
    assert {"artery disease", "disease"} <= kinds


def test_no_pair_that_is_not_indicated_reads_as_a_treatment_of_its_source(graph: KnowledgeGraph) -> None:
    edges = graph.edges([node.id for node in graph.all_nodes("drug")], {"treats", "not_indicated_for"})
    of_source = [edge for edge in edges if edge.source_id == "pharmacotherapydb-indications"]
    pairs = {"treats": set(), "not_indicated_for": set()}
    for edge in of_source:
        pairs[edge.relation].add((edge.subject, edge.object))
    assert len(pairs["treats"]) > 1100
    assert len(pairs["not_indicated_for"]) == 243
    assert not pairs["treats"] & pairs["not_indicated_for"]


def test_drugs_of_the_core_pack_are_the_drugs_of_the_pairs(graph: KnowledgeGraph) -> None:
    assert [node.id for node in graph.by_code("drugbank", "DB00331")] == ["drug:metformin"]


def test_translations_without_the_ontology_name_only_what_is_known_for_certain(imported) -> None:
    report = imported[1]["hp-zh.babelon.tsv"]
    assert report.entries == 18988
    taken = 18988 - left(report, "no concept")
    assert 1000 < report.names <= taken < report.names + 20  # two terms may give one concept the same name


def test_each_release_can_be_taken_out_again(imported, graph: KnowledgeGraph) -> None:
    folder, reports = imported
    for report in reversed(reports.values()):
        remove_source(folder, report.source_id)
    with ensure(folder) as rest:
        assert [source.id for source in rest.sources()] == ["core"]
        assert rest.counts()["concepts"] == {
            kind: sum(node.id.startswith(f"{kind}:") for node in rest.all_nodes(kind))
            for kind in rest.counts()["concepts"]
        }


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("disease-ontology/doid-2016-09-01.obo", "obo"),
        ("disease-ontology/HumanDO.tsv", "labelled"),
        ("disease-ontology/allXREFinDO.tsv", "xrefs"),
        ("disease-ontology/ICD10inDO.tsv", "xrefs"),
        ("disease-ontology/disease-symptom.tsv", "disease-symptoms"),
        ("hpo/hp-basic.json", "obographs"),
        ("hpo/edges.tsv", "hierarchy"),
        ("hpo/xrefs.tsv", "exported-xrefs"),
        ("hpo/layperson-synonyms.tsv", "lay-synonyms"),
        ("hpo/hp-zh.babelon.tsv", "babelon"),
        ("icd10cm/icd10cm-order-Jan-2021.csv.gz", "icd10cm-order"),
        ("icd10cm/icd_cm_9_to_10_mapping.csv.gz", "icd-mapping"),
        ("icd10cm/icd_pcs_9_to_10_mapping.csv.gz", "icd-mapping"),
        ("pharmacotherapydb/indications.tsv", "drug-disease"),
        ("medquad.jsonl.gz", None),
    ],
)
def test_each_release_is_recognised_by_its_content(shared_data: Path, name: str, format: str | None) -> None:
    if not (shared_data / name).is_file():
        pytest.skip(f"{name} is not at hand")
    found = detect(shared_data / name)
    assert (found.name if found else None) == format
