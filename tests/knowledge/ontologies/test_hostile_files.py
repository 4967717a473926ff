"""Files made to fill the memory or the disk, and a pointer that was lost: refused, and nothing is changed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.errors import ImportFailure, IndexFault
from knowledge.graph import KnowledgeGraph, build_core
from knowledge.ontologies import import_source
from knowledge.terminology.concepts import COLUMNS


def test_a_gzip_bomb_is_refused_and_leaves_nothing(
    folder: Path, tmp_path: Path, opened: Callable[[], KnowledgeGraph]
) -> None:
    file = tmp_path / "bomb.obo.gz"
    with gzip.open(file, "wb", 1) as packed:
        packed.write(b"format-version: 1.2\n\n[Term]\nid: DOID:1\nname: Bomb\n")
        for _ in range(70):
            packed.write(b"\n" * (1 << 20))
    with pytest.raises(ImportFailure, match="unpacks to more than"):
        import_source(folder, file)
    with opened() as graph:
        assert [source.id for source in graph.sources()] == ["core"]


def test_a_table_with_a_line_without_end_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "wide.tsv"
    file.write_text("\t".join(COLUMNS) + "\n" + "\t" * (1 << 21))
    with pytest.raises(ImportFailure, match="too long"):
        import_source(folder, file)


def test_a_term_without_end_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "endless.obo"
    head = "format-version: 1.2\n\n[Term]\nid: DOID:1\nname: Endless\n"
    file.write_text(head + 'synonym: "a" EXACT []\n' * 100_001)
    with pytest.raises(ImportFailure, match="lines is none"):
        import_source(folder, file)


OBO = "format-version: 1.2\nontology: doid\n\n[Term]\nid: DOID:1\nname: A disease\n"


def test_a_lost_pointer_does_not_cost_what_was_imported(
    folder: Path, take: Callable[..., object], opened: Callable[[], KnowledgeGraph]
) -> None:
    take("doid.obo", OBO)
    pointer = (folder / "current").read_text()
    (folder / "current").unlink()
    with pytest.raises(IndexFault, match="chartroom knowledge build --anew"):
        opened()
    (folder / "current").write_text(pointer)
    with opened() as graph:
        assert graph.nodes(["DOID:1"])


def test_the_command_that_is_named_repairs_a_lost_pointer(
    folder: Path, take: Callable[..., object], opened: Callable[[], KnowledgeGraph]
) -> None:
    take("doid.obo", OBO)
    (folder / "current").unlink()
    build_core(folder, anew=True)
    with opened() as graph:
        assert [source.id for source in graph.sources()] == ["core"]


def test_a_first_build_that_was_killed_before_its_pointer_was_written_is_done_again(
    folder: Path, opened: Callable[[], KnowledgeGraph]
) -> None:
    (folder / "current").unlink()
    with opened() as graph:
        assert graph.nodes(["drug:metformin"])
