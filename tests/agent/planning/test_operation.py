"""Since the operation: a time that depends on the patient."""

from contextlib import closing

import pytest

from agent.planning.operation import is_operation, operations
from knowledge.store import RecordStore

NOW = "2026-03-01 08:00:00"


@pytest.fixture
def store(tmp_path) -> RecordStore:
    path = tmp_path / "records.sqlite"
    store = RecordStore.create(path)
    with closing(store.connect()) as connection, connection:
        connection.execute("INSERT INTO patients (subject_id) VALUES (1), (2)")
        connection.executemany(
            "INSERT INTO d_icd_procedures (icd_code, long_title) VALUES (?, ?)",
            [("0DTJ4ZZ", "Resection of Appendix"), ("30233N1", "Transfusion")],
        )
        connection.executemany(
            "INSERT INTO procedures_icd (subject_id, icd_code, charttime) VALUES (?, ?, ?)",
            [
                (1, "0DTJ4ZZ", "2026-02-01 10:00:00"),
                (1, "30233N1", "2026-02-03 10:00:00"),
                (1, "0DTJ4ZZ", "2026-04-01 10:00:00"),
                (2, "30233N1", "2026-02-03 10:00:00"),
            ],
        )
    return store


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("creatinine since the operation", "en", "since the operation"),
        ("How was the creatinine after surgery?", "en", "after surgery"),
        ("temp post-op", "en", "post-op"),
        ("术后肌酐变化", "zh", "术后"),
        ("手术以来的体温", "zh", "手术以来"),
    ],
)
def test_the_last_operation_before_now_begins_the_time(store, question, language, said) -> None:
    (link,) = operations(question, language, store, 1, NOW, ())
    assert (link.text, link.window.start, link.window.end) == (said, "2026-02-01 10:00:00", None)
    assert "2026-02-01 10:00:00" in link.assumption


def test_without_an_operation_nothing_lies_in_the_time_and_that_is_said(store) -> None:
    (link,) = operations("creatinine since the operation", "en", store, 2, NOW, ())
    assert link.window.start == NOW
    assert "No operation" in link.assumption


def test_without_a_patient_there_is_no_such_time(store) -> None:
    assert operations("creatinine since the operation", "en", store, None, NOW, ()) == ()


@pytest.mark.parametrize(
    ("code", "operation"),
    [
        ("icd10|0dtj4zz", True),
        ("10D00Z1", True),
        ("0W9G3ZZ", False),
        ("icd10|30233N1", False),
        ("4701", True),
        ("9904", False),
        ("8744", False),
    ],
)
def test_imaging_and_transfusions_are_no_operations(code, operation) -> None:
    assert is_operation(code) is operation
