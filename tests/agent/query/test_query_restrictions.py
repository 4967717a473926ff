"""A sentence that says that there is none, or how many, says of which; a "no" rests on what was measured."""

import pytest
from hospital import NOW, small_hospital

from agent.query.execute import Outcome, run
from agent.query.model import (
    Ask,
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Encounter,
    Events,
    Exists,
    Pick,
    Related,
    Repeated,
    Rows,
    Window,
)
from agent.query.realise import realise
from agent.query.restrictions import none_of, restrictions
from agent.scope import Scope
from knowledge.store.store import RecordStore

POTASSIUM = Concept(values=("Potassium",))
DIABETES = Events(domain="diagnosis", concepts=(Concept(values=("Type 2 diabetes",), said="diabetes"),))
FAILURE = Concept(values=("Heart failure, unspecified",))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("restricted") / "hospital.sqlite")


def outcome(store: RecordStore, ask: Ask, of: Events, patient: int | None = 1) -> Outcome:
    return run(ClinicalQuery(ask=ask, of=of, patient=patient), store, Scope(now=NOW))


@pytest.mark.parametrize(
    ("of", "english", "chinese"),
    [
        (
            Events(domain="lab", where=(Condition(field="value", op="<", value=3.5, unit="mEq/L"),)),
            " (below 3.5 mEq/L)",
            "（低于 3.5 mEq/L）",
        ),
        (
            Events(domain="lab", where=(Condition(field="age", op="between", value=60, upper=69),)),
            " (age: 60 to 69)",
            "（年龄：60 至 69）",
        ),
        (
            Events(domain="lab", window=Window(start=NOW, said="today"), encounter=Encounter(which="first")),
            " (“today”; in the first admission)",
            "（“today”；首次住院）",
        ),
        (
            Events(domain="drug", related=(Related(events=DIABETES, negated=True),)),
            " (without Type 2 diabetes (“diabetes”))",
            "（无diabetes（Type 2 diabetes））",
        ),
        (
            Events(domain="drug", related=(Related(events=DIABETES, relation="before", same="month"),)),
            " (after Type 2 diabetes (“diabetes”), in the same month)",
            "（在diabetes（Type 2 diabetes）之后，同月内）",
        ),
        (
            Events(domain="lab", repeated=Repeated(at_least=2), pick=Pick(which="first")),
            " (at least 2 times; the first of each patient)",
            "（至少 2 次；每名患者首次）",
        ),
        (Events(domain="lab", concepts=(POTASSIUM,)), "", ""),
    ],
)
def test_restrictions_in_words(of: Events, english: str, chinese: str) -> None:
    assert restrictions(of, "en") == english
    assert restrictions(of, "zh") == chinese


def test_a_count_says_what_was_counted(store: RecordStore) -> None:
    without = Related(events=DIABETES, negated=True)
    found = outcome(
        store,
        Count(of="patients"),
        Events(domain="diagnosis", concepts=(FAILURE,), related=(without,)),
        None,
    )
    assert [s.text for s in realise(found, "en") or ()] == [
        "Number of patients with Heart failure, unspecified (without Type 2 diabetes (“diabetes”)): 1."
    ]


def test_that_there_is_none_beyond_a_limit_rests_on_what_was_measured(store: RecordStore) -> None:
    above = Events(domain="lab", concepts=(POTASSIUM,), where=(Condition(field="value", op=">=", value=6.5),))
    found = outcome(store, Exists(), above)
    assert found.rows == ((0,),)
    assert [s.text for s in realise(found, "en") or ()] == [
        "No: none of 2 values of Potassium was at least 6.5; the highest was 6.1 mEq/L (2025-02-26 06:00)."
    ]
    assert [s.text for s in realise(found, "zh") or ()] == [
        "否：2 次Potassium中没有不低于 6.5 的，最高为 6.1 mEq/L（2025-02-26 06:00）。"
    ]


def test_what_is_beyond_the_limit_is_behind_a_yes_alone(store: RecordStore) -> None:
    above = Events(domain="lab", concepts=(POTASSIUM,), where=(Condition(field="value", op=">", value=5),))
    found = outcome(store, Exists(), above)
    assert [piece.row_ids for piece in found.evidence] == [(5,)]


def test_without_any_measurement_none_is_recorded_whatever_the_limit() -> None:
    of = Events(domain="lab", concepts=(POTASSIUM,), where=(Condition(field="value", op=">", value=5),))
    nothing = ClinicalQuery(ask=Exists(), of=of, patient=4)
    assert none_of(nothing, "en") == "No lab result is recorded in the tables: Potassium"
    listed = ClinicalQuery(ask=Rows(fields=("value",)), of=of, patient=4)
    assert none_of(listed, "en") == "No lab result is recorded in the tables: Potassium (above 5)"
