"""Questions that lean on the one before."""

import pytest

from agent.planning.linker import Linker
from agent.planning.plan import Plan, QueryRecords, Refuse, SearchNotes, Turn
from tests.agent.planning.test_planner import ask, query_of

FIRST = {"en": "what is her latest creatinine this admission?", "zh": "本次住院最近一次肌酐是多少？"}


def turn(linker: Linker, question: str) -> tuple[Turn, ...]:
    return (Turn(question, ask(linker, question)),)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("and her potassium?", "Potassium"),
        ("and potassium?", "Potassium"),
        ("what about the potassium", "Potassium"),
        ("how about heart rate?", "Heart Rate"),
        ("also the K", "Potassium"),
        ("the same for potassium", "Potassium"),
        ("那血钾呢？", "Potassium"),
        ("血钾呢", "Potassium"),
        ("还有血钾", "Potassium"),
        ("再看看心率", "Heart Rate"),
        ("换成血钾", "Potassium"),
        ("那K呢", "Potassium"),
    ],
)
def test_another_value_takes_the_place_of_the_first(linker: Linker, question: str, value: str) -> None:
    history = turn(linker, FIRST["en"])
    before, after = query_of(plan_of(history)), query_of(ask(linker, question, history=history))
    assert after.query.of.concepts[0].values == (value,)
    assert after.intent == before.intent
    assert after.query.of.encounter == before.query.of.encounter


def plan_of(history: tuple[Turn, ...]) -> Plan:
    plan = history[-1].plan
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("only the last three days", "2025-02-26 12:00:00"),
        ("only yesterday", "2025-02-28 00:00:00"),
        ("and in 2024?", "2024-01-01 00:00:00"),
        ("and since yesterday?", "2025-02-28 00:00:00"),
        ("what about last month?", "2025-02-01 00:00:00"),
        ("in the last 24 hours?", "2025-02-28 12:00:00"),
        ("只看最近三天", "2025-02-26 12:00:00"),
        ("那昨天呢？", "2025-02-28 00:00:00"),
        ("昨天呢", "2025-02-28 00:00:00"),
        ("2024年呢", "2024-01-01 00:00:00"),
        ("只要过去24小时的", "2025-02-28 12:00:00"),
    ],
)
def test_another_time_takes_the_place_of_the_first(linker: Linker, question: str, start: str) -> None:
    after = query_of(ask(linker, question, history=turn(linker, FIRST["zh"]))).query
    assert after.of.window is not None and after.of.window.start == start
    assert after.of.encounter is None
    assert after.of.concepts[0].values == ("Creatinine",)


@pytest.mark.parametrize(
    "question", ["same for last admission", "and last admission?", "上次住院呢？", "那上次住院的呢"]
)
def test_another_stay_takes_the_place_of_the_first(linker: Linker, question: str) -> None:
    after = query_of(ask(linker, question, history=turn(linker, FIRST["en"]))).query
    assert after.of.encounter is not None
    assert (after.of.encounter.which, after.of.encounter.n) == ("this", 2)  # the one before this one


@pytest.mark.parametrize("question", ["and patient M0002?", "what about John Sample?", "那患者M0002呢"])
def test_another_patient_takes_the_place_of_the_first(linker: Linker, question: str) -> None:
    assert query_of(ask(linker, question, history=turn(linker, FIRST["en"]))).query.patient == 2


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("what drugs is she on?", "active_drugs"),
        ("how many patients have heart failure?", "patients_with_diagnosis"),
        ("现在用什么药？", "active_drugs"),
        ("is she on furosemide?", "on_drug"),
    ],
)
def test_a_question_that_stands_alone_does_not_inherit(linker: Linker, question: str, intent: str) -> None:
    assert query_of(ask(linker, question, history=turn(linker, FIRST["en"]))).intent == intent


def test_a_follow_up_says_what_it_continues(linker: Linker) -> None:
    plan = ask(linker, "and her potassium?", history=turn(linker, FIRST["en"]))
    assert any(FIRST["en"] in assumption for assumption in plan.assumptions)


def test_a_note_search_is_narrowed_by_a_time(linker: Linker) -> None:
    history = turn(linker, "does she live alone?")
    (action,) = ask(linker, "only in 2024", history=history).actions
    assert isinstance(action, SearchNotes)
    assert action.text == "does she live alone?" and action.window is not None


def test_a_hidden_patient_stays_hidden_in_a_follow_up(linker: Linker) -> None:
    history = turn(linker, FIRST["en"])
    (action,) = ask(linker, "and patient M0002?", permitted=frozenset({1}), history=history).actions
    assert not isinstance(action, QueryRecords)


@pytest.mark.parametrize(
    ("first", "question", "start"),
    [
        ("how many admissions in January 2023?", "and February?", "2023-02-01 00:00:00"),
        ("how many admissions in 2023?", "just December", "2023-12-01 00:00:00"),
        ("how many admissions in 2023?", "Q3?", "2023-07-01 00:00:00"),
        ("2023年入院多少人次？", "三季度呢", "2023-07-01 00:00:00"),
        ("2023年入院多少人次？", "去年全年呢", "2024-01-01 00:00:00"),
    ],
)
def test_a_month_alone_is_of_the_year_that_was_asked_about(
    linker: Linker, first: str, question: str, start: str
) -> None:
    history = (Turn(first, ask(linker, first, patient=None)),)
    window = query_of(ask(linker, question, patient=None, history=history)).query.of.window
    assert window is not None
    assert window.start == start


@pytest.mark.parametrize("question", ["what about the ICU?", "ICU only", "the ICU stays?"])
def test_the_icu_is_a_place_of_admissions(linker: Linker, question: str) -> None:
    first = "how many admissions in 2023?"
    history = (Turn(first, ask(linker, first, patient=None)),)
    of = query_of(ask(linker, question, patient=None, history=history)).query.of
    assert of.domain == "icu_stay"
    assert of.window is not None


@pytest.mark.parametrize("question", ["and on weekends?", "the rest?", "只看周末的", "其余的呢"])
def test_a_fragment_that_is_not_understood_is_refused_and_not_read_alone(
    linker: Linker, question: str
) -> None:
    plan = ask(linker, question, history=turn(linker, FIRST["en"]))
    assert isinstance(plan.actions[0], Refuse)
    assert question in plan.actions[0].text
