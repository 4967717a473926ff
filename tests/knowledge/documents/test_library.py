"""The library keeps every edition, and what replaces what; the index follows its log."""

import os
import signal
import sqlite3
import subprocess
import sys
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
    with pytest.raises(StoreError, match="is damaged, or no library"):
        Library(path).count()
    with pytest.raises(StoreError):
        put(Library(path), OLD)


_KILLED = """
import os, signal, sys
from pathlib import Path
from knowledge.documents import Document, Library

def documents():
    for number in range(400):
        yield Document(f"new-{number}", "New", "long text " * 1000)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)

list(Library(Path(sys.argv[1])).put(documents()))
"""


def test_an_import_killed_at_work_leaves_the_library_as_it_was_and_the_next_one_works(
    library: Library,
) -> None:
    put(library, OLD)
    for ending, done in (("killed", -signal.SIGKILL), ("whole", 0)):
        ended = subprocess.run([sys.executable, "-c", _KILLED, library.path, ending], check=False)
        assert ended.returncode == done
        assert library.count() == (1 if ending == "killed" else 401)
    assert put(library, OLD) == ["same"]
    assert {path.name for path in library.path.parent.iterdir()} == {"library.sqlite"}


def test_a_journal_that_a_killed_import_of_an_older_version_left_is_rolled_back(library: Library) -> None:
    put(library, OLD)
    script = (
        "import os, signal, sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n"
        "c.execute('PRAGMA journal_mode = DELETE')\nc.execute('PRAGMA cache_size = 5')\n"
        "c.execute(\"UPDATE documents SET text = 'half'\")\n"
        "c.execute('CREATE TABLE t AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 9999) "
        "SELECT i, hex(randomblob(99)) FROM n')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, library.path], check=False)
    assert library.path.with_name("library.sqlite-journal").exists()
    assert [document.text for document in library.in_use()] == [OLD.text]


def test_a_first_import_killed_before_it_began_left_an_empty_library(library: Library) -> None:
    library.path.parent.mkdir()
    library.path.write_bytes(b"")
    assert (library.count(), library.entries()) == (0, [])
    assert put(library, OLD) == ["added"]
    assert library.count() == 1


def test_who_reads_is_not_kept_waiting_by_an_import_and_a_second_import_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, OLD)
    adding = library.put([NEW, Document("other", "Other", "More.")])
    assert next(adding) == "added"
    assert [document.doc_id for document in library.in_use()] == ["sepsis-2016"]
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, timeout=0, **named))
    with pytest.raises(StoreError, match="Another import is at work; wait") as told:
        put(library, NEW)
    assert "ove it away" not in str(told.value)
    assert list(adding) == ["added"]
    assert library.count() == 2


def test_a_damaged_library_is_named_with_what_to_do(library: Library) -> None:
    put(library, *(Document(f"d{n}", "D", "text " * 2000) for n in range(40)))
    data = bytearray(library.path.read_bytes())
    data[4096:40960] = bytes(36864)
    library.path.write_bytes(data)
    with pytest.raises(StoreError, match="Put a copy of it back"):
        list(library.in_use())


def test_an_import_that_finds_the_disk_full_says_so_and_gives_the_room_back(library: Library) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; "
        "from knowledge.documents import Document, Library; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "try: list(Library(Path(sys.argv[1])).put(Document(f'd{n}', 'D', 'secret ' * 3000) for n in range(400)))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    put(library, OLD)
    told = subprocess.run(
        [sys.executable, "-c", script, library.path], capture_output=True, text=True, check=True
    )
    assert "StoreError" in told.stdout and "disk" in told.stdout and "secret" not in told.stdout
    assert [document.doc_id for document in library.in_use()] == ["sepsis-2016"]
    assert {path.name for path in library.path.parent.iterdir()} == {"library.sqlite"}


def test_a_library_in_a_folder_that_may_not_be_written_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, OLD)
    monkeypatch.setattr(
        os, "access", lambda path, mode: False
    )  # the suite may run as root, who may write all
    reading = library.in_use()
    assert next(reading).doc_id == "sepsis-2016"
    assert [path.name for path in library.path.parent.iterdir()] == ["library.sqlite"]


def test_documents_that_supersede_each_other_are_refused_and_none_goes_out_of_use(library: Library) -> None:
    put(library, OLD, NEW)
    circle = Document("sepsis-2016", "Sepsis", "Give fluids.", edition="2026", supersedes="sepsis-2021")
    with pytest.raises(
        StoreError, match=r"'sepsis-2016' supersedes 'sepsis-2021', which supersedes it in turn"
    ):
        put(library, circle)
    assert [document.doc_id for document in library.in_use()] == ["sepsis-2021"]
