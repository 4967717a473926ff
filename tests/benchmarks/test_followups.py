"""The scorer of second questions: both turns are of one conversation, and only the second is judged."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest

from agent import Answer, ClinicalAgent
from agent.answer import Claim, Result, RowEvidence
from benchmarks.followups import FOLLOW_UPS, FollowUp, ask, read
from benchmarks.questions import judge

CASE = FollowUp(
    id="f",
    language="en",
    kind="value",
    patient=7,
    first="latest creatinine?",
    question="and potassium?",
    gold_sql=("SELECT 4.2",),
    half="tune",
)


def said(value: float) -> Answer:
    return Answer(
        question="?",
        language="en",
        status="answered",
        reason=None,
        text="…",
        claims=(Claim(text="…", evidence=(1,), verified=True),),
        evidence=(RowEvidence(id=1, table="labevents", row_ids=(1,), values={}),),
        result=Result(columns=("time", "value"), rows=(("2026-03-01 06:00:00", value),)),
    )


class Listener:
    """Answers whatever is asked and remembers it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int | None, str | None]] = []
        self.forgotten: list[str] = []

    def ask(self, question: str, *, patient: int | None = None, conversation: str | None = None) -> Answer:
        self.heard.append((question, patient, conversation))
        return said(len(self.heard))

    def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)


def test_both_turns_share_one_conversation_that_is_forgotten() -> None:
    listener = Listener()
    first, second = ask(CASE, cast(ClinicalAgent, listener))
    ask(CASE, cast(ClinicalAgent, listener))
    assert (first, second) == (said(1), said(2))
    questions, patients, conversations = zip(*listener.heard, strict=True)
    assert questions == (CASE.first, CASE.question) * 2
    assert set(patients) == {7}
    assert conversations[0] == conversations[1] != conversations[2] == conversations[3]
    assert listener.forgotten == [conversations[0], conversations[2]]


def test_the_row_of_another_patient_may_be_cited_since_the_second_question_may_name_one() -> None:
    with closing(sqlite3.connect(":memory:")) as records:
        records.executescript(
            "CREATE TABLE labevents (row_id INTEGER, subject_id INTEGER); INSERT INTO labevents VALUES (1, 8)"
        )
        assert judge(CASE.as_question(), said(4.2), records).outcome == "right"
        assert judge(CASE.as_question(), said(4.6), records).outcome == "wrong"
        refused = replace(CASE, gold_sql=(), gold_status="refused").as_question()
        assert judge(refused, said(4.2), records).outcome == "answered the unanswerable"


BLIND = [
    FOLLOW_UPS.with_stem("followups_blind"),
    FOLLOW_UPS.with_stem("followups_blind2"),
    FOLLOW_UPS.with_stem("followups_blind3"),
]


@pytest.mark.parametrize(("path", "size"), [(FOLLOW_UPS, 110), *((path, 50) for path in BLIND)])
def test_the_set_is_whole_and_runs_on_the_schema(path: Path, size: int) -> None:
    cases = read(path=path)
    assert len(cases) >= size
    assert (
        len({case.id for case in cases}) == len({(case.first, case.question) for case in cases}) == len(cases)
    )
    assert len(read("tune", path)) + len(read("held", path)) == len(cases)
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(files("knowledge.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        for case in cases:
            assert bool(case.gold_sql) == (case.gold_status is None)
            for sql in case.gold_sql:
                empty.execute(sql)


@pytest.mark.parametrize(("path", "before"), [(BLIND[0], [FOLLOW_UPS]), (BLIND[1], [FOLLOW_UPS, BLIND[0]])])
def test_a_blind_set_shares_no_case_with_the_sets_before_it(path: Path, before: list[Path]) -> None:
    blind = read(path=path)
    known = {(case.first, case.question) for earlier in before for case in read(path=earlier)}
    assert not {(case.first, case.question) for case in blind} & known
    assert {case.half for case in blind} == {"held"}
