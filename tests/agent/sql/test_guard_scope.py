"""A user who may see some patients cannot learn of the others, whatever the query."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hospital import NOW, small_hospital
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scope import Scope
from agent.sql.guard import readable_tables, run_guarded
from knowledge.errors import QueryRejected
from knowledge.store.store import EHRSQL_TABLES, RecordStore

PERMITTED = frozenset({2, 4})
SCOPE = Scope(now=NOW, permitted=PERMITTED)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("store") / "hospital.sqlite")


def test_each_table_holds_only_the_permitted_patients(store: RecordStore) -> None:
    seen = set()
    for table in readable_tables(store):
        if "subject_id" in store.tables[table]:
            rows = run_guarded(f"SELECT DISTINCT subject_id FROM {table}", store, SCOPE).rows
            seen |= {row[0] for row in rows}
    assert seen == PERMITTED


_TABLES = st.sampled_from(
    ["patients", "admissions", "labevents", "prescriptions", "notes", "cost", "allergies"]
)
_SHAPES = st.sampled_from(
    [
        "SELECT subject_id FROM {a}",
        "SELECT a.subject_id FROM {a} AS a, {b} AS b",
        "SELECT a.subject_id FROM {a} AS a LEFT JOIN {b} AS b ON a.subject_id <> b.subject_id",
        "SELECT subject_id FROM {a} UNION SELECT subject_id FROM {b}",
        "SELECT subject_id FROM {a} EXCEPT SELECT subject_id FROM {b} WHERE 0",
        "WITH x AS (SELECT subject_id FROM {a}) SELECT * FROM x UNION ALL SELECT subject_id FROM {b}",
        "WITH {a}_ AS (SELECT * FROM {a}) SELECT subject_id FROM {a}_",
        "SELECT MAX(subject_id) FROM {a} GROUP BY subject_id",
        "SELECT (SELECT MIN(b.subject_id) FROM {b} AS b) FROM {a}",
        "SELECT subject_id FROM {a} WHERE subject_id IN (SELECT subject_id FROM {b}) OR 1",
        "SELECT FIRST_VALUE(subject_id) OVER (ORDER BY subject_id) FROM {a}",
        'SELECT "{a}".subject_id FROM "{a}" WHERE 1 = 1 OR subject_id = {n}',
    ]
)


@settings(max_examples=80, deadline=None)
@given(shape=_SHAPES, a=_TABLES, b=_TABLES, n=st.integers(0, 5))
def test_no_query_gives_a_patient_outside_the_permission(
    store: RecordStore, shape: str, a: str, b: str, n: int
) -> None:
    rows = run_guarded(shape.format(a=a, b=b, n=n), store, SCOPE).rows
    assert {row[0] for row in rows} <= PERMITTED | {None}


def test_counts_reveal_nothing_either(store: RecordStore) -> None:
    assert run_guarded("SELECT COUNT(*) FROM patients", store, SCOPE).rows == ((2,),)
    assert run_guarded("SELECT COUNT(*) FROM notes WHERE text LIKE '%metformin%'", store, SCOPE).rows == (
        (0,),
    )


def test_the_book_keeping_is_not_even_in_the_copy(store: RecordStore) -> None:
    with pytest.raises(QueryRejected):
        run_guarded("SELECT * FROM quarantine", store, SCOPE)


def test_a_permission_for_nobody_sees_nothing(store: RecordStore) -> None:
    nobody = Scope(now=NOW, permitted=frozenset())
    assert run_guarded("SELECT COUNT(*) FROM labevents", store, nobody).rows == ((0,),)


def test_the_copy_follows_the_store(store: RecordStore) -> None:
    before = run_guarded("SELECT COUNT(*) FROM allergies", store, SCOPE).rows
    with closing(store.connect()) as connection, connection:
        connection.execute("INSERT INTO allergies (subject_id, substance) VALUES (4, 'Iodine')")
    after = run_guarded("SELECT COUNT(*) FROM allergies", store, SCOPE).rows
    assert after[0][0] == before[0][0] + 1  # type: ignore[operator]


def test_a_warehouse_of_views_works_and_is_scoped(store: RecordStore, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in EHRSQL_TABLES:
            columns = ", ".join(store.tables[table])
            name = f"base_{table}" if table == "labevents" else table
            connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.execute("CREATE VIEW labevents AS SELECT * FROM base_labevents")
        connection.executemany(
            "INSERT INTO base_labevents (row_id, subject_id) VALUES (?, ?)", [(1, 1), (2, 2)]
        )
    foreign = RecordStore.open(path)
    assert run_guarded("SELECT subject_id FROM labevents", foreign, SCOPE).rows == ((2,),)
    everyone = Scope(now=NOW)
    assert run_guarded("SELECT subject_id FROM labevents ORDER BY 1", foreign, everyone).rows == ((1,), (2,))
    for scope in (SCOPE, everyone):
        with pytest.raises(QueryRejected):
            run_guarded("SELECT subject_id FROM base_labevents", foreign, scope)
