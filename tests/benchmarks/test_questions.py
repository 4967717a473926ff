"""The scorer of the demo questions: what counts as right, and as rightly cited."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.answer import Answer, Cell, Claim, Evidence, NoteEvidence, Reason, Result, RowEvidence, Status
from benchmarks.questions import SETS, Question, judge, read, same

TEXT = "Lives alone. No fever."


@pytest.fixture
def records() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(
            """
            CREATE TABLE labevents (row_id INTEGER PRIMARY KEY, subject_id INTEGER, valuenum REAL);
            CREATE TABLE allergies (row_id INTEGER PRIMARY KEY, subject_id INTEGER, substance TEXT);
            CREATE TABLE notes (note_id INTEGER PRIMARY KEY, subject_id INTEGER, text TEXT);
            INSERT INTO labevents VALUES (1, 7, 1.9), (2, 8, 1.9), (3, 7, 2.4);
            INSERT INTO allergies VALUES (1, 7, 'Penicillin'), (2, 7, 'Codeine');
            """
        )
        connection.execute("INSERT INTO notes VALUES (5, 7, ?)", (TEXT,))
        yield connection


def asked(**gold: object) -> Question:
    fields: dict[str, object] = {"id": "q", "language": "en", "kind": "table", "patient": 7, "question": "?"}
    return Question(**{**fields, **gold})  # pyright: ignore[reportArgumentType]


CREATININE = asked(
    gold_sql=["SELECT valuenum FROM labevents WHERE row_id = 1"], must_cite={"table": "labevents"}
)
ALLERGIES = asked(gold_sql=["SELECT substance FROM allergies"], must_cite={"table": "allergies"})
HOME = asked(kind="note", gold_quotes=["lives alone"])
UNANSWERABLE = asked(gold_status="refused")


def said(
    *evidence: Evidence,
    rows: tuple[tuple[Cell, ...], ...] = (),
    status: Status = "answered",
    reason: Reason | None = None,
) -> Answer:
    return Answer(
        question="?",
        language="en",
        status=status,
        reason=reason,
        text="",
        claims=(Claim(text="…", evidence=tuple(item.id for item in evidence), verified=True),),
        evidence=evidence,
        result=Result(columns=tuple("abc"[: len(rows[0])]), rows=rows) if rows else None,
    )


def row(table: str, *row_ids: int) -> RowEvidence:
    return RowEvidence(id=1, table=table, row_ids=row_ids, values={})


def quote(start: int, end: int, text: str, note_id: int = 5) -> NoteEvidence:
    return NoteEvidence(id=1, note_id=note_id, start=start, end=end, quote=text)


def test_a_result_with_time_and_unit_beside_the_value_is_right(records: sqlite3.Connection) -> None:
    answer = said(row("labevents", 1), rows=((1.9, "mg/dL", "2026-01-01"),))
    assert judge(CREATININE, answer, records).outcome == "right"


@pytest.mark.parametrize(
    "rows", [(("Penicillin",),), (("Penicillin",), ("Codeine",), ("Latex",))], ids=["too few", "too many"]
)
def test_missing_and_further_rows_are_wrong(
    records: sqlite3.Connection, rows: tuple[tuple[Cell, ...], ...]
) -> None:
    assert judge(ALLERGIES, said(row("allergies", 1, 2), rows=rows), records).outcome == "wrong"


def test_two_values_may_stand_in_one_row(records: sqlite3.Connection) -> None:
    first_and_last = asked(gold_sql=["SELECT valuenum FROM labevents WHERE subject_id = 7"])
    assert judge(first_and_last, said(row("labevents", 1, 3), rows=((1.9, 2.4),)), records).outcome == "right"


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        (row("labevents", 2), "another patient's"),
        (row("labevents", 99), "not there"),
        (row("labevents"), "no row"),
        (row("allergies", 1), "not labevents"),
        (row("nowhere", 1), "not there"),
    ],
)
def test_a_right_value_with_a_wrong_citation_is_told_apart(
    records: sqlite3.Connection, evidence: RowEvidence, fault: str
) -> None:
    verdict = judge(CREATININE, said(evidence, rows=((1.9,),)), records)
    assert verdict.outcome == "right, wrongly cited"
    assert fault in verdict.why


def test_a_right_value_without_citation_is_wrongly_cited(records: sqlite3.Connection) -> None:
    assert judge(CREATININE, said(rows=((1.9,),)), records).outcome == "right, wrongly cited"


def test_a_quotation_must_hold_the_gold_and_stand_at_its_offsets(records: sqlite3.Connection) -> None:
    assert judge(HOME, said(quote(0, 12, "Lives alone.")), records).outcome == "right"
    assert judge(HOME, said(quote(13, 22, "No fever.")), records).outcome == "wrong"
    assert judge(HOME, said(quote(1, 13, "Lives alone.")), records).outcome == "right, wrongly cited"


def test_only_a_refusal_for_want_of_a_record_answers_the_unanswerable(records: sqlite3.Connection) -> None:
    refused = said(status="refused", reason="not_documented")
    assert judge(UNANSWERABLE, refused, records).outcome == "right"
    unsure = said(status="refused", reason="low_confidence")
    assert judge(UNANSWERABLE, unsure, records).outcome == "wrong"
    assert judge(UNANSWERABLE, said(rows=((0,),)), records).outcome == "answered the unanswerable"
    assert judge(CREATININE, refused, records).outcome == "wrongly refused"


def test_numbers_days_and_case_are_compared_by_meaning() -> None:
    assert same("4.70", 4.7)
    assert same("2026-02-16 20:27:00", "2026-02-16")
    assert same("ESCHERICHIA COLI", "Escherichia coli")
    assert not same(4.6, 4.7)
    assert not same(None, 0)


@pytest.mark.parametrize("name", SETS)
def test_every_question_has_one_gold_and_its_own_id(name: str) -> None:
    questions = read(name)
    assert len({each.id for each in questions}) == len(questions) == 60
    assert all(
        [bool(each.gold_sql), bool(each.gold_quotes), each.gold_status is not None].count(True) == 1
        for each in questions
    )
    assert [each.language for each in questions].count("zh") == 30
