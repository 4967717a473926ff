"""What an attacker, or a confused model, would try; each layer is also tried without the one before it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hospital import NOW, small_hospital

from agent.scope import Scope
from agent.sql.connection import lock_down, set_deadline
from agent.sql.guard import readable_tables, run_guarded
from agent.sql.statement import check_statement
from knowledge.errors import QueryRejected
from knowledge.store.store import RecordStore

EVERYONE = Scope(now=NOW)

ATTACKS = [
    "ATTACH DATABASE '/tmp/x.db' AS x",
    "VACUUM INTO '/tmp/x.db'",
    "PRAGMA query_only = OFF",
    "SELECT 1; DROP TABLE patients",
    "SELECT 1; SELECT 2",
    "DROP TABLE patients",
    "DELETE FROM patients",
    "UPDATE patients SET gender = 'x'",
    "INSERT INTO patients (subject_id) VALUES (9)",
    "CREATE TABLE x (a)",
    "REPLACE INTO patients (subject_id) VALUES (1)",
    "EXPLAIN SELECT 1",
    "SELECT load_extension('x.so')",
    "SELECT writefile('/tmp/x', 'a')",
    "SELECT readfile('/etc/passwd')",
    "SELECT randomblob(900000000)",
    "SELECT zeroblob(900000000)",
    "SELECT hex(zeroblob(1000))",
    "SELECT printf('%9999999d', 1)",
    "SELECT format('%9999999d', 1)",
    "SELECT replace('aaaa', 'a', 'aaaaaaaaaaaaaaaaaaaaaa')",
    "SELECT sqlite_version()",
    "SELECT eval('SELECT 1')",
    "SELECT fts3_tokenizer('x')",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    "SELECT sql FROM sqlite_master",
    "SELECT sql FROM sqlite_schema",
    "SELECT * FROM main.sqlite_master",
    'SELECT * FROM "sqlite_master"',
    "SELECT * FROM temp.sqlite_master",
    "SELECT * FROM meta",
    "SELECT * FROM sources",
    "SELECT raw FROM quarantine",
    "SELECT subject_id FROM patients UNION ALL SELECT raw FROM quarantine",
    "SELECT (SELECT value FROM meta LIMIT 1) FROM patients",
    "SELECT subject_id FROM patients WHERE EXISTS (SELECT 1 FROM meta)",
    "WITH patients AS (SELECT * FROM admissions) SELECT * FROM patients",
    "WITH PATIENTS AS (SELECT 1 AS a) SELECT a FROM patients",
    "SELECT * FROM pragma_table_info('patients')",
    "SELECT * FROM json_each('[1,2]')",
    "SELECT * FROM generate_series(1, 100000000)",
    "SELECT * FROM main.patients",
    "SELECT /* x */ 1",
    "SELECT 1 -- x",
    "SELECT * FROM [patients]",
    "SELECT * FROM `patients`",
    "SELECT ｓubject_id FROM patients",
    "SELECT\u00a0subject_id FROM patients",
    "SELECT subject_id FROM patients\u2028; DROP TABLE patients",
    "SELECT 'a FROM patients",
    "SELECT ?",
    "SELECT :name",
    "SELECT name FROM patients WHERE name LIKE '%a%a%a%a%a%a%a%a%a%'",
    "SELECT name FROM patients WHERE name LIKE name",
    "SELECT name FROM patients WHERE name REGEXP '(a+)+$'",
    "SELECT name FROM patients WHERE name MATCH 'a'",
    "SELECT x'00'",
    "SELECT subject_id FROM",
    "",
    ";",
    "hello there",
    "SELECT " + "(" * 500 + "1" + ")" * 500,
    "SELECT " + "-" * 1 + " - " * 5000 + "1",
    "SELECT " + "NOT " * 20000 + "1",
    "SELECT " + "1 + " * 500_000 + "1",
    "SELECT '\0'",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("store") / "hospital.sqlite")


@pytest.fixture
def locked(store: RecordStore) -> Iterator[sqlite3.Connection]:
    """A connection with layers 2 and 3 only."""
    with closing(store.connect()) as connection:
        lock_down(connection, readable_tables(store))
        yield connection


@pytest.mark.parametrize("sql", ATTACKS, ids=lambda sql: sql[:40] or "empty")
def test_an_attack_is_refused(store: RecordStore, sql: str) -> None:
    with pytest.raises(QueryRejected):
        run_guarded(sql, store, EVERYONE)


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE ':memory:' AS x",
        "VACUUM INTO '/tmp/never.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA table_info(patients)",
        "DROP TABLE patients",
        "INSERT INTO patients (subject_id) VALUES (9)",
        "CREATE TEMP TABLE x (a)",
        "SELECT load_extension('x.so')",
        "SELECT randomblob(900000000)",
        "SELECT zeroblob(900000000)",
        "SELECT printf('%9999999d', 1)",
        "SELECT sql FROM sqlite_master",
        "SELECT raw FROM quarantine",
        "SELECT * FROM pragma_table_info('patients')",
        "SELECT * FROM json_each('[1,2]')",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
        "BEGIN",
    ],
)
def test_the_database_itself_refuses_what_the_text_check_would_have_let_through(
    locked: sqlite3.Connection, sql: str
) -> None:
    with pytest.raises(sqlite3.DatabaseError):
        locked.execute(sql).fetchall()


def test_a_cross_join_is_stopped_at_the_deadline(store: RecordStore) -> None:
    tables = ", ".join(f"labevents AS t{i}" for i in range(9))
    with pytest.raises(QueryRejected, match="stopped after"):
        run_guarded(f"SELECT COUNT(*) FROM {tables}", store, EVERYONE, seconds=0.2)


def test_the_deadline_holds_while_rows_are_fetched(locked: sqlite3.Connection) -> None:
    set_deadline(locked, 0.1)
    tables = ", ".join(f"labevents AS t{i}" for i in range(9))
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        locked.execute(f"SELECT t0.row_id FROM {tables} WHERE t0.valuenum + t8.valuenum < -1").fetchall()


def test_growing_text_meets_the_length_limit(locked: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.Error):
        locked.execute("SELECT printf('%s', zeroblob(100000000))").fetchall()


def test_rows_are_capped_and_say_so(store: RecordStore) -> None:
    table = run_guarded("SELECT row_id FROM labevents", store, EVERYONE, cap=3)
    assert (len(table.rows), table.truncated) == (3, True)
    assert not run_guarded("SELECT row_id FROM patients", store, EVERYONE, cap=4).truncated


def test_messages_do_not_repeat_values_of_the_query(store: RecordStore) -> None:
    with pytest.raises(QueryRejected) as caught:
        run_guarded("SELECT secretcolumn FROM patients WHERE name = 'Jane Secret'", store, EVERYONE)
    assert "Secret" not in str(caught.value) and "secretcolumn" not in str(caught.value)


def test_quotes_and_dashes_inside_values_are_values(store: RecordStore) -> None:
    sql = "SELECT COUNT(*) FROM prescriptions WHERE drug = 'it''s -- /* not; a [comment] ? 阿司匹林'"
    assert run_guarded(sql, store, EVERYONE).rows == ((0,),)


def test_a_closing_semicolon_is_harmless() -> None:
    assert check_statement("SELECT 1 ; ", ()) == "SELECT 1"


def test_the_store_is_unchanged_by_all_of_it(store: RecordStore, tmp_path: Path) -> None:
    fresh = small_hospital(tmp_path / "fresh.sqlite")
    for sql in ATTACKS:
        with pytest.raises(QueryRejected):
            run_guarded(sql, store, EVERYONE)
    with closing(store.connect()) as one, closing(fresh.connect()) as other:
        for table in store.tables:
            query = f'SELECT * FROM "{table}"'
            assert one.execute(query).fetchall() == other.execute(query).fetchall()
