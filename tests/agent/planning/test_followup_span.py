"""Follow-ups about another time or stay: "the year before?", "上次住院呢", "in the ICU?"."""

import pytest

from agent.planning.linker import Linker
from agent.query.model import Encounter
from tests.agent.planning.conversation import creatinine, followed, hospital, query, rows

ADMISSIONS = {"ask": "count", "of": "admissions"}
IN_2025 = {"start": "2025-01-01 00:00:00", "end": "2026-01-01 00:00:00", "said": "in 2025"}


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("and the year before?", "2024-01-01 00:00:00", "2025-01-01 00:00:00"),
        ("前一年呢", "2024-01-01 00:00:00", "2025-01-01 00:00:00"),
        ("the month before?", "2024-12-01 00:00:00", "2025-01-01 00:00:00"),
        ("and the day before?", "2024-12-31 00:00:00", "2025-01-01 00:00:00"),
    ],
)
def test_the_span_before_is_counted_from_the_last_one(
    linker: Linker, question: str, start: str, end: str
) -> None:
    last = query(ADMISSIONS, None, domain="admission", window=IN_2025)
    window = followed(linker, last, question, None).of.window
    assert window is not None and (window.start, window.end) == (start, end)


@pytest.mark.parametrize(
    "question",
    ["and the admission before?", "what about the previous admission?", "上次住院呢", "前一次住院的呢"],
)
def test_the_stay_before_this_one_is_the_one_before_it(
    linker: Linker, question: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = hospital(tmp_path_factory.mktemp("followup"))
    after = followed(linker, creatinine(), question)
    assert [row[1] for row in rows(store, after)] == [0.9]


def test_beside_this_stay_the_last_one_is_another_one_also_where_none_is_open(
    linker: Linker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = hospital(tmp_path_factory.mktemp("followup"))
    last = creatinine().model_copy(update={"patient": 3})  # both of her stays are completed
    assert [row[1] for row in rows(store, last)] == [1.6]
    assert [row[1] for row in rows(store, followed(linker, last, "and the last admission?", 3))] == [1.4]


@pytest.mark.parametrize("question", ["and the one before that?", "再前一次呢"])
def test_the_one_before_a_stay_goes_on_backwards(linker: Linker, question: str) -> None:
    last = creatinine(encounter={"which": "last"}, pick={"which": "max"})
    assert followed(linker, last, question).of.encounter == Encounter(which="last", n=2)


@pytest.mark.parametrize("question", ["in the ICU?", "and in intensive care?", "ICU里呢"])
def test_the_icu_stay_takes_the_place_of_the_admission(linker: Linker, question: str) -> None:
    assert followed(linker, creatinine(), question).of.encounter == Encounter(kind="icu_stay")


@pytest.mark.parametrize("question", ["and ever?", "on record?", "有记录以来呢"])
def test_a_time_is_dropped(linker: Linker, question: str) -> None:
    after = followed(linker, creatinine(), question)
    assert after.of.encounter is None and after.of.window is None


@pytest.mark.parametrize("question", ["and the highest in 2024?", "2024年最高是多少？"])
def test_a_time_and_another_question_go_together(linker: Linker, question: str) -> None:
    after = followed(linker, creatinine(), question)
    assert after.of.pick is not None and after.of.pick.which == "max"
    assert after.of.window is not None and after.of.window.start == "2024-01-01 00:00:00"


@pytest.mark.parametrize("question", ["and last week?", "上周呢"])
def test_what_runs_now_is_not_what_ran_then(linker: Linker, question: str) -> None:
    last = query({"ask": "rows", "fields": ["name"]}, domain="drug", status="active")
    of = followed(linker, last, question).of
    assert of.status is None and of.window is not None and of.window.on == "overlap"


@pytest.mark.parametrize("question", ["only the first 24 hours", "只看头24小时"])
def test_the_first_hours_are_those_of_the_same_stay(linker: Linker, question: str) -> None:
    after = followed(linker, creatinine(), question)
    assert after.of.encounter == Encounter(from_hours=0, to_hours=24)
