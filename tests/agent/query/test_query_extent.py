"""Whether a change was as large as was asked: computed from the rows that are cited, and said with them."""

from pathlib import Path

import pytest
from hospital import NOW, small_hospital

from agent.query.execute import Outcome, run
from agent.query.model import (
    Change,
    ClinicalQuery,
    Concept,
    Encounter,
    Events,
    Extent,
    Pick,
    Window,
)
from agent.query.realise import realise
from agent.scope import Scope
from knowledge.store.store import RecordStore

CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",), said="肌酐"),))
STAY = CREATININE.model_copy(update={"encounter": Encounter(which="current")})  # 1.2, 2.8, 1.9 mg/dL
FALLING = CREATININE.model_copy(update={"window": Window(start="2025-02-26 06:00:00")})  # 2.8, 1.9 mg/dL


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(Path(tmp_path_factory.mktemp("store")) / "hospital.sqlite")


def outcome(store: RecordStore, of: Events, patient: int | None = 1, **extent: object) -> Outcome:
    at_least = Extent.model_validate(extent)
    return run(ClinicalQuery(ask=Change(at_least=at_least), of=of, patient=patient), store, Scope(now=NOW))


@pytest.mark.parametrize(
    ("of", "extent", "reached"),
    [
        (STAY, {"by": 2, "kind": "times", "direction": "rise"}, 1),
        (STAY, {"by": 2.4, "kind": "times", "direction": "rise"}, 0),
        (STAY, {"by": 133, "kind": "percent", "direction": "rise"}, 1),
        (STAY, {"by": 134, "kind": "percent", "direction": "rise"}, 0),
        (STAY, {"by": 1.6, "kind": "amount", "direction": "rise"}, 1),
        (STAY, {"by": 1.6, "kind": "amount", "direction": "rise", "beyond": True}, 0),
        (STAY, {"by": 140, "kind": "amount", "direction": "rise", "unit": "µmol/L"}, 1),
        (STAY, {"by": 142, "kind": "amount", "direction": "rise", "unit": "µmol/L"}, 0),
        (STAY, {"by": 0.5, "kind": "amount", "direction": "fall"}, 0),
        (FALLING, {"by": 0.9, "kind": "amount", "direction": "fall", "unit": "mg/dL"}, 1),
        (FALLING, {"by": 32, "kind": "percent", "direction": "fall"}, 1),
        (FALLING, {"by": 2, "kind": "times", "direction": "fall"}, 0),
        (FALLING, {"by": 30, "kind": "percent", "direction": "either"}, 1),
    ],
)
def test_verdict(store: RecordStore, of: Events, extent: dict[str, object], reached: int) -> None:
    found = outcome(store, of, 1, **extent)
    assert (found.columns, found.rows) == (("reached",), ((reached,),))
    english, chinese = realise(found, "en"), realise(found, "zh")
    assert english and english[0].text.startswith("Yes:" if reached else "No:")
    assert chinese and chinese[0].text.startswith("是：" if reached else "否：")
    assert english[0].evidence and "ratio" in {o.name for o in english[0].operations}


def test_what_doubled_and_came_down_again_has_doubled_and_both_are_said(store: RecordStore) -> None:
    found = outcome(store, STAY, by=2, kind="times", direction="rise")
    assert [s.text for s in realise(found, "en") or ()] == [
        "Yes: Creatinine (“肌酐”) went from 1.2 mg/dL (2025-02-25 09:00) to the highest, 2.8 mg/dL "
        "(2025-02-26 06:00), 2.33 times the first: a rise of 1.6 mg/dL (133%).",
        "The latest is 1.9 mg/dL (2025-02-27 06:00), 1.58 times the first: a rise of 0.7 mg/dL (58%).",
    ]
    assert {found.evidence[i].role for s in realise(found, "zh") or () for i in s.evidence} == {
        "earlier",
        "furthest",
        "later",
    }


def test_of_many_patients_those_are_listed_in_whom_it_was(store: RecordStore) -> None:
    found = outcome(store, CREATININE, None, by=2, kind="times", direction="rise")
    assert (found.columns, found.rows) == (("subject_id",), ((1,),))
    assert {piece.values["subject_id"] for piece in found.evidence} == {1}
    assert not outcome(store, CREATININE, None, by=4, kind="times", direction="rise").rows


def test_one_value_alone_has_no_verdict(store: RecordStore) -> None:
    once = CREATININE.model_copy(update={"window": Window(start="2025-02-27 00:00:00")})
    said = realise(outcome(store, once, by=2, kind="times", direction="rise"), "en")
    assert said and said[0].text.startswith("There is only one value")


def test_a_unit_that_does_not_convert_leaves_nothing(store: RecordStore) -> None:
    found = outcome(store, STAY, by=1, kind="amount", direction="rise", unit="mmHg")
    assert found.empty and "other_units_left_out" in found.assumptions


def test_other_ends_look_at_nothing_between(store: RecordStore) -> None:
    extent = Extent(by=2, kind="times", direction="rise")
    ask = Change(earlier=Pick(which="first"), later=Pick(which="last", n=1), at_least=extent)
    assert ask.looks_between
    assert not ask.model_copy(update={"earlier": Pick(which="last", n=2)}).looks_between


def test_a_comparison_and_an_extent_are_two_questions() -> None:
    with pytest.raises(ValueError, match="as_comparison or at_least"):
        Change(as_comparison=">", at_least=Extent(by=2, kind="times", direction="rise"))
