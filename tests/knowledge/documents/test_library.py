"""The library keeps every edition, and what replaces what; the index follows its log."""

from pathlib import Path

import pytest

from knowledge.documents import Document, Library
from knowledge.errors import StoreError


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "knowledge" / "library.sqlite")


def put(library: Library, *documents: Document) -> list[str]:
    return list(library.put(documents))


OLD = Document("sepsis-2016", "Sepsis", "Give fluids.", edition="2016")
NEW = Document("sepsis-2021", "Sepsis", "Give balanced fluids.", edition="2021", supersedes="sepsis-2016")


def test_a_library_that_was_never_written_is_empty(library: Library) -> None:
    assert (library.count(), list(library.in_use()), library.entries(), library.last_change()) == (
        0,
        [],
        [],
        0,
    )
    assert not library.path.exists()


def test_a_changed_text_is_the_next_version_and_the_old_one_stays(library: Library) -> None:
    assert put(library, OLD) == ["added"]
    assert put(library, OLD) == ["same"]
    assert put(library, Document("sepsis-2016", "Sepsis", "Give fluids fast.", edition="2016")) == ["changed"]
    (used,) = library.in_use()
    assert (used.version, used.text) == (2, "Give fluids fast.")
    first = library.document("sepsis-2016", 1)
    assert first is not None and first.text == "Give fluids."


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_what_is_superseded_is_not_in_use_whichever_came_first(
    library: Library, order: tuple[Document, ...]
) -> None:
    put(library, *order)
    assert [document.cited_as for document in library.in_use()] == ["Sepsis (2021)"]
    by_id = {entry.doc_id: entry.superseded_by for entry in library.entries()}
    assert by_id == {"sepsis-2016": "sepsis-2021", "sepsis-2021": None}


def test_removing_the_successor_brings_the_old_edition_back_and_the_log_says_so(library: Library) -> None:
    put(library, OLD, NEW)
    seen = library.last_change()
    assert library.remove(["sepsis-2021", "unknown"]) == 1
    assert [document.doc_id for document in library.in_use()] == ["sepsis-2016"]
    assert set(library.changes(seen)[0]) == {"sepsis-2016", "sepsis-2021"}


def test_a_version_that_no_longer_supersedes_gives_the_old_document_back(library: Library) -> None:
    put(library, OLD, NEW)
    seen = library.last_change()
    put(library, Document("sepsis-2021", "Sepsis", "Give balanced fluids.", edition="2021"))
    assert {document.doc_id for document in library.in_use()} == {"sepsis-2016", "sepsis-2021"}
    assert "sepsis-2016" in library.changes(seen)[0]


def test_an_import_that_fails_midway_leaves_nothing(library: Library) -> None:
    def documents():
        yield OLD
        raise RuntimeError

    with pytest.raises(RuntimeError):
        list(library.put(documents()))
    assert library.count() == 0


def test_the_page_of_an_offset(library: Library) -> None:
    document = Document("d", "D", "one\n\ntwo", pages=(0, 5))
    assert [document.page(start) for start in (0, 4, 5, 7)] == [1, 1, 2, 2]
    assert Document("d", "D", "x").page(0) is None


def test_a_file_that_is_no_library_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_text("not a database, but long enough to be read as one" * 40)
    with pytest.raises(StoreError, match="Move it away"):
        Library(path).count()
    with pytest.raises(StoreError):
        put(Library(path), OLD)
