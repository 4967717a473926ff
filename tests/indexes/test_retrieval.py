"""Retrieval over notes, documents and facts: what the graph finds that words do not, and what may be found at all."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.graph_search import GraphSearch
from indexes.index import PassageIndex
from indexes.knowledge_corpus import KnowledgeCorpus
from indexes.retrieval import MODES, Retrieval, asks_something
from indexes.store_notes import StoreNotes
from indexes.tagging import GraphTagger
from knowledge.documents import Document, Library
from knowledge.graph import KnowledgeGraph, build_core
from knowledge.graph.build import Tables
from knowledge.store.store import RecordStore

CONCEPTS = """\
id	type	en	zh	synonyms_en	synonyms_zh	abbreviations	codes	labels	members	source
disease:mi	disease	Myocardial infarction	心肌梗死	heart attack	心梗	AMI				test
disease:stemi	disease	ST-elevation myocardial infarction	ST段抬高型心肌梗死			STEMI				test
finding:zoster	finding	Shingles	带状疱疹	zoster						test
lab:egfr	lab	Estimated glomerular filtration rate	肾小球滤过率			eGFR				test
drug:metformin	drug	Metformin	二甲双胍	Glucophage						test
drug:alteplase	drug	Alteplase	阿替普酶							test
"""
FACTS = {
    "is_a": "disease:stemi\tdisease:mi\t\t\t\t\tbook\t\t2021\n",
    "treats": "drug:alteplase\tdisease:stemi\t\t\tDissolves the clot\t溶解血栓\tlabel\t1\t2020\n",
    "contraindicated_when": "drug:metformin\tlab:egfr\teGFR < 30 mL/min/1.73m2\tabsolute\t\t\tlabel\t4\t2017\n",
}
HEADER = "subject\tobject\tcondition\tseverity\tdetail_en\tdetail_zh\tsource\tsection\tyear\n"
GUIDELINE = Document(
    "mi-2020", "Infarction", "# Reperfusion\nOpen the artery within 90 minutes.", edition="2020"
)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    made = Tables(concepts=tmp_path / "concepts", facts=tmp_path / "facts")
    made.concepts.mkdir()
    made.facts.mkdir()
    (made.concepts / "all.tsv").write_text(CONCEPTS, "utf-8")
    for relation, rows in FACTS.items():
        (made.facts / f"{relation}.tsv").write_text(HEADER + rows, "utf-8")
    return made


@pytest.fixture
def graph(tables: Tables, tmp_path: Path) -> Iterator[KnowledgeGraph]:
    build_core(tmp_path / "graph", tables=tables)
    with closing(KnowledgeGraph.open(tmp_path / "graph")) as opened:
        yield opened


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library.sqlite")
    list(made.put([GUIDELINE]))
    return made


@pytest.fixture
def retrieval(
    graph: KnowledgeGraph, library: Library, store: RecordStore, folder: Path, embedder: Embedder
) -> Retrieval:
    with closing(store.connect()) as connection, connection:
        connection.execute(
            "INSERT INTO notes (note_id, subject_id, note_type, language, text, sha256) "
            "VALUES (9, 3, 'admission', 'zh', '既往史：2098年心梗。', '')"
        )
    tagger = GraphTagger(graph)
    notes = PassageIndex.build(StoreNotes(store), folder, embedder, tagger=tagger)
    facts = PassageIndex.build(KnowledgeCorpus(library, graph), folder, embedder, tagger=tagger)
    return Retrieval((facts, notes), GraphSearch(graph, tagger))


def found(retrieval: Retrieval, query: str, mode: str, **more: object) -> list[str]:
    return [f"{hit.kind} {hit.source_id}" for hit in retrieval.search(query, mode=mode, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["graph", "adaptive"])
def test_the_graph_finds_a_note_in_the_other_language_by_an_abbreviation(
    retrieval: Retrieval, mode: str
) -> None:
    assert "note 9" in found(retrieval, "previous AMI?", mode)
    assert "note 9" not in found(retrieval, "previous AMI?", "keyword")


def test_a_fact_of_a_kind_answers_for_the_whole_and_says_by_which_path(retrieval: Retrieval) -> None:
    hits = retrieval.search("which drug treats a heart attack", mode="graph", k=2)
    best = next(hit for hit in hits if "treats" in hit.source_id)
    assert best.source_id == "drug:alteplase|treats|disease:stemi|"
    assert best.why == "Alteplase —treats→ ST-elevation myocardial infarction"


def test_the_relation_that_is_asked_for_comes_first(retrieval: Retrieval) -> None:
    best, *_ = retrieval.search("Is Glucophage safe with that eGFR?", mode="graph")
    assert best.source_id == "drug:metformin|contraindicated_when|lab:egfr|eGFR < 30 mL/min/1.73m2"
    assert best.why == "Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2"


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_by_patient_holds_for_notes_in_every_mode(retrieval: Retrieval, mode: str) -> None:
    where = Filter(subject_ids=frozenset({1}))
    subjects = {
        hit.subject_id
        for query in ("心梗 AMI metformin chest pain", "creatinine", "zoster")
        for hit in retrieval.search(query, mode=mode, k=50, where=where)  # type: ignore[arg-type]
    }
    assert subjects <= {1, None}


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_by_kind_leaves_facts_out(retrieval: Retrieval, mode: str) -> None:
    where = Filter(kinds=frozenset({"note"}))
    kinds = {one.split()[0] for one in found(retrieval, "metformin AMI 心梗", mode, where=where, k=50)}
    assert kinds <= {"note"}


def test_what_asks_nothing_retrieves_nothing_and_what_names_nothing_goes_by_words(
    retrieval: Retrieval,
) -> None:
    assert found(retrieval, "what is the", "adaptive") == []
    assert found(retrieval, "artery within minutes", "adaptive")[0] == "document mi-2020"
    assert found(retrieval, "artery within minutes", "graph") == []
    assert not asks_something("?? !")


def test_documents_and_facts_are_searched_beside_notes(retrieval: Retrieval) -> None:
    kinds = {one.split()[0] for one in found(retrieval, "metformin artery chest", "hybrid", k=50)}
    assert kinds == {"note", "document", "fact"}


def test_the_index_follows_the_library_and_the_graph(
    graph: KnowledgeGraph, library: Library, tables: Tables, tmp_path: Path, folder: Path, embedder: Embedder
) -> None:
    corpus, tagger = KnowledgeCorpus(library, graph), GraphTagger(graph)
    index = PassageIndex.build(corpus, folder, embedder, tagger=tagger)
    assert (index.pending(tagger), len(index)) == (0, 4)
    new = Document(
        "mi-2024", "Infarction", "Open it within 60 minutes.", edition="2024", supersedes="mi-2020"
    )
    list(library.put([new]))
    PassageIndex.update(corpus, folder, embedder, tagger=tagger)
    index = PassageIndex.open(corpus, folder, embedder)
    assert [hit.title for hit in index.search("open artery minutes", mode="keyword")] == ["Infarction (2024)"]
    (tables.facts / "treats.tsv").write_text(HEADER, "utf-8")
    build_core(tmp_path / "graph2", tables=tables)
    with closing(KnowledgeGraph.open(tmp_path / "graph2")) as changed:
        corpus, tagger = KnowledgeCorpus(library, changed), GraphTagger(changed)
        assert index.pending(tagger) > 0
        PassageIndex.update(corpus, folder, embedder, tagger=tagger)
        index = PassageIndex.open(corpus, folder, embedder)
        assert not [hit for hit in index.search("alteplase", mode="keyword") if hit.kind == "fact"]


def test_a_withdrawn_fact_is_not_quoted_from_an_index_that_still_holds_it(
    graph: KnowledgeGraph, library: Library, tables: Tables, tmp_path: Path, folder: Path, embedder: Embedder
) -> None:
    PassageIndex.build(KnowledgeCorpus(library, graph), folder, embedder).close()
    (tables.facts / "treats.tsv").write_text(HEADER, "utf-8")
    build_core(tmp_path / "graph2", tables=tables)
    with closing(KnowledgeGraph.open(tmp_path / "graph2")) as changed:
        index = PassageIndex.open(KnowledgeCorpus(library, changed), folder, embedder)
        assert [hit.source_id for hit in index.search("alteplase", mode="keyword")] == []
