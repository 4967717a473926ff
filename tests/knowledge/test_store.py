"""A store opens as what it is, and what is no store says so and what to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from knowledge.errors import StoreError
from knowledge.store import EHRSQL_TABLES, RecordStore


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    made = RecordStore.create(tmp_path / "s.sqlite", name="Ward 7", now="2100-12-31 23:59:00")
    with closing(made.connect()) as connection, connection:
        connection.execute("INSERT INTO patients (subject_id, gender, name) VALUES (7, 'f', 'Ada Demo')")
        connection.execute(
            "INSERT INTO notes (note_id, subject_id, text, sha256) "
            "VALUES (1, 7, 'Lives alone.', 'x'), (2, 7, '独居。', 'y')"
        )
    return made


def test_a_new_store_opens_again_with_what_was_put_in(store: RecordStore) -> None:
    opened = RecordStore.open(store.path)
    assert opened.native
    assert opened.read_only
    assert opened.meta("now") == "2100-12-31 23:59:00"
    assert [(p.subject_id, p.name) for p in opened.patients()] == [(7, "Ada Demo")]
    assert [note.text for note in opened.notes()] == ["Lives alone.", "独居。"]
    assert opened.note(3) is None


def test_wal_and_foreign_keys_are_on(store: RecordStore) -> None:
    with closing(store.connect()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO allergies (subject_id, substance) VALUES (999, 'penicillin')")


def test_reading_never_writes(store: RecordStore) -> None:
    with (
        closing(RecordStore.open(store.path).connect()) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM patients")


def test_book_keeping_is_no_clinical_table(store: RecordStore) -> None:
    assert store.tables.keys() >= EHRSQL_TABLES
    assert not {"meta", "sources", "quarantine", "skipped", "keys", "note_changes"} & store.tables.keys()


def test_each_change_of_a_note_is_logged_for_the_indexes(store: RecordStore) -> None:
    with closing(store.connect()) as connection, connection:
        connection.execute("UPDATE notes SET text = 'Lives with her son.' WHERE note_id = 1")
        connection.execute("DELETE FROM notes WHERE note_id = 2")
        changes = connection.execute("SELECT note_id, op FROM note_changes ORDER BY change_id").fetchall()
    assert changes == [(1, "put"), (2, "put"), (1, "put"), (2, "delete")]


def test_a_missing_store_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="chartroom load"):
        RecordStore.open(tmp_path / "none.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite"
    path.write_text("Dear colleague, " * 400, encoding="utf-8")
    with pytest.raises(StoreError, match="not a SQLite database"):
        RecordStore.open(path)


def test_a_database_of_something_else_names_the_tables_it_lacks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        connection.execute("CREATE TABLE orders (id)")
    with pytest.raises(StoreError, match="no table admissions"):
        RecordStore.open(tmp_path / "shop.sqlite")


def test_a_store_of_another_schema_version_is_refused(store: RecordStore) -> None:
    with closing(store.connect()) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="schema version 0"):
        RecordStore.open(store.path)


def test_a_locked_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore.create(tmp_path / "s.sqlite")
    with closing(store.connect()) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    monkeypatch.setattr("knowledge.store.store.LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            RecordStore.open(store.path)


def test_creating_over_a_file_is_refused(store: RecordStore) -> None:
    with pytest.raises(StoreError, match="exists already"):
        RecordStore.create(store.path)


def test_a_foreign_database_with_the_seventeen_tables_opens_read_only_as_it_is(shared_data: Path) -> None:
    path = shared_data / "ehrsql-2024" / "mimic_iv.sqlite"
    store = RecordStore.open(path)
    assert not store.native
    assert len(store.patients()) == 94
    assert store.meta("now") is None
    assert list(store.notes()) == []
    with pytest.raises(StoreError, match="read-only"):
        RecordStore.open(path, read_only=False)
